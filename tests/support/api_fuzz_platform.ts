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
  await make("/api/v1/rollouts", { name: "first", action: { kind: "uninstall", plugin: "nothing" } });
  await make("/api/v1/sms/accounts", { spId: "900001", secret: "secret-of-sp", spCode: "1066" });
  await make("/api/v1/webhooks", {
    url: "https://hooks.example/",
    events: ["gateway.online"],
    enabled: false,
  });
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
    known: { mac, id: String(command["id"]), name: "north", spId: "900001", filter: "region==north" },
    [Symbol.asyncDispose]: () => platform[Symbol.asyncDispose](),
  };
}

function ending({ method, path }: Operation): number {
  return method === "DELETE" && /\/(sessions|users|me)/.test(path) ? 1 : 0;
}
