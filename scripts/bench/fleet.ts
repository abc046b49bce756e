/**
 * A fleet on one node, by the load tool: memory of registered gateways and of live channels, commands over those
 * channels, and everybody at once.
 *
 * `deno task bench fleet[=SHARE]` · default 1: 200,000 gateways at rest, 10,000 channels with 2,000 commands a second,
 * a storm of 100,000. A share of them, such as 0.01, shows that all works. The storm needs 17,000 open files for each of
 * its processes, and 24 GB hold all of this easily.
 *
 * @module
 */
import { ADMIN_TOKEN } from "../../tests/support/platform.ts";
import { usageOf } from "../lib/usage.ts";
import { runLoad } from "../load.ts";
import { readOptions } from "../load/options.ts";
import type { LoadReport, Stretch } from "../load/report.ts";
import { startPlatformProcess } from "./platform.ts";
import { type BenchRow, printRows } from "./rows.ts";
import { script } from "./servers/start.ts";

const AT_REST = 200_000, FEW = 1_000, CHANNELS = 10_000, COMMANDS = 2000, STORM = 100_000;
/** Sockets that simulated gateways share, and those of one process where each has one: below the limit of open files. */
const SHARED_SOCKETS = 15_000, CHANNEL_SOCKETS = 2_000, OWN_SOCKETS = 17_000;
/** Registrations that the platform lets in a second: its default, which is what the storm is held against. */
const RATE = 1000;

/** Measures; about eight minutes, half of which is the storm. */
export async function benchFleet(share = 1): Promise<BenchRow[]> {
  const part = (count: number) => Math.max(10, Math.round(count * share));
  return [
    ...await atRest(part(AT_REST), part(FEW)),
    ...await channels(part(CHANNELS), part(COMMANDS)),
    ...await storm(part(STORM)),
  ];
}

/** Memory by gateways that registered in an earlier life, each with a heartbeat a minute. */
async function atRest(many: number, few: number): Promise<BenchRow[]> {
  const run = (gateways: number) =>
    load({ resumed: true, gateways, sockets: Math.min(gateways, SHARED_SOCKETS), for: 70 });
  const small = await run(few), large = await run(many), { heartbeats, lost } = large.counts;
  const before = stretch(small, "traffic").platformMiB,
    { platformMiB, platformCpu, seconds } = stretch(large, "traffic");
  return [
    { name: `memory at rest with ${count(few)} gateways`, value: before, unit: "MiB" },
    {
      name: `memory at rest with ${count(many)} gateways`,
      ...{ value: platformMiB, unit: "MiB", ratio: platformMiB / before },
      goal: "400 MiB with 200,000",
    },
    {
      name: "  memory of a registered gateway",
      value: (platformMiB - before) * 1024 / (many - few),
      unit: "KiB",
    },
    { name: "  the platform's processor time, of one core", value: platformCpu / seconds, unit: "" },
    {
      name: `  heartbeats lost, of ${count(heartbeats)}`,
      value: lost,
      unit: "",
      ratio: lost / heartbeats,
      goal: "0",
    },
    ...droppedBy(large),
    { name: "  heartbeat, p50", value: large.times.heartbeat.p50, unit: "ms" },
    { name: "  heartbeat, p99", value: large.times.heartbeat.p99, unit: "ms" },
  ];
}

/** Memory by live channels, beside that of a bare connection; commands over them at two rates. */
async function channels(channels: number, perSecond: number): Promise<BenchRow[]> {
  const run = (commands: number) =>
    load({
      ...{ resumed: true, gateways: channels, sockets: Math.min(channels, CHANNEL_SOCKETS) },
      ...{ channels, commands, for: 15 },
    });
  const bare = await bareConnection(channels), idle = await run(20), busy = await run(perSecond);
  const before = stretch(idle, "arrival").platformMiB, opened = stretch(idle, "channels");
  const each = (opened.platformMiB - before) * 1024 / channels;
  const calm = idle.times.command, crowded = busy.times.command;
  const { seconds, platformCpu, toolCpu } = stretch(busy, "traffic"), done = crowded.count / seconds;
  return [
    { name: `a bare TCP connection, of ${count(channels)}`, value: bare, unit: "KiB" },
    {
      name: `a live channel, of ${count(idle.channels)}`,
      value: each,
      unit: "KiB",
      ratio: each / bare,
      goal: "12 KiB",
    },
    {
      name: "  opening all of them",
      value: opened.seconds,
      unit: "s",
      ratio: opened.seconds / (channels / RATE),
    },
    { name: "commands at 20 a second over them, p50", value: calm.p50, unit: "ms" },
    { name: "commands at 20 a second over them, p99", value: calm.p99, unit: "ms" },
    {
      name: `commands at ${count(perSecond)} a second over them, p50`,
      value: crowded.p50,
      unit: "ms",
      ratio: crowded.p50 / calm.p50,
    },
    {
      name: `commands at ${count(perSecond)} a second over them, p99`,
      value: crowded.p99,
      unit: "ms",
      ratio: crowded.p99 / calm.p99,
    },
    { name: "  of them done", value: done, unit: "/s", ratio: done / perSecond, goal: "1" },
    {
      name: "  failed, at both rates",
      value: idle.counts.httpFailed + busy.counts.httpFailed,
      unit: "",
      goal: "0",
    },
    {
      name: "  the platform's processor time, of one core",
      value: platformCpu / seconds,
      unit: "",
    },
    {
      name: "  that of the load tool, which times include",
      value: toolCpu / seconds,
      unit: "",
    },
  ];
}

