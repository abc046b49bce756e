/**
 * The platform against gateways that the test plays by hand, on real sockets: the way in, heartbeats, being moved,
 * pushed messages.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { testPlatform } from "./support/platform.ts";
import { distribute, h, identity, inner, register, TcpPeer, UdpPeer } from "./support/scripted_gateway.ts";

const DEV_RND = "0123456789ABCDEF0123456789ABCDEF";
const NEW_RND = "FEDCBA9876543210FEDCBA9876543210";

Deno.test("a preset gateway is distributed, registers, beats, and shows as online", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  const me = identity(1);
  assertEquals((await p.call("POST", "/api/v1/gateways", me)).status, 201);

  const sent = await distribute(udp, p.ports.distribution!, me);
  assertEquals(sent, {
    Result: 2,
    Interval: 60,
    ServerIP: "100.64.0.9",
    ServerAddr: "127.0.0.1",
    ServerPort: p.ports.access,
  });
  const registered = await register(udp, p.ports.access!, me, DEV_RND);
  assertEquals(registered.Result, 2);
  assertEquals(registered.Interval, 60);
  const first = { RPCMethod: "Hb", IPAddr: "100.64.0.9", MAC: me.mac, FLAG: "1" };
  assertEquals(await udp.ask(first, p.ports.access!), { Result: 0 });
  assertEquals(await udp.ask({ RPCMethod: "Hb", MAC: me.mac, FLAG: "0" }, p.ports.access!), { Result: 0 });
  const shown = await p.call("GET", `/api/v1/gateways/${me.mac}`);
  assertEquals(shown.body.online, true);
  assertEquals(shown.body.firmware, "1");
  assertEquals("devRnd" in shown.body, false);
});

Deno.test("strangers and impostors are refused with their codes", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  const me = identity(2), { distribution, access } = p.ports as Record<string, number>;
  assertEquals((await distribute(udp, distribution!, me)).Result, -2);
  assertEquals((await register(udp, access!, me, DEV_RND)).Result, -2);
  assertEquals(await udp.ask({ RPCMethod: "Hb", MAC: me.mac, FLAG: "0" }, access!), { Result: -3 });
  assertEquals((await udp.ask({ RPCMethod: "Dance" }, access!)).Result, -1);
  assertEquals((await udp.ask({ RPCMethod: "Dance" }, distribution!)).Result, -1);
  await p.call("POST", "/api/v1/gateways", me);
  const wrong = { ...me, sn: "64D954-SOMEONE" };
  assertEquals((await distribute(udp, distribution!, wrong)).Result, -2);
  assertEquals((await register(udp, access!, wrong, DEV_RND)).Result, -2);
});

Deno.test("more than three packets a second from one MAC are answered with -1", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  const me = identity(3),
    boot = { RPCMethod: "BootFirst", MAC: me.mac, IPAddr: "1.2.3.4", PlatformID: "OTHER" };
  await p.call("POST", "/api/v1/gateways", me);
  const results = [];
  for (let i = 0; i < 5; i++) results.push((await udp.ask(boot, p.ports.distribution!)).Result);
  assertEquals(results.slice(0, 3), [0, 0, 0]);
  assert(results.slice(3).includes(-1));
});

Deno.test("distribution answers over TCP too, for gateways whose network loses UDP", async () => {
  await using p = await testPlatform();
  const me = identity(16);
  await p.call("POST", "/api/v1/gateways", me);
  using tcp = await TcpPeer.connect(p.ports.distribution!);
  const boot = await tcp.ask({ RPCMethod: "BootFirst", MAC: me.mac, IPAddr: "1.2.3.4", PlatformID: "OTHER" });
  assertEquals(boot?.Result, 0);
  // Some gateways leave the MAC out here: the connection says who it is.
  const sent = await tcp.ask({ RPCMethod: "RegisterFirst", CheckSN: h(String(boot?.ChallengeCode), me.sn) });
  assertEquals([sent?.Result, sent?.ServerPort], [2, p.ports.access]);
});

Deno.test("an operator moves a gateway: RequestDistri, its new DevRND, and the word that it was taken", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  const me = identity(17), { access } = p.ports as Record<string, number>;
  await p.call("POST", "/api/v1/gateways", me);
  const path = `/api/v1/gateways/${me.mac}/redistribute`, to = { mode: 1, address: "ops2.example:5000" };
  assertEquals((await p.call("POST", path, to)).body.code, "gateway_offline");
  await register(udp, access!, me, DEV_RND);
  const moved = p.call("POST", path, to);
  assertEquals(await udp.hear(), {
    RPCMethod: "RequestDistri",
    Key: h(DEV_RND, me.sn),
    mode: "1",
    ServerAddr: "ops2.example",
    ServerPort: 5000,
  });
  assertEquals(await udp.ask({ Result: 0, DevRND: NEW_RND }, access!), { Result: 1 });
  assertEquals((await moved).status, 204);
});

Deno.test("policy, pins and renewal send gateways where operators want them", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  const { distribution, access } = p.ports as Record<string, number>;
  const [a, b, c] = [identity(4), identity(5), identity(6)];
  await p.call("POST", "/api/v1/gateways", [a, b, c]);
  const put = await p.call("PUT", "/api/v1/distribution/policy", {
    rules: [
      { name: "away", match: { vendor: "Maker" }, redirect: "other.example:12112" },
    ],
  });
  assertEquals(put.status, 200);
  assertEquals(await distribute(udp, distribution!, a), { Result: -5, ServerIP: "other.example:12112" });

  await p.call("PATCH", `/api/v1/gateways/${b.mac}`, { pinnedOperations: "ops.example:5000" });
  const pinned = await distribute(udp, distribution!, b);
  assertEquals([pinned.Result, pinned.ServerAddr, pinned.ServerPort], [2, "ops.example", 5000]);
  assertEquals(await register(udp, access!, b, DEV_RND), { Result: -5, ServerIP: "ops.example:5000" });

  await p.call("PATCH", `/api/v1/gateways/${c.mac}`, { renew: true });
  assertEquals((await register(udp, access!, c, DEV_RND)).Result, 3);
  assertEquals((await register(udp, access!, c, DEV_RND)).Result, 2);

  await p.call("PUT", "/api/v1/distribution/policy", { rules: [] });
  assertEquals((await distribute(udp, distribution!, c)).Result, -2);
});

Deno.test("a pushed message is kept once, however often it comes, and only if it is genuine", async () => {
  await using p = await testPlatform();
  using udp = new UdpPeer();
  const me = identity(19), path = `/api/v1/gateways/${me.mac}/messages`;
  await p.call("POST", "/api/v1/gateways", me);
  const registered = await register(udp, p.ports.access!, me, DEV_RND);
  assertEquals(registered.MessageServer, `127.0.0.1:${p.ports.push}`);
  using tcp = await TcpPeer.connect(p.ports.push!);
  const content = inner({ Alarm: "PON down" }), time = "20261122080000";
  const message = {
    RPCMethod: "MessagePush",
    Plugin_Name: "watch",
    time,
    mac: me.mac,
    Message: content,
    MD5: h(time, content, me.mac, me.sn),
  };
  assertEquals(await tcp.ask(message), { Result: 0 });
  assertEquals(await tcp.ask(message), { Result: 0 });
  assertEquals((await tcp.ask({ ...message, MD5: h("forged") }))?.Result, -1);
  assertEquals((await tcp.ask({ ...message, mac: identity(20).mac }))?.Result, -1);
  assertEquals((await tcp.ask({ RPCMethod: "MessagePush" }))?.Result, -1);
  const { items } = (await p.call("GET", path)).body as { items: Record<string, unknown>[] };
  assertEquals(items.map(({ plugin, time, text }) => [plugin, time, text]), [[
    "watch",
    time,
    '{"Alarm":"PON down"}',
  ]]);
  assertEquals((await p.call("GET", `/api/v1/gateways/${identity(20).mac}/messages`)).status, 404);
});

Deno.test("a gateway that pushes without end is told to come later, and others are not", async () => {
  await using p = await testPlatform();
  const [me, other] = [identity(21), identity(22)];
  await p.call("POST", "/api/v1/gateways", [me, other]);
  using tcp = await TcpPeer.connect(p.ports.push!);
  const push = ({ mac, sn }: typeof me, n: number) => {
    const content = inner({ n }), time = "20261122080000";
    return tcp.ask({
      RPCMethod: "MessagePush",
      Plugin_Name: "x",
      time,
      mac,
      Message: content,
      MD5: h(time, content, mac, sn),
    });
  };
  const results = new Set<unknown>();
  for (let n = 0; n < 130; n++) results.add((await push(me, n))?.Result);
  assertEquals([...results], [0, -5]);
  assertEquals((await push(other, 0))?.Result, 0);
});
