/**
 * Breaks a cluster under load, again and again, and holds what it said against what its gateways did.
 *
 * @module
 */
import { type Answer, ClusterGateway, NATS, type Nodes, startNodes, until } from "./nodes.ts";
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
  /** Programs that ask at the same time, each one command after the other. */
  readonly askers?: number;
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
export interface ChaosResult {
  readonly faults: Readonly<Record<string, { times: number; worstWindowMs: number; errors: number }>>;
  /** Commands that a node answered for, and how they ended. */
  readonly acknowledged: number;
  readonly ended: Readonly<Record<string, number>>;
  /** Questions that were cut off: nobody answered for them. */
  readonly cutOff: number;
  readonly refused: number;
  /** Breaches of what a cluster promises; none is what is hoped for. */
  readonly breaches: readonly string[];
  /** What callers were told went wrong, by kind. */
  readonly kinds: Readonly<Record<string, number>>;
}

interface Asked {
  readonly tag: string;
  readonly mac: string;
  id?: string;
}

/** How long a node stays away, and how long a command may take. */
const AWAY_MS = 2000;
const COMMAND_MS = 20_000;
/** Answers by which a node says that it has taken nothing, and that another one may. */
const NOT_TAKEN = ["stopping", "no_lease"];

/** Runs it. */
export async function clusterChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { gateways: many = 24, askers = 12, leaseSeconds = 3, calmMs = 6000 } = options;
  const { faults } = options;
  await using stack = new AsyncDisposableStack();
  const postgres = faults.includes("postgres") ? stack.use(await startOwnPostgres()) : undefined;
  const nats = faults.includes("nats") ? stack.use(await startOwnNats()) : undefined;
  const nodes = stack.use(
    await startNodes({
      count: 3,
      leaseSeconds,
      heartbeatSeconds: 5,
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
    lives.push(gateway.live(nodes, i % 3, over.signal));
  }

  const load = new Load(nodes, fleet);
  const asking = Array.from({ length: askers }, (_, i) => load.ask(i, over.signal));
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
  load.stop();
  await Promise.all(asking);
  return { faults: seen, ...await load.judge() };
}

/** Who asks, and what they were told. */
class Load {
  readonly errors: { readonly at: number; readonly what: string }[] = [];
  readonly #asked: Asked[] = [];
  #stopped = false;
  #cutOff = 0;
  #refused = 0;

  constructor(private readonly nodes: Nodes, private readonly fleet: readonly ClusterGateway[]) {}

  stop(): void {
    this.#stopped = true;
  }

  /** Asks one command after the other, of one node after the other. */
  async ask(asker: number, over: AbortSignal): Promise<void> {
    for (let n = 0; !this.#stopped && !over.aborted; n++) {
      const gateway = this.fleet[(asker * 7 + n) % this.fleet.length]!, { mac } = gateway.me;
      const asked: Asked = { tag: `${asker}-${n}`, mac };
      this.#asked.push(asked);
      try {
        const { status, body } = await this.#anyNode(asker + n, {
          path: `/api/v1/gateways/${mac}/commands?wait=10`,
          body: { parameter: { CmdType: "ASK", Tag: asked.tag }, timeoutMs: COMMAND_MS },
        });
        if (status === 200 || status === 202) asked.id = String(body.id);
        else {
          this.#refused++;
          this.#note(`${status} ${body.code}`);
        }
        const code = (body.error as { code?: string } | undefined)?.code;
        if (body.status === "failed") this.#note(`failed: ${code}`);
      } catch (error) {
        this.#cutOff++;
        this.#note(`${error} ${(error as Error).cause ?? ""}`);
        await new Promise((resolve) => setTimeout(resolve, 50)); // nobody listens there now
      }
    }
  }

  /** As a balancer before the nodes does: where nobody listens, or a node takes nothing, the next one is tried. */
  async #anyNode(first: number, { path, body }: { path: string; body: unknown }): Promise<Answer> {
    for (let i = 0;; i++) {
      try {
        const answer = await this.nodes.call(
          (first + i) % 3,
          "POST",
          path,
          body,
          AbortSignal.timeout(2 * COMMAND_MS),
        );
        if (i === 2 || answer.status !== 503 || !NOT_TAKEN.includes(String(answer.body.code))) return answer;
      } catch (error) {
        const { message, cause } = error as Error;
        if (i === 2 || !/refused/i.test(`${message} ${cause}`)) throw error;
      }
    }
  }

  #note(what: string): void {
    this.errors.push({ at: performance.now(), what });
  }

  /** Looks how everything ended, and whether that is true. */
  async judge(): Promise<Omit<ChaosResult, "faults">> {
    const breaches: string[] = [], ended: Record<string, number> = {};
    let acknowledged = 0;
    const done = new Map(this.fleet.map(({ me, done }) => [me.mac, done]));
    const judgeOne = async ({ tag, mac, id }: Asked, i: number) => {
      const times = done.get(mac)!.get(tag) ?? 0;
      if (times > 1) {
        const shown = id && (await this.nodes.call(i % 3, "GET", `/api/v1/commands/${id}`)).body;
        breaches.push(`${tag} was done ${times} times: ${JSON.stringify(shown)}`);
      }
      if (id === undefined) return;
      acknowledged++;
      const { body } = await until(`the end of ${tag}`, async () => {
        const answer = await this.nodes.call(i % 3, "GET", `/api/v1/commands/${id}?wait=5`).catch(() =>
          undefined
        );
        if (answer?.status === 404) return answer;
        const open = ["queued", "sent", "acked"].includes(String(answer?.body.status));
        return answer?.status === 200 && !open ? answer : undefined;
      }, 60_000).catch(() => ({ body: { status: "never ended" } as Record<string, unknown> }));
      const code = (body.error as { code?: string } | null)?.code;
      const end = code === undefined ? String(body.status) : `${body.status} ${code}`;
      ended[end] = (ended[end] ?? 0) + 1;
      const reply = body.reply as { Tag?: string } | null;
      if (body.status === undefined) breaches.push(`${tag} was acknowledged and is lost`);
      else if (body.status === "never ended") breaches.push(`${tag} never ended`);
      else if (body.status === "succeeded" && (times !== 1 || reply?.Tag !== tag)) {
        breaches.push(`${tag} is told to have succeeded and was done ${times} times`);
      } else if (code === "not_delivered" && times > 0) {
        breaches.push(`${tag} is told undelivered and was done`);
      }
    };
    for (let at = 0; at < this.#asked.length; at += 50) {
      await Promise.all(this.#asked.slice(at, at + 50).map(judgeOne));
    }
    return { acknowledged, ended, cutOff: this.#cutOff, refused: this.#refused, breaches, kinds: this.kinds };
  }

  /** What went wrong for callers, by kind. */
  get kinds(): Record<string, number> {
    const kinds: Record<string, number> = {};
    for (const { what } of this.errors) kinds[what.slice(0, 80)] = (kinds[what.slice(0, 80)] ?? 0) + 1;
    return kinds;
  }
}
