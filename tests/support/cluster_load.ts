/**
 * Load on a cluster: operators' commands, phone apps' posts and rollouts one after the other, over any node; and what
 * they were told, held against what the gateways did.
 *
 * @module
 */
import { AppUser, type Ask } from "./app_user.ts";
import { HealthChecks } from "./health_checks.ts";
import { type Answer, type ClusterGateway, type Nodes, until } from "./nodes.ts";

type Json = Record<string, unknown>;

/** What the load came to. */
export interface Judgement {
  /** Commands that a node answered for, and how they ended. */
  readonly acknowledged: number;
  readonly ended: Readonly<Record<string, number>>;
  /** Posts of apps among them. */
  readonly byApps: number;
  /** Rollouts that came to an end, and gateways that they began with. */
  readonly rollouts: number;
  readonly rolledOut: number;
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
  readonly app: boolean;
  id?: string;
}

/** How long a command of an operator may take, and a post of an app: somebody holds a phone. */
const COMMAND_MS = 20_000;
const POST_MS = 10_000;
/** Gateways that a rollout begins with in a minute: one a second, so that one is always under way. */
const PER_MINUTE = 60;
/** Answers by which a node says that it has taken nothing, and that another one may. */
export const NOT_TAKEN: readonly unknown[] = ["stopping", "no_lease"];

/** Who asks, and what they were told. */
export class ClusterLoad {
  readonly errors: { readonly at: number; readonly what: string }[] = [];
  readonly #asked: Asked[] = [];
  readonly #rollouts: { readonly id: string; readonly tag: string }[] = [];
  readonly #asking: Promise<void>[] = [];
  readonly #health: HealthChecks;
  #stopped = false;
  #cutOff = 0;
  #refused = 0;
  #turn = 0;

  constructor(
    private readonly nodes: Nodes,
    private readonly fleet: readonly ClusterGateway[],
    private readonly over: AbortSignal,
    /** Gateways that nobody but rollouts asks anything. */
    private readonly besides: readonly ClusterGateway[] = [],
  ) {
    this.#health = new HealthChecks(nodes, over);
  }

  /** Begins to ask: `users` share the gateways among them. */
  async begin(askers: number, users: number): Promise<void> {
    const ask: Ask = (method, path, body, token) => this.#anyNode(this.#turn++, method, path, body, token);
    for (let i = 0; i < users; i++) {
      const own = this.fleet.filter((_, at) => at % users === i);
      const user = await AppUser.begin(ask, `user.${i}`, own.map(({ me }) => me));
      this.#asking.push(this.#use(user, `u${i}`, own));
    }
    for (let i = 0; i < askers; i++) this.#asking.push(this.#ask(i));
    this.#asking.push(this.#roll());
  }

