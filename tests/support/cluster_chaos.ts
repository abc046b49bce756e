/**
 * Breaks a cluster under load, again and again, and holds what it said against what its gateways did.
 *
 * @module
 */
import { ClusterLoad, type Judgement } from "./cluster_load.ts";
import { BEAT_MS, ClusterGateway, NATS, startNodes } from "./nodes.ts";
import { startOwnNats } from "./own_nats.ts";
import { startOwnPostgres } from "./own_postgres.ts";
import { identity } from "./scripted_gateway.ts";

/** What breaks. */
export type Fault =
  /** `kill -9` of one node, which is started again. */
  | "kill"
  /** SIGSTOP of one node for twice its lease. */
  | "pause"
  /** SIGTERM of one node, which is started again. */
  | "drain"
  /** The NATS server is killed, and started again. */
  | "nats"
  /** The PostgreSQL server is stopped as a crash would, and started again. */
  | "postgres";

/** How it is broken. */
export interface ChaosOptions {
  readonly faults: readonly Fault[];
  readonly gateways?: number;
  /** Operators' programs that ask at the same time, each one command after the other. */
  readonly askers?: number;
  /** Users of phone apps, each of whom asks one of their gateways after the other. */
  readonly users?: number;
  /** Between a gateway's heartbeats. Long ones, as in life, mean that gateways stay with the node that they had. */
  readonly beatMs?: number;
  readonly leaseSeconds?: number;
  /** Of load before the first fault, and after each. */
  readonly calmMs?: number;
  readonly onFault?: (fault: Fault, seen: FaultSeen) => void;
}

/** What was seen of one fault. */
export interface FaultSeen {
  /** From the fault until the last answer that failed because of it; 0 where none did. */
  readonly windowMs: number;
  readonly errors: number;
}

/** What it came to. */
export interface ChaosResult extends Judgement {
  readonly faults: Readonly<Record<string, { times: number; worstWindowMs: number; errors: number }>>;
}

/** How long what was killed stays away. */
const AWAY_MS = 2000;

/** Runs it. */
export async function clusterChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { gateways: many = 24, askers = 12, users = 4, leaseSeconds = 3, calmMs = 6000 } = options;
  const { beatMs = BEAT_MS } = options;
  const { faults } = options;
  await using stack = new AsyncDisposableStack();
  const postgres = faults.includes("postgres") ? stack.use(await startOwnPostgres()) : undefined;
  const nats = faults.includes("nats") ? stack.use(await startOwnNats()) : undefined;
  const nodes = stack.use(
    await startNodes({
      count: 3,
      leaseSeconds,
      heartbeatSeconds: Math.max(5, Math.ceil(beatMs / 1000)),
      nats: nats?.url ?? NATS,
      ...(postgres ? { database: `postgres://postgres@127.0.0.1:${postgres.port}/postgres` } : {}),
    }),
  );
  const fleet = Array.from({ length: many }, (_, i) => new ClusterGateway(identity(i + 1)));
  for (const gateway of fleet) stack.use(gateway);
  await nodes.preset(...fleet.map(({ me }) => me));
  const over = new AbortController(), lives: Promise<void>[] = [];
  stack.defer(async () => {
    over.abort();
    await Promise.all(lives);
  });
  for (const [i, gateway] of fleet.entries()) {
    await gateway.register(nodes.node(i % 3));
    lives.push(gateway.live(nodes, i % 3, over.signal, beatMs));
  }

  const load = new ClusterLoad(nodes, fleet, over.signal);
  await load.begin(askers, users);
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await pause(calmMs);
  const seen: Record<string, { times: number; worstWindowMs: number; errors: number }> = {};
  for (const [n, fault] of faults.entries()) {
    const i = n % 3, { program } = nodes.node(i), before = load.errors.length, begun = performance.now();
    switch (fault) {
      case "kill":
        program.kill("SIGKILL");
        await program.status;
        await pause(AWAY_MS);
        await nodes.restart(i);
        break;
      case "drain":
        program.kill("SIGTERM");
        await program.status;
        await pause(AWAY_MS);
        await nodes.restart(i);
        break;
      case "pause":
        program.kill("SIGSTOP");
        await pause(2 * leaseSeconds * 1000);
        program.kill("SIGCONT");
        break;
      case "nats":
        await nats!.stop();
        await pause(AWAY_MS);
        await nats!.start();
        break;
      case "postgres":
        await postgres!.stop("immediate");
        await pause(AWAY_MS);
        await postgres!.start();
        break;
    }
    await pause(calmMs);
    const errors = load.errors.slice(before);
    const one = {
      windowMs: Math.round(Math.max(0, ...errors.map(({ at }) => at - begun))),
      errors: errors.length,
    };
    const sum = seen[fault] ??= { times: 0, worstWindowMs: 0, errors: 0 };
    sum.times++;
    sum.errors += one.errors;
    sum.worstWindowMs = Math.max(sum.worstWindowMs, one.windowMs);
    options.onFault?.(fault, one);
  }
  await load.stop();
  return { faults: seen, ...await load.judge() };
}
