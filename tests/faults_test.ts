/**
 * kill -9 of each process in the middle of a command: everything comes back by itself to what was asked for, and the
 * command ends.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { descendants, startProgram } from "../scripts/lib/program.ts";
import { type Fleet, startFleet } from "./support/fleet.ts";

/** Answers only when its three seconds are over: long enough to be killed in the middle of. */
const SLOW = `
export const manifest = { name: "slow", version: "1.0", apiVersion: "2026-11-01",
  commands: { HANG: { right: "remote" }, HELLO: { right: "remote" } }, limits: { callMs: 3000 } };
export const commands = { HANG: () => new Promise(() => {}), HELLO: () => ({ Text: "hello" }) };`;

async function hang(fleet: Fleet): Promise<string> {
  const { body } = await fleet.command({ CmdType: "HANG" });
  let row = body;
  await fleet.until("taken up", async () => (row = await fleet.look(body.id)).status !== "queued");
  assertEquals(row.status, "sent", JSON.stringify(row));
  return String(body.id);
}

async function assertWorks(fleet: Fleet): Promise<void> {
  const { body } = await fleet.command({ CmdType: "HELLO" }, 20);
  assertEquals(
    [body.status, (body.reply as { Text: string })?.Text],
    ["succeeded", "hello"],
    JSON.stringify(body),
  );
}

Deno.test("the platform is killed in mid-command: it knows its gateways, the command ends, the next one works", async () => {
  await using fleet = await startFleet();
  await fleet.plugin("slow.js", SLOW);
  await fleet.until("loaded", () => fleet.runs("slow"));
  await assertWorks(fleet);
  const id = await hang(fleet);
  fleet.platform.kill("SIGKILL");
  await fleet.platform.status;
  await fleet.restartPlatform();
  const row = await fleet.look(id);
  assertEquals([row.status, (row.error as { code: string }).code], ["failed", "outcome_unknown"]);
  await assertWorks(fleet);
});

Deno.test("the gateway is killed in mid-command: the command ends, it registers anew and its plug-ins are as they were", async () => {
  await using fleet = await startFleet();
  await fleet.plugin("slow.js", SLOW);
  await fleet.plugin(
    "rests.js",
    SLOW.replaceAll('"slow"', '"rests"').replaceAll("HANG", "H2").replaceAll("HELLO", "H3"),
  );
  await fleet.until("loaded", async () => await fleet.runs("slow") && await fleet.runs("rests"));
  await fleet.control("POST", "/api/v1/plugins/rests/stop");
  const id = await hang(fleet);
  const [host] = await descendants(fleet.gateway.pid);
  fleet.gateway.kill("SIGKILL");
  await fleet.gateway.status;
  const row = await fleet.look(id, 10);
  assertEquals([row.status, (row.error as { code: string }).code], ["failed", "outcome_unknown"]);
  await fleet.until(
    "the plug-in host ends with its gateway",
    async () => !(await descendants(1)).includes(host!),
  );
  await fleet.restartGateway();
  await fleet.until("loaded", () => fleet.runs("slow"));
  assertEquals(await fleet.runs("rests"), false);
  await assertWorks(fleet);
});

Deno.test("the gateway is killed while plug-ins are stuck in built-ins: their host ends soon after it", async () => {
  await using fleet = await startFleet();
  const stuck = SLOW.replace(
    "HANG: () => new Promise(() => {})",
    `HANG: () => { [].join.call({ length: 2e15 }); }`,
  )
    .replace("callMs: 3000", "callMs: 20000, cpuMs: 500");
  await fleet.plugin("slow.js", stuck);
  await fleet.until("loaded", () => fleet.runs("slow"));
  const [host] = await descendants(fleet.gateway.pid);
  await hang(fleet);
  fleet.gateway.kill("SIGKILL");
  await fleet.gateway.status;
  await fleet.until("the host ends", async () => !(await descendants(1)).includes(host!), 5_000);
});

Deno.test("the plug-in host is killed in mid-command: the command ends, the plug-ins run again, the heartbeat went on", async () => {
  await using fleet = await startFleet();
  await fleet.plugin("slow.js", SLOW);
  await fleet.until("loaded", () => fleet.runs("slow"));
  const id = await hang(fleet), [host] = await descendants(fleet.gateway.pid);
  Deno.kill(host!, "SIGKILL");
  const row = await fleet.look(id, 10);
  assertEquals(row.status, "failed", JSON.stringify(row));
  await fleet.until("running again", () => fleet.runs("slow"));
  await assertWorks(fleet);
  assertEquals((await fleet.shown()).online, true);
  const [again] = await descendants(fleet.gateway.pid);
  assert(again && again !== host);
});

Deno.test("both ends are told to stop: they do so in good order, and quickly", async () => {
  await using fleet = await startFleet();
  const begun = performance.now();
  fleet.gateway.kill("SIGTERM");
  fleet.platform.kill("SIGTERM");
  assertEquals((await fleet.gateway.status).code, 0, fleet.gateway.log());
  assertEquals((await fleet.platform.status).code, 0, fleet.platform.log());
  assert(performance.now() - begun < 10_000);
  await assertRestart(fleet);
});

async function assertRestart(fleet: Fleet): Promise<void> {
  await using again = await startProgram("platform", fleet.platformArgs, {
    dataDir: fleet.platform.dataDir,
    env: fleet.env,
  });
  assertEquals(again.log().includes("ERROR"), false);
}