  /** Asks nothing more; resolves when all have had their answers. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#asking);
    await this.#health[Symbol.asyncDispose]();
  }

  get #going(): boolean {
    return !this.#stopped && !this.over.aborted;
  }

  /** An operator's program: one command after the other, of one node after the other. */
  async #ask(asker: number): Promise<void> {
    for (let n = 0; this.#going; n++) {
      const { mac } = this.fleet[(asker * 7 + n) % this.fleet.length]!.me, tag = `${asker}-${n}`;
      await this.#one(
        { tag, mac, app: false },
        () =>
          this.#anyNode(asker + n, "POST", `/api/v1/gateways/${mac}/commands?wait=10`, {
            parameter: { CmdType: "ASK", Tag: tag },
            timeoutMs: COMMAND_MS,
          }),
      );
    }
  }

  /** A user's app: one post after the other. */
  async #use(user: AppUser, name: string, own: readonly ClusterGateway[]): Promise<void> {
    for (let n = 0; this.#going; n++) {
      const { mac } = own[n % own.length]!.me, tag = `${name}-${n}`;
      await this.#one({ tag, mac, app: true }, () => user.post(mac, { CmdType: "ASK", Tag: tag }, POST_MS));
      await pause(100); // at most so many posts a second are a user's
    }
  }

  async #one(asked: Asked, ask: () => Promise<{ status: number; body: Json }>): Promise<void> {
    this.#asked.push(asked);
    const who = asked.app ? "app: " : "";
    try {
      const { status, body } = await ask();
      if (status === 200 || status === 202) asked.id = String(body.id);
      else {
        this.#refused++;
        this.#note(`${who}${status} ${body.code}`);
      }
      const code = (body.error as { code?: string } | undefined)?.code;
      if (body.status === "failed" || body.status === "timed_out") {
        this.#note(`${who}${body.status}: ${code}`);
      }
    } catch (error) {
      this.#cutOff++;
      this.#note(`${who}${error} ${(error as Error).cause ?? ""}`);
      await pause(50); // nobody listens there now
    }
  }

  /** One rollout to all gateways after the other. */
  async #roll(): Promise<void> {
    for (let n = 0; this.#going; n++) {
      const tag = `roll-${n}`;
      const made = await this.#steadily("POST", "/api/v1/rollouts", {
        name: tag,
        action: { kind: "post", parameter: { CmdType: "ASK", Tag: tag } },
        maxInFlight: 4,
        perMinute: PER_MINUTE,
        commandTimeoutMs: COMMAND_MS,
        stages: [{ percent: 100, successThreshold: 0, errorThreshold: 100 }],
      }, 201);
      const id = String(made.id);
      await this.#steadily("POST", `/api/v1/rollouts/${id}/start`, {}, 200, 409); // 409: it was begun, unheard
      this.#rollouts.push({ id, tag });
      while (this.#going && (await this.#steadily("GET", `/api/v1/rollouts/${id}`)).status === "running") {
        await pause(500);
      }
    }
  }

  /** Asks until one of the expected answers comes: what is asked so may be asked twice. */
  #steadily(method: string, path: string, body?: unknown, ...good: number[]): Promise<Json> {
    return until(`${method} ${path}`, async () => {
      const answer = await this.#anyNode(this.#turn++, method, path, body).catch(() => undefined);
      return answer && (good.length === 0 ? [200] : good).includes(answer.status) && answer.body;
    }, 60_000);
  }

  /**
   * As a balancer before the nodes does: one that is out is left out, one that falls silent has its requests cut off,
   * and where nobody listens or a node takes nothing, the next one is tried.
   */
  async #anyNode(
    first: number,
    method: string,
    path: string,
    body?: unknown,
    token?: string,
  ): Promise<Answer> {
    const turns = [first, first + 1, first + 2].map((i) => i % 3),
      well = turns.filter((i) => !this.#health.out(i));
    const order = well.length > 0 ? well : turns;
    for (const [i, node] of order.entries()) {
      const last = i === order.length - 1;
      try {
        const limit = AbortSignal.any([AbortSignal.timeout(2 * COMMAND_MS), this.#health.silent(node)]);
        const answer = await this.nodes.call(node, method, path, body, limit, token);
        if (last || answer.status !== 503 || !NOT_TAKEN.includes(answer.body.code)) return answer;
      } catch (error) {
        const { message, cause } = error as Error;
        if (last || !/refused/i.test(`${message} ${cause}`)) throw error;
      }
    }
    throw new TypeError("there are no nodes");
  }

  #note(what: string): void {
    this.errors.push({ at: performance.now(), what });
  }

  /** Looks how everything ended, and whether that is true. */
  async judge(): Promise<Judgement> {
    const breaches: string[] = [], ended: Record<string, number> = {};
    const done = new Map([...this.fleet, ...this.besides].map(({ me, done }) => [me.mac, done]));
    const timesOf = (mac: string, tag: string) => done.get(mac)!.get(tag) ?? 0;
    let rolledOut = 0;
    for (const { id, tag } of this.#rollouts) {
      const end = await until(`the end of ${tag}`, async () => {
        const body = await this.#steadily("GET", `/api/v1/rollouts/${id}`);
        return body.status !== "running" && body;
      }, 120_000).catch(() => ({ status: "never ended" }) as Json);
      if (end.status !== "finished") breaches.push(`${tag} is ${end.status}: ${end.reason}`);
      const { items } = await this.#steadily("GET", `/api/v1/rollouts/${id}/gateways?limit=200`);
      for (const item of items as { mac: string; status: string; error: { code: string } | null }[]) {
        const times = timesOf(item.mac, tag), what = `${tag} of ${item.mac}`;
        rolledOut += times;
        if (times > 1) breaches.push(`${what} was done ${times} times`);
        if (item.status === "succeeded" && times !== 1) {
          breaches.push(`${what} is told to have succeeded and was done ${times} times`);
        } else if (item.error?.code === "not_delivered" && times > 0) {
          breaches.push(`${what} is told undelivered and was done`);
        }
      }
    }
    const judgeOne = async ({ tag, mac, id }: Asked, i: number) => {
      const times = timesOf(mac, tag);
      if (times > 1) {
        const shown = id && (await this.nodes.call(i % 3, "GET", `/api/v1/commands/${id}`)).body;
        breaches.push(`${tag} was done ${times} times: ${JSON.stringify(shown)}`);
      }
      if (id === undefined) return;
      const { body } = await until(`the end of ${tag}`, async () => {
        const answer = await this.nodes.call(i % 3, "GET", `/api/v1/commands/${id}?wait=5`).catch(() =>
          undefined
        );
        if (answer?.status === 404) return answer;
        const open = ["queued", "sent", "acked"].includes(String(answer?.body.status));
        return answer?.status === 200 && !open ? answer : undefined;
      }, 60_000).catch(() => ({ body: { status: "never ended" } as Json }));
      const code = (body.error as { code?: string } | null)?.code;
      const end = code === undefined ? String(body.status) : `${body.status} ${code}`;
      ended[end] = (ended[end] ?? 0) + 1;
      const reply = body.reply as { Tag?: string } | null;
      if (body.status === undefined || body.status === 404) {
        breaches.push(`${tag} was acknowledged and is lost`);
      } else if (body.status === "never ended") breaches.push(`${tag} never ended`);
      else if (body.status === "succeeded" && (times !== 1 || reply?.Tag !== tag)) {
        breaches.push(`${tag} is told to have succeeded and was done ${times} times`);
      } else if (code === "not_delivered" && times > 0) {
        breaches.push(`${tag} is told undelivered and was done`);
      }
    };
    for (let at = 0; at < this.#asked.length; at += 50) {
      await Promise.all(this.#asked.slice(at, at + 50).map(judgeOne));
    }
    const known = this.#asked.filter(({ id }) => id !== undefined);
    return {
      acknowledged: known.length,
      byApps: known.filter(({ app }) => app).length,
      ended,
      rollouts: this.#rollouts.length,
      rolledOut,
      cutOff: this.#cutOff,
      refused: this.#refused,
      breaches,
      kinds: this.kinds,
    };
  }

  /** What went wrong for callers, by kind. */
  get kinds(): Record<string, number> {
    const kinds: Record<string, number> = {};
    for (const { what } of this.errors) kinds[what.slice(0, 80)] = (kinds[what.slice(0, 80)] ?? 0) + 1;
    return kinds;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
