/**
 * The proof of rollouts: see `scripts/rollout_proof.ts`.
 *
 * @module
 */
import { type Program, startProgram } from "../lib/program.ts";
import { usageOf } from "../lib/usage.ts";
import { SimulatedFleet } from "./fleet.ts";
import { HttpCaller, type Json, preset } from "./operator.ts";

/** What is to be proved. */
export interface ProofOptions {
  readonly gateways: number;
  /** How often the platform's process is killed while the rollout goes on. */
  readonly kills: number;
  /** Share of installations that fail on the gateway. */
  readonly failShare: number;
  readonly maxInFlight: number;
  readonly database?: string | undefined;
}

/** What came out. Times in seconds. */
export interface Proof {
  readonly gateways: number;
  readonly registeredSeconds: number;
  /** From the start of the rollout to its end, all halts included. */
  readonly rolloutSeconds: number;
  /** From the start of a killed platform's next process until it was ready. */
  readonly restartSeconds: readonly number[];
  /** How many gateways had ended when it was killed, and how many were under way. */
  readonly killedAt: readonly { readonly ended: number; readonly underWay: number }[];
  /** Each halt by a threshold, as the rollout told it. */
  readonly halts: readonly string[];
  readonly succeeded: number;
  readonly failed: number;
  /** Failed since nobody knows how it ended: the one truth a platform can tell of an answer that it never got. */
  readonly unknown: number;
  /** Installations that gateways began, and the attempts that the platform wrote down: never fewer. */
  readonly begun: number;
  readonly attempts: number;
  /** Gateways whose state is not true, and why. */
  readonly wrong: readonly string[];
  readonly platformCpuSeconds: number;
}

const TOKEN = "administrator-of-the-proof";
const PLUGIN = "com.example.proof", VERSION = "1.0";
const SOURCE = `export const manifest = { name: "${PLUGIN}", version: "${VERSION}", apiVersion: "2026-11-01",
  commands: { PROOF: { right: "remote" } } };
export const commands = { PROOF: () => ({ Text: "there" }) };
`;
/** How long the whole may take. */
const LIMIT_MS = 1_800_000;

/** Runs the proof. */
export async function proveRollout(options: ProofOptions, say: (line: string) => void): Promise<Proof> {
  const dataDir = await Deno.makeTempDir({ prefix: "gatehouse-rollout-" });
  const stage = new Stage(dataDir, options);
  let fleet: SimulatedFleet | undefined;
  try {
    await stage.start({});
    fleet = new SimulatedFleet({
      first: 0,
      count: options.gateways,
      sockets: Math.min(options.gateways, 8000),
      host: "127.0.0.1",
      distributionPort: stage.ports["distribution"]!,
      accessPort: stage.ports["access"]!,
      pluginCenterPort: stage.ports["plugin_center"]!,
      jitter: 0.05,
      // What is lost while the platform is down is asked again after a second, not after a minute.
      timing: { heartbeatMs: 60_000, answerWaitMs: 5_000 },
      channel: { idleMs: 4_000 },
      fetchPackages: true,
      failShare: options.failShare,
    });
    return await prove(options, stage, fleet, say);
  } finally {
    fleet?.stop();
    await stage.stop();
    await Deno.remove(dataDir, { recursive: true });
  }
}

