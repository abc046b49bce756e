/**
 * Plug-ins that do their worst on a running gateway: each call ends, the heartbeat is not missed, other plug-ins
 * answer within a second, and the memory comes back.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Fleet, startFleet } from "./support/fleet.ts";

/** What each does when it is called, and what the call may end with. */
const HOSTILE: Readonly<Record<string, string>> = {
  LOOP_IN_JS: "() => { for (;;); }",
  STUCK_IN_BUILT_IN: "() => 'a'.repeat(1e5).repeat(40).indexOf('a'.repeat(2e6) + 'b')",
  SPARSE_SORT: "() => { const a = []; a[4294967294] = 1; a.sort(); return {}; }",
  CATASTROPHIC_REGEXP: "() => /^(a+)+$/.test('a'.repeat(40) + 'b')",
  EAT_MEMORY: "() => { const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1)); }",
  EAT_MEMORY_AS_TEXT: "() => { let s = 'x'; for (;;) s += s + 'y'; }",
  NEST_JSON: "() => JSON.parse('['.repeat(100000) + ']'.repeat(100000))",
  RETURN_NESTED: "() => { let o = {}; for (let i = 0; i < 100000; i++) o = { o }; return o; }",
  RECURSE: "() => { const f = () => f() + 1; return { f: f() }; }",
  NEVER_SETTLE: "() => new Promise(() => {})",
  THROW_ENDLESSLY: "() => { const f = () => { try { f(); } finally { f(); } }; f(); }",
  FLOOD_OF_JOBS:
    "() => { const f = () => Promise.resolve().then(f).then(f); f(); return new Promise(() => {}); }",
};

const FRIEND = `
export const manifest = { name: "friend", version: "1.0", apiVersion: "2026-11-01", commands: { HELLO: { right: "both" } } };
export const commands = { HELLO: () => ({ Text: "hello" }) };`;

function source(name: string, body: string): string {
  return `export const manifest = { name: "evil-${name.toLowerCase().replaceAll("_", "-")}", version: "1.0",
    apiVersion: "2026-11-01", commands: { ${name}: { right: "both" } }, limits: { callMs: 1500 } };
    export const commands = { ${name}: ${body} };`;
}

/** Milliseconds that the friend took to answer over the control API, which leads to the same plug-in host. */
async function friendMs(fleet: Fleet): Promise<number> {
  const begun = performance.now();
  const { body } = await fleet.control("POST", "/api/v1/plugins/friend/call", {
    parameter: { CmdType: "HELLO" },
  });
  assertEquals((body.reply as { Text?: string }).Text, "hello", JSON.stringify(body));
  return performance.now() - begun;
}

for (const [name, body] of Object.entries(HOSTILE)) {
  Deno.test(`a plug-in that does ${name} harms only itself`, async () => {
    await using fleet = await startFleet({ platformArgs: ["--heartbeat", "1"] });
    await fleet.plugin("friend.js", FRIEND);
    await fleet.plugin("evil.js", source(name, body));
    const evil = `evil-${name.toLowerCase().replaceAll("_", "-")}`;
    await fleet.until("loaded", async () => await fleet.runs("friend") && await fleet.runs(evil));
    const before = await fleet.gateway.residentMiB();

    let stillest = 0, watching = true;
    const watch = (async () => {
      while (watching) {
        const { lastSeenAt } = await fleet.shown();
        stillest = Math.max(stillest, Date.now() - Date.parse(String(lastSeenAt)));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    })();
    watch.catch(() => {}); // where the test fails first, the fleet goes away under it
    const { body: row } = await fleet.command({ CmdType: name }, 30);
    const outcome = (row.error as { code: string } | null)?.code;
    assert(outcome === "plugin_timeout" || outcome === "capability_failed", JSON.stringify(row));
    // At once after the worst of it: within a second it answers, if need be from a new host process.
    const deadline = performance.now() + 1000;
    let last: unknown;
    while (true) {
      try {
        assert(await friendMs(fleet) < 1000);
        break;
      } catch (error) {
        last = error;
        if (performance.now() > deadline) throw last;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
    // While it is at it: called, and not waited for.
    const busy = fleet.control("POST", `/api/v1/plugins/${evil}/call`, { parameter: { CmdType: name } });
    await busy;
    await fleet.until("friend again", () => fleet.runs("friend"), 2000);
    await friendMs(fleet);
    watching = false;
    await watch;
    assert(stillest < 2500, `no heartbeat for ${stillest} ms, where one a second is due`);
    await fleet.until(
      "memory comes back",
      async () => await fleet.gateway.residentMiB() < before + 48,
      10_000,
    );
  });
}
