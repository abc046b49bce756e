// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * The load tool: `deno run -A scripts/load.ts --help`.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { RESUMED_DEVRND } from "./load/gateway.ts";
import { LINE_ADDRESS, SimulatedFleet } from "./load/fleet.ts";
import type { FleetReport, FleetSettings } from "./load/fleet.ts";
import { appLoad, commandLoad, HttpCaller, manyConnections, PhoneApp, preset } from "./load/operator.ts";
import { HELP, type LoadOptions, readOptions } from "./load/options.ts";
import { childFleet, type FleetHandle, handleOf, serveFleet } from "./load/processes.ts";
import { comparison, type LoadReport, reportOf, type Sample, type Stretch, textOf } from "./load/report.ts";
import { Tally } from "./load/tally.ts";
import { type Program, startProgram } from "./lib/program.ts";
import { datagramsDropped, machineTime, usageOf } from "./lib/usage.ts";

const TOKEN = "administrator-of-the-load-tool";

/** The platform under load. */
interface Target {
  readonly url: string;
  readonly token: string;
  readonly pid: number | undefined;
  readonly distributionPort: number | undefined;
  readonly accessPort: number;
  readonly pluginCenterPort: number;
}

/** Runs a load and tells of it. */
export async function runLoad(
  options: LoadOptions,
  say: (line: string) => void = () => {},
): Promise<LoadReport> {
  await using folder = options.resumed ? await earlierLife(options, say) : undefined;
  await using program = options.platform === undefined
    ? await startPlatform(options, folder?.dataDir)
    : undefined;
  const target = targetOf(options, program);
  using client = manyConnections();
  const tally = new Tally(), operator = new HttpCaller(target.url, target.token, tally, client);
  const { fleets, local } = makeFleets(options, target);
  const meter = new Meter(target, fleets);
  try {
    if (!options.resumed) {
      await meter.begin("preset");
      await preset(operator, options.first, options.gateways);
      say(await meter.end());
    }

    await meter.begin("arrival");
    // A moment from now, so that all processes begin together.
    const at = Date.now() + (options.processes > 1 ? 2000 : 50);
    if (options.resumed) local!.resume();
    else void Promise.all(fleets.map((fleet) => fleet.arrive(at, options.arrive * 1000)));
    const latest = at + (options.arrive + options.patience) * 1000;
    await watch(options, fleets, say, (sum) => sum.registered >= options.gateways || Date.now() > latest);
    say(await meter.end());

    if (options.channels > 0) {
      await meter.begin("channels");
      const each = Math.ceil(options.channels / fleets.length);
      await Promise.all(
        fleets.map((fleet, i) =>
          fleet.openChannels(Math.max(0, Math.min(each, options.channels - i * each)))
        ),
      );
      const until = Date.now() + options.patience * 1000;
      await watch(options, fleets, say, (sum) => sum.channels >= options.channels || Date.now() > until);
      say(await meter.end());
    }
    const apps: PhoneApp[] = [];
    for (const gateway of local?.gateways.slice(0, options.apps) ?? []) {
      apps.push(await PhoneApp.start(operator.as(undefined), gateway));
    }

    await meter.begin("traffic");
    const samples: Sample[] = [];
    for (const fleet of fleets) await fleet.rebind(options.rebind / fleets.length);
    const forMs = options.for * 1000, began = performance.now();
    const traffic = Promise.all([
      options.commands > 0
        ? commandLoad(operator, tally, {
          perSecond: options.commands,
          forMs,
          first: options.first,
          among: options.channels || options.gateways,
        })
        : undefined,
      appLoad(apps, tally, { perSecond: options.appCalls, forMs }),
    ]);
    await watch(options, fleets, say, async () => {
      const second = (performance.now() - began) / 1000, usage = target.pid && await usageOf(target.pid);
      if (usage && second >= samples.length * options.every) {
        samples.push({ second, platformMiB: usage.rssMiB });
      }
      return second >= options.for;
    });
    for (const fleet of fleets) await fleet.rebind(0);
    await traffic;
    say(await meter.end());

    // The last heartbeats get their time too.
    for (const fleet of fleets) await fleet.quiet();
    const patience = Date.now() + 6_000;
    const last = await watch(options, fleets, () => {}, (sum) => sum.pending === 0 || Date.now() > patience);
    for (const report of last.reports) tally.merge(report.tally);
    return reportOf(tally, {
      options: { ...options, token: undefined },
      stretches: meter.stretches,
      registered: last.registered,
      channels: last.channels,
      dropped: await datagramsDropped(target.accessPort),
      samples,
    });
  } finally {
    await Promise.all(fleets.map((fleet) => fleet.stop()));
  }
}

