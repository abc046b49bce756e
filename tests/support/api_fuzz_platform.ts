/**
 * A platform with something in every list, for walkers of its API.
 *
 * @module
 */
import { assert } from "@std/assert";
import { DEFAULT_SERVICES } from "../../src/platform/mod.ts";
import { type Document, type Operation, operationsOf } from "./openapi.ts";
import { ADMIN_TOKEN, type TestPlatform, testPlatform } from "./platform.ts";

const local = { host: "127.0.0.1", port: 0 };

/** A whole plug-in. */
const PLUGIN = `export const manifest = { name: "com.example.fuzz", version: "1.0", apiVersion: "2026-11-01",
  commands: { A: { right: "remote" } } };
export const commands = { A: () => ({}) };`;

/** A platform to be asked, its document, and the names of what is there. */
export interface FuzzPlatform extends AsyncDisposable {
  readonly platform: TestPlatform;
  readonly url: string;
  readonly document: Document;
  /** Those that end the callers' own sessions come last. */
  readonly operations: readonly Operation[];
  /** The administrator's token, and under `/app` a user's. */
  readonly tokenOf: (path: string) => string;
  readonly known: Readonly<Record<string, string>>;
}

/** Starts it, with all services. */
export async function fuzzPlatform(): Promise<FuzzPlatform> {
  const platform = await testPlatform({
    settings: {
      services: [...DEFAULT_SERVICES, "sms", "gns"],
      sms: { listen: local, short: local, peer: local, gns: local, gatewayCode: "001001" },
    },
  });
  const make = async (path: string, body: unknown) => {
    const { status, body: made } = await platform.call("POST", path, body);
    assert(status < 300, `${path}: ${status} ${JSON.stringify(made)}`);
    return made;
  };
  const mac = "64D954000001";
  await make("/api/v1/gateways", { mac, sn: "64D954-S1", loid: "LOID1", region: "north" });
  await make("/api/v1/groups", { name: "north", filter: "region==north" });
  await make("/api/v1/tags", { filter: "region==north", add: ["pilot"] });
  const command = await make(`/api/v1/gateways/${mac}/commands`, {
    parameter: { CmdType: "QUERY_CPU_INFO" },
  });
  const rollout = await make("/api/v1/rollouts", {
    name: "first",
    action: { kind: "uninstall", plugin: "nothing" },
  });
  await make("/api/v1/sms/accounts", { spId: "900001", secret: "secret-of-sp", spCode: "1066" });
  await make("/api/v1/webhooks", {
    url: "https://hooks.example/",
    events: ["gateway.online"],
    enabled: false,
  });
  const put = async (path: string, body: unknown) => {
    const { status, body: made } = await platform.call("PUT", path, body);
    assert(status < 300, `${path}: ${status} ${JSON.stringify(made)}`);
  };
  const removed = "64D954000002";
  await make("/api/v1/gateways", { mac: removed, sn: "64D954-S2", loid: "LOID2" });
  assert((await platform.call("DELETE", `/api/v1/gateways/${removed}`)).status === 204);
  await make("/api/v1/groups", { name: "chosen" });
  const operator = await make("/api/v1/operators", {
    name: "op",
    password: "correct horse battery",
    role: "viewer",
  });
  const key = await make("/api/v1/keys", { name: "machine", permissions: ["gateways:read"] });
  const plugin = await make("/api/v1/plugins", new TextEncoder().encode(PLUGIN));
  const backup = await make("/api/v1/backups", undefined);
  const target = (address: string) => ({
    rules: [{
      name: "all",
      match: {},
      targets: [{ address, weight: 1 }, { address: "ops3.example:1", weight: 1 }],
    }],
  });
  await put("/api/v1/distribution/policy", target("ops1.example:1"));
  await put("/api/v1/distribution/policy", target("ops2.example:1"));
  const route = await make("/api/v1/sms/routes", { kind: "mt", first: "1380000", target: "local" });
  await make("/api/v1/sms/peers", { code: "001002", secret: "secret-of-peer" });
  await make("/api/v1/gns/gateways", { code: "001003", secret: "secret-of-gw" });
  const person = { name: "li.wei", password: "correct horse battery" };
  await make("/app/v1/users", person);
  const user = String((await make("/app/v1/sessions", person))["token"]);
  const document = await (await fetch(`${platform.url}/openapi.json`)).json() as Document;
  return {
    platform,
    url: platform.url,
    document,
    operations: operationsOf(document).toSorted((one, other) => ending(one) - ending(other)),
    tokenOf: (path) => path.startsWith("/app/") ? user : ADMIN_TOKEN,
    known: {
      mac,
      id: String(command["id"]),
      name: "north",
      spId: "900001",
      filter: "region==north",
      "/api/v1/rollouts id": String(rollout["id"]),
      "/api/v1/operators id": String(operator["id"]),
      "/api/v1/keys id": String(key["id"]),
      "/api/v1/backups id": String(backup["id"]),
      "/api/v1/alarm-rules id": "region-offline",
      "/api/v1/sms/routes id": String(route["id"]),
      "/api/v1/sms/peers code": "001002",
      "/api/v1/gns/gateways code": "001003",
      "/api/v1/plugins name": "com.example.fuzz",
      "/api/v1/plugins version": "1.0",
      "/api/v1/distribution/policy/versions version": "1",
      "/api/v1/groups/{name}/members name": "chosen",
      "/api/v1/gateways/{mac}/restore mac": removed,
      "/downloads file": `${plugin["sha256"]}.js`,
    },
    [Symbol.asyncDispose]: () => platform[Symbol.asyncDispose](),
  };
}

/** What takes away comes after all that asks about it; what ends the callers' own sessions last. */
function ending({ method, path }: Operation): number {
  if (/^\/(api|app)\/v1\/(me|users\/me)\/password/.test(path)) return 2;
  return method !== "DELETE" ? 0 : /\/(sessions|users|me)/.test(path) ? 2 : 1;
}
