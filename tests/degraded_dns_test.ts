/**
 * The platform's name servers are gone: what has to be found by its name waits, everything else goes on. See
 * docs/degraded.md.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { FakeClock } from "../src/base/mod.ts";
import { NetError, type Network, systemNetwork } from "../src/net/mod.ts";
import { DEFAULT_SERVICES } from "../src/platform/mod.ts";
import { until } from "./support/nodes.ts";
import { realDeps, testPlatform } from "./support/platform.ts";
import { SmppCentre } from "./support/smpp_centre.ts";
import { identity, inner, outer, register, TcpPeer, UdpPeer } from "./support/scripted_gateway.ts";
import { DEV_RND } from "./support/watched_platform.ts";

const local = { host: "127.0.0.1", port: 0 };
const RECEIVER = "receiver.example", CENTRE = "smsc.example";

Deno.test("without name servers webhooks and short messages wait for theirs, and nothing else notices", async () => {
  const clock = new FakeClock(), deps = { ...realDeps(), clock }, system = systemNetwork(deps);
  let gone = true, asked = 0;
  /** The address of one of the test's names; throws as the system does where nobody can be asked. */
  const found = (host: string): string => {
    if (/^[\d.]+$/.test(host)) return host;
    asked++;
    if (gone) throw new NetError("not_found", `look up "${host}": getaddrinfo EAI_AGAIN`);
    return "127.0.0.1";
  };
  const network: Network = {
    ...system,
    lookup: async (host, options) => await system.lookup(found(host), options),
    connect: async (to, options) => await system.connect({ ...to, host: found(to.host) }, options),
  };
  const told: string[] = [];
  await using receiver = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      told.push((await request.json()).type);
      return new Response(null, { status: 204 });
    },
  );
  await using centre = await SmppCentre.start();
  await using p = await testPlatform({
    deps,
    network,
    settings: {
      services: [...DEFAULT_SERVICES, "sms"],
      webhooks: { allow: ["127.0.0.1"] },
      sms: {
        ...{ listen: local, short: local, gatewayCode: "001001" },
        outlet: { url: `smpp://gatehouse:secret@${CENTRE}:${centre.port}` },
      },
    },
  });
  const hook = await p.call("POST", "/api/v1/webhooks", {
    url: `http://${RECEIVER}:${receiver.addr.port}/in`,
    events: ["gateway.registered", "command.ended"],
  });
  assertEquals(hook.status, 201, JSON.stringify(hook.body));
  const me = identity(91), path = `/api/v1/gateways/${me.mac}`;
  await p.call("POST", "/api/v1/gateways", me);
  using udp = new UdpPeer();
  assertEquals((await register(udp, p.ports.access!, me, DEV_RND)).Result, 2);
  assertEquals(await udp.ask({ RPCMethod: "Hb", MAC: me.mac }, p.ports.access!), { Result: 0 });
  using tcp = await TcpPeer.connect(p.ports.plugin_center!);
  assertEquals(await tcp.signIn(me), { Result: 0 });
  const { body: command } = await p.call("POST", `${path}/commands`, { parameter: { CmdType: "ASK" } });
  const post = (await tcp.hear())!, { CmdType, SequenceId } = outer(post.Parameter);
  await tcp.send({
    ...{ Result: 0, ID: post.ID },
    return_Parameter: inner({ CmdType, SequenceId, Status: "0" }),
  });
  assertEquals((await p.call("GET", `/api/v1/commands/${command.id}?wait=20`)).body.status, "succeeded");
  for (let n = 0; n < 5; n++) await clock.advance(2000);
  await until("it was looked for", () => Promise.resolve(asked > 2));
  const tries = asked;
  assertEquals([told, centre.binds.length], [[], 0]);
  // Ten minutes on it has been tried again and again, with growing pauses.
  for (let n = 0; n < 60; n++) await clock.advance(10_000);
  assert(asked > tries && asked < 1000, `${asked} look-ups`);
  assertEquals(await udp.ask({ RPCMethod: "Hb", MAC: me.mac }, p.ports.access!), { Result: 0 });

  gone = false;
  await until("both are found", async () => {
    await clock.advance(10_000);
    return told.length === 2 && centre.binds.length > 0;
  });
  assertEquals(told.toSorted(), ["command.ended", "gateway.registered"]);
});