/** A folder with the database of a platform at which the gateways registered before it was stopped. */
async function earlierLife(
  options: LoadOptions,
  say: (line: string) => void,
): Promise<AsyncDisposable & { readonly dataDir: string }> {
  const dataDir = await Deno.makeTempDir({ prefix: "gatehouse-load-" });
  {
    await using program = await startPlatform(options, dataDir);
    await preset(
      new HttpCaller(`http://127.0.0.1:${program.ports["http"]}`, TOKEN),
      options.first,
      options.gateways,
    );
  }
  const database = new DatabaseSync(`${dataDir}/platform.db`);
  database.prepare("update gateway set registered_at = ?, online = 1, dev_rnd = ?, address = ?")
    .run(Date.now(), RESUMED_DEVRND, `${LINE_ADDRESS}:1`);
  database.close();
  say(`${options.gateways} gateways have registered in an earlier life`);
  return { dataDir, [Symbol.asyncDispose]: () => Deno.remove(dataDir, { recursive: true }) };
}

async function startPlatform(options: LoadOptions, dataDir?: string): Promise<Program> {
  const any = (name: string) => [`--${name}`, "127.0.0.1:0"];
  return await startProgram("platform", [
    ...["http", "distribution", "access", "plugin-center", "push"].flatMap(any),
    ...["--advertise", "127.0.0.1", "--heartbeat", String(options.heartbeat), "--log-level", "warn"],
    ...(options.database === undefined ? [] : ["--database", options.database]),
  ], {
    env: { GATEHOUSE_ADMIN_TOKEN: TOKEN },
    timeoutMs: 60_000,
    ...(dataDir === undefined ? {} : { dataDir }),
  });
}

function targetOf(options: LoadOptions, program: Program | undefined): Target {
  if (!program) {
    return {
      url: options.platform!.replace(/\/$/, ""),
      token: options.token ?? Deno.env.get("GATEHOUSE_ADMIN_TOKEN") ?? "",
      pid: options.pid,
      distributionPort: options.stored ? undefined : options.distributionPort,
      accessPort: options.accessPort!,
      pluginCenterPort: options.pluginCenterPort ?? 12114,
    };
  }
  const { ports } = program;
  return {
    url: `http://127.0.0.1:${ports["http"]}`,
    token: TOKEN,
    pid: program.pid,
    distributionPort: options.stored ? undefined : ports["distribution"],
    accessPort: ports["access"]!,
    pluginCenterPort: ports["plugin_center"]!,
  };
}

function makeFleets(options: LoadOptions, target: Target): { fleets: FleetHandle[]; local?: SimulatedFleet } {
  const { processes, gateways, first, sockets, jitter, heartbeat } = options;
  const each = options.resumed ? gateways : Math.ceil(gateways / processes);
  const settings = (i: number): FleetSettings => ({
    first: first + i * each,
    count: Math.min(each, gateways - i * each),
    sockets,
    block: i,
    host: new URL(target.url).hostname,
    distributionPort: target.distributionPort,
    accessPort: target.accessPort,
    pluginCenterPort: target.pluginCenterPort,
    jitter,
    timing: { heartbeatMs: heartbeat * 1000 },
  });
  if (processes === 1 || options.resumed) {
    const local = new SimulatedFleet(settings(0));
    return { fleets: [handleOf(local)], local };
  }
  const script = new URL("./load.ts", import.meta.url).pathname;
  return { fleets: Array.from({ length: processes }, (_, i) => childFleet(script, settings(i))) };
}

