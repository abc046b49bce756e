import { assert, assertEquals } from "@std/assert";
import { Settings } from "./resolve.ts";
import { GATEWAY_SETTINGS, PLATFORM_SETTINGS } from "./settings_table.ts";
import { shownSettings } from "./shown_settings.ts";

function platform(flags: Record<string, string>, variables: Record<string, string> = {}) {
  const settings = new Settings({ flags: new Map(Object.entries(flags)), env: (name) => variables[name] });
  return shownSettings(PLATFORM_SETTINGS, settings.all("platform", PLATFORM_SETTINGS));
}

Deno.test("every setting of the table is shown, also where nobody set it", () => {
  const shown = platform({ "cors-origin": "https://a.example,https://b.example", "rate-limit": "7" });
  assertEquals(Object.keys(shown), Object.keys(PLATFORM_SETTINGS));
  for (const [name, text] of Object.entries(shown)) {
    assert(!/undefined|\[object/.test(text), `${name}: ${text}`);
    // Those that are empty where nobody says so have nothing to fall back on.
    if (text === "") assert(["config", "node"].includes(name), name);
  }
  assertEquals(shown["cors-origin"], "https://a.example,https://b.example");
  assertEquals([shown["rate-limit"], shown["command-days"]], ["7", "90"]);
  assertEquals([shown["nats"], shown["http"]], ["none: one node", "0.0.0.0:8080"]);
});

Deno.test("settings are shown without a token, a password or who signs in", () => {
  const shown = platform({
    "database": "postgres://user:hidden@db:5432/gatehouse?sslpassword=hidden",
    "sms-outlet": "smpp://user:hidden@centre:2775",
    "nats": "nats://user:hidden@bus:4222",
  }, { GATEHOUSE_ADMIN_TOKEN: "hidden-token", GATEHOUSE_SMS_OUTLET_PASSWORD: "hidden" });
  assertEquals(shown["database"], "postgres://db:5432/gatehouse");
  assertEquals(shown["sms-outlet"], "smpp://centre:2775");
  assertEquals(shown["nats"], "nats://bus:4222");
  assertEquals(shown["admin-token"], "set, and not shown");
  assertEquals(JSON.stringify(shown).includes("hidden"), false);
});

Deno.test("whatever is only taken from the environment is a secret, in both roles", () => {
  for (const table of [PLATFORM_SETTINGS, GATEWAY_SETTINGS]) {
    const values = Object.fromEntries(Object.keys(table).map((name) => [name, "hidden"]));
    const secrets = Object.entries(table).filter(([, setting]) =>
      "environmentOnly" in setting && setting.environmentOnly
    );
    assert(secrets.length > 0);
    for (const [name, setting] of secrets) {
      assertEquals(shownSettings({ [name]: setting }, values), { [name]: "set, and not shown" });
    }
  }
});