async function prove(
  options: ProofOptions,
  stage: Stage,
  fleet: SimulatedFleet,
  say: (line: string) => void,
): Promise<Proof> {
  const { gateways } = options, began = performance.now();
  const seconds = (since: number) => Math.round((performance.now() - since) / 100) / 10;
  await preset(stage.operator, 0, gateways);
  const uploaded = await fetch(`${stage.operator.url}/api/v1/plugins`, {
    method: "POST",
    headers: { authorization: `Bearer ${TOKEN}` },
    body: new TextEncoder().encode(SOURCE),
  });
  if (!uploaded.ok) throw new Error(`the plug-in was refused: ${await uploaded.text()}`);
  await uploaded.body?.cancel();
  await fleet.arrive(Date.now(), gateways / 1000 * 1000);
  await until(() => fleet.gateways.every(({ registered }) => registered), "registered");
  const registeredSeconds = seconds(began);
  say(`${gateways} gateways registered after ${registeredSeconds} s`);

  // Brakes at half of what fails: in one of the stages they act for sure, whichever gateways are in it.
  const errorThreshold = Math.floor(options.failShare * 100 / 2);
  const made = await stage.call("POST", "/api/v1/rollouts", {
    name: "proof",
    action: { kind: "install", plugin: PLUGIN, version: VERSION },
    stages: [
      { name: "sample", percent: 20, errorThreshold, successThreshold: 80 },
      { name: "rest", percent: 80, errorThreshold, successThreshold: 80 },
    ],
    maxInFlight: options.maxInFlight,
    perMinute: 1_000_000,
    commandTimeoutMs: 600_000,
    maxAttempts: 1,
  });
  const path = `/api/v1/rollouts/${made.id}`, started = performance.now();
  await stage.call("POST", `${path}/start`);
  const killedAt: { ended: number; underWay: number }[] = [],
    restartSeconds: number[] = [],
    halts: string[] = [];
  let cpu = 0, view: Json;
  for (let said = 0;;) {
    if (performance.now() - started > LIMIT_MS) {
      throw new Error(`the rollout did not end: ${JSON.stringify(view)}`);
    }
    view = await stage.call("GET", path);
    const ended = view.counts.succeeded + view.counts.failed + view.counts.skipped;
    if (performance.now() - said > 5000) {
      said = performance.now();
      say(`  ${seconds(started)} s: ${view.status}, ${JSON.stringify(view.counts)}`);
    }
    // Killed while many are under way, at even parts of the whole.
    if (
      view.status === "running" && killedAt.length < options.kills && view.counts.issued > 0 &&
      ended >= gateways * (killedAt.length + 1) / (options.kills + 1.5)
    ) {
      cpu += await stage.kill();
      killedAt.push({ ended, underWay: view.counts.issued });
      const again = performance.now();
      await stage.start(stage.ports);
      restartSeconds.push(seconds(again));
      say(
        `  killed with ${ended} ended and ${view.counts.issued} under way; ready again after ${
          seconds(again)
        } s`,
      );
      continue;
    }
    if (view.status === "paused" && view.counts.issued === 0) {
      halts.push(String(view.reason));
      say(`  ${seconds(started)} s: halted, ${view.reason}`);
      // An operator has looked, and has those that failed tried again.
      await stage.call("POST", `${path}/retry`);
      continue;
    }
    if (view.status === "finished") break;
    await sleep(200);
  }
  const rolloutSeconds = seconds(started);
  say(`the rollout ended after ${rolloutSeconds} s: ${JSON.stringify(view.counts)}`);
  cpu += await stage.cpu();
  const checked = await check(stage, fleet, path);
  return {
    gateways,
    registeredSeconds,
    rolloutSeconds,
    restartSeconds,
    killedAt,
    halts,
    succeeded: view.counts.succeeded,
    failed: view.counts.failed,
    ...checked,
    platformCpuSeconds: Math.round(cpu),
  };
}