/** KiB that a connection takes on a server that does nothing but to echo. */
async function bareConnection(connections: number): Promise<number> {
  await using target = await script("tcp_echo.ts", ["--allow-net=127.0.0.1"]);
  await using stack = new AsyncDisposableStack();
  const open = async (many: number) => {
    for (let i = 0; i < many; i++) {
      const connection = stack.use(await Deno.connect({ hostname: "127.0.0.1", port: Number(target.port) }));
      await connection.write(new Uint8Array(1));
      await connection.read(new Uint8Array(1));
    }
    return (await usageOf(target.pid))!.rssMiB;
  };
  const before = await open(1);
  return (await open(connections) - before) * 1024 / connections;
}

/** All of a fleet within one second, through distribution and access. */
async function storm(gateways: number): Promise<BenchRow[]> {
  await using platform = await startPlatformProcess(
    "--receiver",
    "thread",
    "--registration-rate",
    String(RATE),
  );
  const { ports, pid } = platform, processes = Math.ceil(gateways / OWN_SOCKETS);
  const report = await load({
    ...{
      platform: `http://127.0.0.1:${ports["http"]}`,
      token: ADMIN_TOKEN,
      pid,
      "access-port": ports["access"]!,
    },
    ...{ "distribution-port": ports["distribution"]!, "plugin-center-port": ports["plugin_center"]! },
    ...{ gateways, processes, sockets: OWN_SOCKETS, arrive: 1, for: 0, patience: 600 },
  });
  const { counts, times, registered } = report, seconds = times.comeUp.max / 1000;
  const arrival = stretch(report, "arrival"), least = gateways / RATE;
  return [
    {
      name: `a storm of ${count(gateways)} in one second: at least, at ${count(RATE)}/s`,
      value: least,
      unit: "s",
    },
    { name: "  the last one had registered after", value: seconds, unit: "s", ratio: seconds / least },
    { name: "  registered in the end", value: registered, unit: "", ratio: registered / gateways, goal: "1" },
    { name: "  put off, times", value: counts.deferred, unit: "", ratio: counts.deferred / gateways },
    {
      name: "  questions without an answer",
      value: counts.unanswered,
      unit: "",
      ratio: counts.unanswered / gateways,
    },
    {
      name: `  heartbeats lost meanwhile, of ${count(counts.heartbeats)}`,
      ...{ value: counts.lost, unit: "", ratio: counts.lost / counts.heartbeats },
    },
    ...droppedBy(report),
    { name: "  heartbeat meanwhile, p99", value: times.heartbeat.p99, unit: "ms" },
    {
      name: "  the platform's processor time, of one core",
      value: arrival.platformCpu / arrival.seconds,
      unit: "",
    },
    { name: "  its memory", value: arrival.platformMiB, unit: "MiB" },
  ];
}

/** Runs the load tool with these of its options. */
async function load(options: Readonly<Record<string, string | number | true>>): Promise<LoadReport> {
  const read = readOptions(
    Object.entries(options).map(([name, value]) => value === true ? `--${name}` : `--${name}=${value}`),
  );
  if (read === "help") throw new Error("no help was asked for");
  return await runLoad(read);
}

/** Datagrams that the platform never saw; nothing where the kernel does not tell. */
function droppedBy({ dropped }: LoadReport): BenchRow[] {
  return dropped === undefined ? [] : [{ name: "  dropped by the kernel", value: dropped, unit: "" }];
}

function stretch(report: LoadReport, name: string): Stretch {
  return report.stretches.find((one) => one.name === name)!;
}

function count(n: number): string {
  return n.toLocaleString("en");
}

if (import.meta.main) printRows("A fleet on one node", await benchFleet(...Deno.args.map(Number)));
