/**
 * The phone app's way over real sockets: sign up, bind beside the gateway, connect, ask. The gateway is played by
 * the test's own hand.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { ask } from "./support/ask.ts";
import { ADMIN_TOKEN, testPlatform } from "./support/platform.ts";
import { h, identity, inner, outer, register, TcpPeer, UdpPeer } from "./support/scripted_gateway.ts";

const DEV_RND = "0123456789ABCDEF0123456789ABCDEF";
const NEW_RND = "FEDCBA9876543210FEDCBA9876543210";

/** A phone app: what it knows is an address and, once signed in, its token. */
class PhoneApp {
  #token: string | undefined;
  constructor(private readonly url: string) {}

  call(method: string, path: string, body?: unknown) {
    return ask(`${this.url}/app/v1`, method, path, body, this.#token ?? null);
  }

  async signIn(name: string): Promise<void> {
    const credentials = { name, password: "correct horse battery" };
    assertEquals((await this.call("POST", "/users", credentials)).status, 201);
    const { status, body } = await this.call("POST", "/sessions", credentials);
    assertEquals(status, 201);
    this.#token = body.token;
  }
}

Deno.test("an app binds the gateway it stands beside, connects to it, asks it, and nobody else can", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  const me = identity(40), { access, plugin_center } = p.ports as Record<string, number>;
  await p.call("POST", "/api/v1/gateways", me);
  await register(udp, access!, me, DEV_RND);
  const li = new PhoneApp(p.url), wang = new PhoneApp(p.url);
  await li.signIn("li.wei");
  await wang.signIn("wang.fang");

  // What CHECK_PASSWD_PARAM answers on the LAN.
  const proof = { sn: h(DEV_RND, me.sn), loid: me.loid };
  assertEquals((await wang.call("POST", "/bindings", { ...proof, sn: h(NEW_RND, me.sn) })).status, 403);
  assertEquals((await li.call("POST", "/bindings", proof)).status, 201);
  assertEquals((await wang.call("POST", "/bindings", proof)).body.code, "already_bound");
  const { items } = (await li.call("GET", "/gateways")).body;
  assertEquals([items.length, items[0].mac, items[0].online], [1, me.mac, true]);

  const path = `/gateways/${me.mac}`;
  assertEquals((await wang.call("POST", `${path}/connect`)).status, 404);
  assertEquals((await li.call("POST", `${path}/connect`)).body, { state: "connecting", retryAfterMs: 1000 });
  const trigger = await udp.hear();
  assertEquals([trigger.RPCMethod, trigger.Key], ["RequestPlug-in", h(DEV_RND, me.sn)]);
  assertEquals(await udp.ask({ Result: 0, DevRND: NEW_RND }, access!), { Result: 1 });
  using tcp = await TcpPeer.connect(plugin_center!);
  assertEquals(await tcp.signIn(me), { Result: 0 });
  assertEquals((await li.call("GET", `${path}/connection`)).body, { state: "connected" });

  const asked = li.call("POST", `${path}/post`, {
    plugin: "system-monitor",
    parameter: { CmdType: "QUERY_CPU_INFO" },
  });
  const post = (await tcp.hear())!;
  const { CmdType, SequenceId } = outer(post.Parameter);
  const reply = { CmdType, SequenceId, Status: "0", Percent: "7" };
  await tcp.send({ Result: 0, ID: post.ID, return_Parameter: inner(reply) });
  const { status, body } = await asked;
  assertEquals([status, body.status, body.result, body.reply], [200, "succeeded", 0, reply]);
  assertEquals((await wang.call("GET", `${path}/posts/${body.id}`)).status, 404);
  const operators = await p.call("GET", `/api/v1/commands/${body.id}`);
  assert(String(operators.body.actor).startsWith("user:"));

  // The handshake has replaced the DevRND: a proof from before it is good for one more, then no longer.
  assertEquals((await li.call("DELETE", `/bindings/${me.mac}`)).status, 204);
  assertEquals((await li.call("POST", `${path}/post`, { parameter: { CmdType: "X" } })).status, 404);
  assertEquals((await wang.call("POST", "/bindings", { sn: h(NEW_RND, me.sn), loid: me.loid })).status, 201);

  // Support sees in the console whose it is, and ends it there.
  const visit = (path: string, cookie: string, fields?: Record<string, string>) =>
    fetch(p.url + path, {
      redirect: "manual",
      headers: { cookie, origin: p.url, "accept-language": "en" },
      ...(fields ? { method: "POST", body: new URLSearchParams(fields) } : {}),
    });
  const signedIn = await visit("/sign-in", "", { token: ADMIN_TOKEN });
  await signedIn.body?.cancel();
  const cookie = signedIn.headers.getSetCookie()[0]!.split(";")[0]!, page = `/gateways/${me.mac}`;
  const owned = await (await visit(page, cookie)).text();
  assert(/href="\/users\/[^"]+">wang\.fang</.test(owned) && owned.includes("bound in the app"));
  const ended = await visit(page, cookie, { do: "unbind" });
  await ended.body?.cancel();
  assertEquals(ended.status, 303);
  assert((await (await visit(page, cookie)).text()).includes("Bound to nobody."));
  assertEquals((await wang.call("GET", "/gateways")).body.items, []);
});

Deno.test("users, sessions and bindings survive a restart, a revoked session does not come back", async () => {
  const dataDir = await Deno.makeTempDir();
  const me = identity(41);
  using udp = new UdpPeer();
  let kept: string, revoked: string;
  const credentials = { name: "li.wei", password: "correct horse battery" };
  const as = async (url: string, token: string, method: string, path: string) => {
    const response = await fetch(`${url}/app/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
    });
    return { status: response.status, text: await response.text() };
  };
  {
    await using p = await testPlatform({ dataDir });
    await p.call("POST", "/api/v1/gateways", me);
    await register(udp, p.ports.access!, me, DEV_RND);
    const app = new PhoneApp(p.url);
    await app.signIn(credentials.name);
    await app.call("POST", "/bindings", { sn: h(DEV_RND, me.sn), loid: me.loid });
    kept = (await app.call("POST", "/sessions", credentials)).body.token;
    revoked = (await app.call("POST", "/sessions", credentials)).body.token;
    assertEquals((await as(p.url, revoked, "DELETE", "/sessions/current")).status, 204);
  }
  await using p = await testPlatform({ dataDir });
  const listed = await as(p.url, kept, "GET", "/bindings");
  assertEquals(JSON.parse(listed.text).items[0].mac, me.mac);
  assertEquals((await as(p.url, revoked, "GET", "/bindings")).status, 401);
  // An app's token is no operator's, and the operators' is no app's.
  const operators = await fetch(`${p.url}/api/v1/gateways`, { headers: { authorization: `Bearer ${kept}` } });
  await operators.body?.cancel();
  assertEquals(operators.status, 403);
  assertEquals((await p.call("GET", "/app/v1/gateways")).status, 403);
  await p[Symbol.asyncDispose]();
  await Deno.remove(dataDir, { recursive: true });
});
