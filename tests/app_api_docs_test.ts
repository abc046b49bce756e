/**
 * The examples of docs/app-api.md, one after the other against a real platform.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { LOID, MAC, SN, testGateway } from "./support/gateway.ts";
import { ScriptedPlatform } from "./support/scripted_platform.ts";
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

Deno.test("what the app developers' page asks on the LAN is answered by a gateway", async () => {
  const [, example] = /```ts\n([\s\S]*?)```/.exec(await Deno.readTextFile("docs/app-api.md"))!;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/ask.ts`, example!);
    await Deno.writeTextFile(`${folder}/passwords.json`, JSON.stringify({ user: "correct-horse" }));
    const { ask } = await import(`file://${folder}/ask.ts`);
    await using platform = new ScriptedPlatform(SN);
    await using gateway = await testGateway(platform, { passwordsFile: `${folder}/passwords.json` });
    const { host, port } = gateway.gateway.local;
    const who = await ask(host, { CmdType: "GET_SN_INFO" }, port);
    assertEquals([who.Status, who.MAC], ["0", MAC]);
    const proof = await ask(host, { CmdType: "CHECK_PASSWD_PARAM", PassWD: "correct-horse" }, port);
    assertEquals([proof.Status, proof.LOID, proof.SN.length], ["0", LOID, 32]);
    const wrong = await ask(host, { CmdType: "CHECK_PASSWD_PARAM", PassWD: "another" }, port);
    assertEquals([wrong.Status, typeof wrong.FailReason], ["1", "string"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

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
