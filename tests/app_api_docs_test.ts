/**
 * The examples of docs/app-api.md, one after the other against a real platform.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { testPlatform } from "./support/platform.ts";
import { h, identity, register, UdpPeer } from "./support/scripted_gateway.ts";

const DEV_RND = "0123456789ABCDEF0123456789ABCDEF";

/** Whether `given` is what the page shows: `…` is anything, and what is not shown may be there as well. */
function shows(shown: unknown, given: unknown, path = "$"): void {
  if (shown === "…") return assert(given !== undefined && given !== null, `${path} is missing`);
  if (Array.isArray(shown)) {
    assert(Array.isArray(given) && given.length === shown.length, `${path}: ${JSON.stringify(given)}`);
    shown.forEach((item, i) => shows(item, (given as unknown[])[i], `${path}[${i}]`));
  } else if (typeof shown === "object" && shown !== null) {
    for (const [name, value] of Object.entries(shown)) {
      shows(value, (given as Record<string, unknown>)[name], `${path}.${name}`);
    }
  } else assertEquals(given, shown, path);
}

Deno.test("every example of the app developers' page does what it shows", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  const me = identity(50), names = new Map<string, string>(), tokens = new Map<string, string>();
  await p.call("POST", "/api/v1/gateways", me);
  await register(udp, p.ports["access"]!, me, DEV_RND);
  for (const [name, value] of [["mac", me.mac], ["loid", me.loid], ["sn", h(DEV_RND, me.sn)]] as const) {
    names.set(name, value);
  }
  const credentials = { name: "wang.fang", password: "correct horse battery" };
  for (const path of ["users", "sessions"]) {
    const response = await fetch(`${p.url}/app/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(credentials),
    });
    tokens.set("wang", (await response.json()).token);
  }
  const page = await Deno.readTextFile("docs/app-api.md");
  const examples = [...page.matchAll(/```http\n([\s\S]*?)```/g)].map(([, text]) => text!);
  assert(examples.length >= 12);
  for (const example of examples) {
    const text = example.replace(/<(\w+)>/g, (_, name) => {
      assert(names.has(name), `<${name}> is not known yet: ${example}`);
      return names.get(name)!;
    });
    const [request, answer] = text.split("\n\n") as [string, string];
    const [line, ...body] = request.split("\n"), [status, ...shown] = answer.trim().split("\n");
    const [method, path, , who] = line!.split(" ");
    const response = await fetch(p.url + path, {
      method: method!,
      headers: {
        "content-type": "application/json",
        ...(who === undefined ? {} : { authorization: `Bearer ${tokens.get(who)}` }),
      },
      ...(body.length > 0 ? { body: body.join("\n") } : {}),
    });
    const reply = await response.text();
    assertEquals(response.status, Number(status), `${line}: ${reply}`);
    const given = reply === "" ? undefined : JSON.parse(reply);
    if (shown.length > 0) shows(JSON.parse(shown.join("\n")), given);
    for (const name of ["refreshToken", "code"]) if (given?.[name]) names.set(name, given[name]);
    if (given?.token) tokens.set("li", given.token);
  }
});