interface Sum {
  readonly reports: readonly FleetReport[];
  readonly registered: number;
  readonly channels: number;
  readonly pending: number;
}

/** Looks at the fleets twice a second until that is enough, and says now and then what it sees. */
async function watch(
  options: LoadOptions,
  fleets: readonly FleetHandle[],
  say: (line: string) => void,
  enough: (sum: Sum) => boolean | Promise<boolean>,
): Promise<Sum> {
  let said = Date.now();
  while (true) {
    const reports = await Promise.all(fleets.map((fleet) => fleet.report()));
    const add = (of: (report: FleetReport) => number) => reports.reduce((all, report) => all + of(report), 0);
    const sum: Sum = {
      reports,
      registered: add(({ registered }) => registered),
      channels: add(({ channels }) => channels),
      pending: add(({ pending }) => pending),
    };
    if (await enough(sum)) return sum;
    if (Date.now() - said >= options.every * 1000) {
      said = Date.now();
      const count = (name: keyof FleetReport["tally"]["counts"]) => add(({ tally }) => tally.counts[name]);
      say(
        `  registered ${sum.registered}, channels ${sum.channels}, heartbeats ${count("heartbeats")}, ` +
          `lost ${count("lost")}, deferred ${count("deferred")}, unanswered ${count("unanswered")}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Measures stretches of a run. */
class Meter {
  readonly stretches: Stretch[] = [];
  #name = "";
  #before: Awaited<ReturnType<Meter["look"]>> | undefined;

  constructor(private readonly target: Target, private readonly fleets: readonly FleetHandle[]) {}

  async begin(name: string): Promise<void> {
    this.#name = name;
    this.#before = await this.look();
  }

  /** Ends the stretch; tells of it in a line. */
  async end(): Promise<string> {
    const before = this.#before!, after = await this.look();
    const seconds = after.at - before.at;
    const platformCpu = after.platform.cpuSeconds - before.platform.cpuSeconds;
    const toolCpu = after.toolCpu - before.toolCpu;
    const total = after.machine.total - before.machine.total;
    const busy = total - (after.machine.idle - before.machine.idle);
    this.stretches.push({
      name: this.#name,
      seconds,
      platformCpu,
      toolCpu,
      othersShare: total > 0 ? Math.max(0, (busy - platformCpu - toolCpu) / total) : 0,
      platformMiB: after.platform.rssMiB,
      toolMiB: after.toolMiB,
    });
    return `${this.#name}: ${seconds.toFixed(1)} s, platform ${
      (platformCpu / seconds).toFixed(2)
    } of a core and ` +
      `${after.platform.rssMiB.toFixed(0)} MiB, this tool ${
        (toolCpu / seconds).toFixed(2)
      }; load ${after.machine.load}`;
  }

  async look() {
    const { pid } = this.target;
    const [platform, machine, reports] = await Promise.all([
      pid === undefined ? undefined : usageOf(pid),
      machineTime(),
      Promise.all(this.fleets.map((fleet) => fleet.report())),
    ]);
    const own = (await usageOf(Deno.pid))!, children = this.fleets.length > 1 ? reports : [];
    return {
      at: performance.now() / 1000,
      platform: platform ?? { cpuSeconds: 0, rssMiB: 0 },
      machine,
      toolCpu: own.cpuSeconds + children.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
      toolMiB: own.rssMiB + children.reduce((sum, { rssMiB }) => sum + rssMiB, 0),
    };
  }
}

async function main(args: string[]): Promise<number> {
  if (args[0] === "--worker") {
    await serveFleet(JSON.parse(args[1]!));
    return 0;
  }
  let options;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  if (options === "help") {
    console.log(HELP);
    return 0;
  }
  const report = await runLoad(options, (line) => console.log(line));
  console.log(textOf(report));
  if (options.json) await Deno.writeTextFile(options.json, JSON.stringify(report, null, 2));
  if (options.compare) console.log(comparison(JSON.parse(await Deno.readTextFile(options.compare)), report));
  return report.registered === options.gateways ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
