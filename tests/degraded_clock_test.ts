/**
 * The wall clock is set while the platform runs: nobody goes offline, nothing ends early, no id comes twice. See
 * docs/degraded.md.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { FakeClock, Metrics, silentLog, systemRandom } from "../src/base/mod.ts";
import { testPlatform } from "./support/platform.ts";
import { identity, inner, outer, register, TcpPeer, UdpPeer } from "./support/scripted_gateway.ts";
import { DEV_RND } from "./support/watched_platform.ts";

const DAY_MS = 86_400_000;

for (const [direction, jump] of [["forward", DAY_MS], ["back", -DAY_MS]] as const) {
  Deno.test(`a clock that is set ${direction} by a day costs no gateway its registration and no command its answer`, async () => {
    const clock = new FakeClock();
    await using p = await testPlatform({
      deps: { clock, random: systemRandom, log: silentLog, metrics: new Metrics() },
    });
    const me = identity(81), path = `/api/v1/gateways/${me.mac}`;
    await p.call("POST", "/api/v1/gateways", me);
    using udp = new UdpPeer();
    assertEquals((await register(udp, p.ports.access!, me, DEV_RND)).Result, 2);
    using tcp = await TcpPeer.connect(p.ports.plugin_center!);
    assertEquals(await tcp.signIn(me), { Result: 0 });
    const command = () => p.call("POST", `${path}/commands`, { parameter: { CmdType: "QUERY_CPU_INFO" } });
    const answered = async (id: unknown) => {
      const post = (await tcp.hear())!, { CmdType, SequenceId } = outer(post.Parameter);
      const reply = { CmdType, SequenceId, Status: "0", Percent: "7" };
      await tcp.send({ Result: 0, ID: post.ID, return_Parameter: inner(reply) });
      return (await p.call("GET", `/api/v1/commands/${id}?wait=20`)).body.status;
    };
    const before = await command();
    clock.jump(jump);
    assertEquals(await answered(before.body.id), "succeeded", "one under way");
    // A minute with its heartbeat: longer than any look for the silent.
    await clock.advance(59_000);
    assertEquals(await udp.ask({ RPCMethod: "Hb", MAC: me.mac }, p.ports.access!), { Result: 0 });
    assertEquals((await p.call("GET", path)).body.online, true);
    assertEquals((await p.call("GET", "/healthz")).body.status, "up");
    assertEquals(await answered((await command()).body.id), "succeeded", "one of after it");

    // A gateway that says nothing more goes offline after its time by the clock that does not jump, not before.
    await clock.advance(100_000);
    assertEquals((await p.call("GET", path)).body.online, true);
    await clock.advance(100_000);
    assertEquals((await p.call("GET", path)).body.online, false);
  });
}
