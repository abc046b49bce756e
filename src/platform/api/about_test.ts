import { assertEquals } from "@std/assert";
import { settingsShown } from "./about.ts";

const at = { host: "127.0.0.1", port: 1 };

Deno.test("the settings in force are shown without a token, a password or who signs in", () => {
  const shown = settingsShown({
    dataDir: "/data",
    services: ["sms"],
    http: at,
    distribution: at,
    access: at,
    pluginCenter: at,
    push: at,
    advertise: "gatehouse.example",
    database: "postgres://user:hidden@db:5432/gatehouse?sslpassword=hidden",
    heartbeatSeconds: 60,
    adminToken: "hidden",
    sms: {
      listen: at,
      short: at,
      gatewayCode: "001001",
      outlet: { url: "smpp://user:hidden@centre:2775", password: "hidden", passwordFile: "/hidden" },
    },
  });
  assertEquals(shown["database"], "postgres://db:5432/gatehouse");
  assertEquals(shown["sms-outlet"], "smpp://centre:2775");
  assertEquals(JSON.stringify(shown).includes("hidden"), false);
  assertEquals(settingsShown({ ...EMPTY, database: "postgres://a:hidden@[" })["database"], "postgres://…");
});

const EMPTY = {
  dataDir: "/data",
  services: [],
  http: at,
  distribution: at,
  access: at,
  pluginCenter: at,
  push: at,
  advertise: "",
  database: undefined,
  heartbeatSeconds: 60,
  adminToken: undefined,
};