/** Holds every item of the rollout, and its commands, against what the gateway itself did. */
async function check(
  stage: Stage,
  fleet: SimulatedFleet,
  path: string,
): Promise<Pick<Proof, "wrong" | "unknown" | "begun" | "attempts">> {
  const wrong: string[] = [], byMac = new Map(fleet.gateways.map((gateway) => [gateway.mac, gateway]));
  let unknown = 0, begun = 0, attempts = 0;
  for (let cursor: string | undefined, seen = 0;;) {
    const page = await stage.call("GET", `${path}/gateways?limit=500${cursor ? `&cursor=${cursor}` : ""}`);
    for (const item of page.items) {
      seen++;
      const gateway = byMac.get(item.mac);
      const say = (why: string) =>
        wrong.push(
          `${item.mac}: ${why} (item ${JSON.stringify(item)}, ledger ${JSON.stringify(gateway?.ledger)})`,
        );
      if (!gateway) {
        say("no such gateway");
        continue;
      }
      byMac.delete(item.mac);
      const { ledger, plugins } = gateway, there = plugins.get(PLUGIN);
      begun += ledger.begun;
      // Every installation that it began belongs to an attempt that was on disk before it was asked for.
      const { items: commands } = await stage.call("GET", `/api/v1/gateways/${item.mac}/commands?limit=100`);
      const tried = commands.filter((command: Json) => command.kind === "install").reduce(
        (sum: number, command: Json) => sum + command.attempt,
        0,
      );
      attempts += tried;
      if (ledger.begun > tried) say(`it was told to install ${ledger.begun} times in ${tried} attempts`);
      if (commands.some((command: Json) => command.finishedAt === null)) say("a command of it has not ended");
      if (item.status === "succeeded") {
        if (there?.version !== VERSION || !there.run) say("succeeded, but the plug-in does not run there");
      } else if (item.status === "failed") {
        const code = item.error?.code;
        if (code === "outcome_unknown") unknown++;
        else if (code === "install_failed") {
          if (ledger.failed === 0) say("failed by its own word, but it never failed");
          if (there && ledger.done === ledger.begun) say("failed, but every installation was done");
        } else say(`failed as ${code}, which nothing here explains`);
      } else say(`it is left as ${item.status}`);
    }
    cursor = page.next;
    if (!cursor || page.items.length === 0) {
      if (byMac.size > 0) wrong.push(`${byMac.size} gateways are not in the rollout, ${seen} are`);
      return { wrong, unknown, begun, attempts };
    }
  }
}

/** The platform's process, which comes and goes. */
class Stage {
  #program: Program | undefined;
  ports: Readonly<Record<string, number>> = {};
  operator!: HttpCaller;

  constructor(private readonly dataDir: string, private readonly options: ProofOptions) {}

  /** Starts it on these ports; where none are given, on the system's choice. */
  async start(ports: Readonly<Record<string, number>>): Promise<void> {
    const at = (name: string) => [
      `--${name}`,
      `127.0.0.1:${ports[name] ?? ports[name.replaceAll("-", "_")] ?? 0}`,
    ];
    this.#program = await startProgram("platform", [
      ...["http", "distribution", "access", "plugin-center", "push"].flatMap(at),
      ...["--advertise", "127.0.0.1", "--log-level", "error"],
      ...(this.options.database === undefined ? [] : ["--database", this.options.database]),
    ], { dataDir: this.dataDir, env: { GATEHOUSE_ADMIN_TOKEN: TOKEN }, timeoutMs: 120_000 });
    this.ports = this.#program.ports;
    this.operator = new HttpCaller(`http://127.0.0.1:${this.ports["http"]}`, TOKEN);
  }

  /** Kills it as nothing can that it could hear of; tells its processor seconds. */
  async kill(): Promise<number> {
    const cpu = await this.cpu();
    this.#program!.kill("SIGKILL");
    await this.#program!.status;
    return cpu;
  }

  async cpu(): Promise<number> {
    return (await usageOf(this.#program!.pid))?.cpuSeconds ?? 0;
  }

  async stop(): Promise<void> {
    await this.#program?.[Symbol.asyncDispose]();
  }

  /** Calls the API; throws where it does not answer as it should. */
  async call(method: string, path: string, body?: unknown): Promise<Json> {
    const answer = await this.operator.call(method, path, body);
    if (answer.status >= 400) {
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  }
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (const began = performance.now(); !holds(); await sleep(100)) {
    if (performance.now() - began > LIMIT_MS) throw new Error(`still not ${what}`);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
