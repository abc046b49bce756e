/**
 * A platform with something of everything on the console's pages, and a browser without scripts that looks at them.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type TestPlatform, testPlatform } from "./platform.ts";

const local = { host: "127.0.0.1", port: 0 };
export const PASSWORD = "correct horse battery", MAC = "64D954000001";
/** What a name must not become. */
export const EVIL = "<script>alert(1)</script>";

/** A platform with every service, and something of everything in it, most of it with a script for a name. */
export async function stage(): Promise<TestPlatform> {
  const p = await testPlatform({
    settings: {
      services: ["distribution", "access", "plugin_center", "push", "app", "sms", "gns"],
      sms: { listen: local, short: local, peer: local, gns: local, gatewayCode: "001001" },
    },
  });
  const make = async (path: string, body: unknown) => {
    const made = await p.call("POST", path, body);
    assert(made.status < 300, `${path}: ${JSON.stringify(made.body)}`);
    return made.body;
  };
  const names = { vendor: EVIL, model: EVIL, region: EVIL };
  await make("/api/v1/gateways", { mac: MAC, sn: `64D954-${MAC}`, loid: "L1", ...names });
  await make("/api/v1/groups", { name: "north", description: EVIL });
  await make("/api/v1/sms/accounts", { spId: "900001", secret: "secret-1", spCode: "10690001" });
  await make("/app/v1/users", { name: "li.wei", password: PASSWORD });
  await make("/api/v1/keys", { name: EVIL, permissions: ["gateways:read"] });
  await make("/api/v1/webhooks", {
    url: "https://hooks.example/<script>alert(1)</script>",
    description: EVIL,
    events: ["alarm.raised"],
  });
  return p;
}

/** A browser without scripts: cookies, forms, and nothing of its own accord. */
export class Visitor {
  cookie = "";

  constructor(private readonly url: string, private readonly language: "en" | "zh" = "en") {}

  get(path: string): Promise<Response> {
    return fetch(this.url + path, { headers: this.#headers(), redirect: "manual" });
  }

  post(
    path: string,
    fields: Record<string, string> | FormData,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const body = fields instanceof FormData ? fields : new URLSearchParams(fields);
    return fetch(this.url + path, {
      method: "POST",
      headers: { ...this.#headers(), origin: this.url, ...headers },
      redirect: "manual",
      body,
    });
  }

  /** The page's text, which has to come with status 200. */
  async page(path: string): Promise<string> {
    const response = await this.get(path), text = await response.text();
    assertEquals(response.status, 200, `${path}: ${text.slice(-600)}`);
    return text;
  }

  async signIn(fields: Record<string, string>): Promise<this> {
    const response = await this.post("/sign-in", fields);
    await response.body?.cancel();
    assertEquals(response.status, 303);
    this.cookie = response.headers.getSetCookie()[0]!.split(";")[0]!;
    return this;
  }

  #headers(): Record<string, string> {
    return { cookie: this.cookie, "accept-language": this.language };
  }
}

/** Signs an operator in who has a role. */
export async function operator(p: TestPlatform, role: string): Promise<Visitor> {
  const name = `one.${role.replace("_", "")}`;
  const made = await p.call("POST", "/api/v1/operators", { name, password: PASSWORD, role });
  assertEquals(made.status, 201);
  return await new Visitor(p.url).signIn({ name, password: PASSWORD });
}
