/**
 * A provider that is killed while messages and reports are under way: what it missed comes when it is back.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { TextLineStream } from "./support/lines.ts";
import { testPlatform } from "./support/platform.ts";

/** How often it is killed; `GATEHOUSE_CRASHES=50` for a long run. */
const KILLS = Number(Deno.env.get("GATEHOUSE_CRASHES") ?? 5);
const SP = { spId: "900001", secret: "888888", spCode: "10658888" }, WINDOW = 16;

Deno.test("reports resume when a killed provider is back: none is lost, and only those under way come twice", async () => {
  const local = { host: "127.0.0.1", port: 0 };
  await using platform = await testPlatform({
    settings: { services: ["sms"], sms: { listen: local, short: local, gatewayCode: "001001" } },
  });
  await platform.call("POST", "/api/v1/sms/accounts", { ...SP, ratePerSecond: 100_000, window: WINDOW });
  const taken = new Set<string>(), reported = new Map<string, number>();
  const run = async (count: number, over: () => boolean) => {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-q", "--no-check", "--allow-net=127.0.0.1", "--allow-env=GATEHOUSE_SMS_SECRET"],
        new URL("./support/sp_process.ts", import.meta.url).pathname,
        ...[String(platform.ports.sms), SP.spId, SP.spCode, String(count)],
      ],
      env: { GATEHOUSE_SMS_SECRET: SP.secret },
      stdout: "piped",
    }).spawn();
    let killed = false;
    for await (const line of child.stdout.pipeThrough(new TextLineStream())) {
      const [kind, id] = line.split(" ") as [string, string | undefined];
      if (kind === "T") taken.add(id!);
      if (kind === "R") reported.set(id!, (reported.get(id!) ?? 0) + 1);
      // What it wrote before its end is read to its end.
      if (!killed && over()) {
        killed = true;
        child.kill("SIGKILL");
      }
    }
    await child.status;
  };
  for (let kill = 0; kill < KILLS; kill++) {
    const goal = taken.size + 150 + kill % 10 * 31;
    await run(1_000_000, () => taken.size >= goal);
  }
  // Once more, sending a little: whatever is still owed comes.
  const before = taken.size;
  await run(50, () => taken.size >= before + 50 && [...taken].every((id) => reported.has(id)));
  assert(taken.isSubsetOf(new Set(reported.keys())));
  const twice = [...reported.values()].reduce((sum, times) => sum + times - 1, 0);
  // deno-lint-ignore no-console -- a figure for whoever runs it
  console.log(`  ${taken.size} messages, ${KILLS} kills, ${twice} reports came again`);
  // A report that was written down here and whose answer was on its way, for each kill.
  assert(twice <= KILLS * WINDOW, `${twice} reports came again`);
  const { body } = await platform.call("GET", "/api/v1/sms/messages?state=waiting");
  assertEquals(body.items, []);
});
