/**
 * A cluster: nodes in processes of their own over one database and NATS, and gateways that find another node when
 * theirs goes.
 *
 * @module
 */
import { type Program, startProgram } from "../../scripts/lib/program.ts";
import { ADMIN_TOKEN, type Answer, ask } from "./ask.ts";

export type { Answer } from "./ask.ts";
import { dropDatabases, hasPostgres, makeDatabase } from "./postgres.ts";
import { h, type Identity, inner, outer, register, TcpPeer, UdpPeer } from "./scripted_gateway.ts";

type Json = Record<string, unknown>;

/** The NATS server that tests use: on this machine. */
export const NATS = "nats://127.0.0.1:4222";

/** Whether what a cluster stands on is there; and why its tests are ignored where it is not. */
export const there = await hasPostgres() && await hasNats();
export const why = there ? "" : " (ignored: no PostgreSQL on 127.0.0.1:5432, or no NATS on 127.0.0.1:4222)";

async function hasNats(): Promise<boolean> {
  return await Deno.connect({ hostname: "127.0.0.1", port: 4222 }).then((conn) => {
    conn.close();
    return true;
  }, () => false);
}

/** One node. */
export interface Node {
  readonly name: string;
  readonly program: Program;
  readonly url: string;
}

/** How nodes are started. */
export interface NodesOptions {
  readonly count?: number;
  readonly leaseSeconds?: number;
  readonly heartbeatSeconds?: number;
  /** Other servers than those that tests share; perhaps other ways to them for each node. */
  readonly database?: string | ((i: number) => string);
  readonly nats?: string | ((i: number) => string);
  readonly verbose?: boolean;
  /** More settings of every node. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The nodes. Dispose of it to stop them, whatever state they are in, and to remove their database. */
export interface Nodes extends AsyncDisposable {
  readonly all: readonly Node[];
  /** The administrator's, with a JSON body. */
  readonly headers: Readonly<Record<string, string>>;
  node(i: number): Node;
  /** Starts a node again under its name, on its ports. */
  restart(i: number): Promise<Node>;
  /** Asks a node's API as the administrator, or with another token. */
  call(
    i: number,
    method: string,
    path: string,
    body?: unknown,
    signal?: AbortSignal,
    token?: string,
  ): Promise<Answer>;
  preset(...who: Identity[]): Promise<void>;
}

const SERVICES = ["http", "distribution", "access", "plugin-center", "push"];

/** Starts nodes `n1`, `n2` … */
export async function startNodes(options: NodesOptions = {}): Promise<Nodes> {
  const name = `gatehouse_test_${crypto.randomUUID().slice(0, 8)}`;
  const database = options.database ?? await makeDatabase(name), nats = options.nats ?? NATS;
  const of = (value: string | ((i: number) => string), i: number) =>
    typeof value === "string" ? value : value(i);
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-nodes-" });
  const start = async (i: number, ports?: Readonly<Record<string, number>>): Promise<Node> => {
    const node = `n${i + 1}`;
    const program = await startProgram("platform", [
      ...SERVICES.flatMap((service) => [
        `--${service}`,
        `127.0.0.1:${ports?.[service.replace("-", "_")] ?? 0}`,
      ]),
      ...["--advertise", "127.0.0.1", "--database", of(database, i), "--nats", of(nats, i), "--node", node],
      ...[
        "--lease",
        String(options.leaseSeconds ?? 3),
        "--heartbeat",
        String(options.heartbeatSeconds ?? 60),
      ],
      ...options.args ?? [],
    ], {
      dataDir: `${folder}/${node}`,
      env: { GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN, ...options.env },
      ...(options.verbose ? { verbose: true } : {}),
    });
    return { name: node, program, url: `http://127.0.0.1:${program.ports.http}` };
  };
  const all: Node[] = [];
  // The first one makes the tables.
  for (let i = 0; i < (options.count ?? 3); i++) all.push(await start(i));
  const nodes: Nodes = {
    all,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
    node: (i) => all[i]!,
    async restart(i) {
      return all[i] = await start(i, all[i]!.program.ports);
    },
    async call(i, method, path, body, signal, token = ADMIN_TOKEN) {
      // A connection of its own: one that is used again may hide that a request had been sent when its node went.
      using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
      return await ask(all[i]!.url, method, path, body, token, { client, ...(signal ? { signal } : {}) });
    },
    async preset(...who) {
      const { status, body } = await nodes.call(0, "POST", "/api/v1/gateways", who);
      if (status >= 300) throw new Error(`presetting: ${status} ${JSON.stringify(body)}`);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map(async ({ program }) => {
        try {
          program.kill("SIGCONT");
        } catch {
          // it has ended
        }
        await program[Symbol.asyncDispose]();
      }));
      if (!options.database) await dropDatabases(name);
      await Deno.remove(folder, { recursive: true });
    },
  };
  return nodes;
}

/** Looks until it holds. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  ms = 30_000,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (performance.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Between a living gateway's heartbeats unless said otherwise, and how many go unanswered until it tries another node. */
export const BEAT_MS = 500;
const MISSED = 2;

/** A gateway that lives on one node at a time, and counts what it is asked. */
export class ClusterGateway implements AsyncDisposable {
  #udp = new UdpPeer();
  #channel: TcpPeer | undefined;
  #channelLife: Promise<void> = Promise.resolve();
  /** How often each thing was asked of it, by the parameter's `Tag`. */
  readonly done = new Map<string, number>();
  /** What its answers wait for. */
  hold: Promise<void> = Promise.resolve();

  constructor(readonly me: Identity) {}

  /** Registers at a node. */
  async register(node: Node, devRnd = "A".repeat(32)): Promise<void> {
    for (let tries = 0;; tries++) {
      const { Result } = await register(this.#udp, node.program.ports.access!, this.me, devRnd);
      if (Result === 2) return;
      if (tries === 5) throw new Error(`registering at ${node.name}: ${Result}`);
    }
  }

  /** A heartbeat to a node; its answer. */
  beat(node: Node): Promise<Json> {
    return this.#udp.askUntilAnswered({ RPCMethod: "Hb", MAC: this.me.mac }, node.program.ports.access!);
  }

  /** Waits for a trigger and takes it. */
  async triggered(ms = 20_000): Promise<Json> {
    for (;;) {
      const message = await this.#udp.hear(ms);
      if (message.RPCMethod === "RequestPlug-in") {
        return message;
      }
    }
  }

  /** Answers a trigger to a node, without a new DevRND. */
  async accept(node: Node): Promise<void> {
    await this.#udp.send({ Result: 0 }, node.program.ports.access!);
  }

  /** Opens its plug-in channel at a node, and answers there. */
  async connect(node: Node): Promise<void> {
    this.#channel?.[Symbol.dispose]();
    await this.#channelLife;
    const channel = await TcpPeer.connect(node.program.ports["plugin_center"]!);
    const signed = await channel.signIn(this.me);
    if (signed?.Result !== 0) throw new Error(`signing in at ${node.name}: ${JSON.stringify(signed)}`);
    this.#channel = channel;
    this.#channelLife = this.#serve(channel);
  }

  /**
   * Lives until `stop`: sends heartbeats, goes to the next node where none is answered (as a balancer before the nodes
   * would send it), registers where it is told to, and opens its channel where it is called to.
   */
  async live(nodes: Pick<Nodes, "all">, at: number, stop: AbortSignal, beatMs = BEAT_MS): Promise<void> {
    let missed = 0, next = 0;
    const home = () => nodes.all[at % nodes.all.length]!;
    while (!stop.aborted) {
      if (performance.now() >= next) {
        if (missed >= MISSED) [at, missed] = [at + 1, 0];
        await this.#udp.send({ RPCMethod: "Hb", MAC: this.me.mac }, home().program.ports.access!);
        missed++;
        next = performance.now() + beatMs;
      }
      const message = await this.#udp.hear(Math.max(1, Math.min(next - performance.now(), BEAT_MS))).catch(
        () => undefined,
      );
      if (!message) continue;
      if (message.RPCMethod === "RequestPlug-in") {
        const node = nodes.all.find(({ program }) => program.ports["plugin_center"] === message.ServerPort);
        await this.accept(home());
        if (node) void this.connect(node).catch(() => {}); // it is called again
      } else if (message.Result === -3) {
        await this.register(home()).catch(() => {}); // the node is on its way down: the next heartbeat goes elsewhere
        missed = 0;
      } else missed = 0;
    }
  }

  /** Resolves when its channel was closed. */
  get closed(): Promise<void> {
    return this.#channelLife;
  }

  async #serve(channel: TcpPeer): Promise<void> {
    for (;;) {
      const message = await channel.hear();
      if (!message || message.RPCMethod === "Disconnect") return channel[Symbol.dispose]();
      void this.#answer(channel, message);
    }
  }

  async #answer(channel: TcpPeer, message: Json): Promise<void> {
    const reply: Json = { Result: 0, ID: message.ID };
    if (message.RPCMethod === "Post") {
      const asked = outer(message.Parameter), tag = String(asked.Tag ?? "");
      this.done.set(tag, (this.done.get(tag) ?? 0) + 1);
      await this.hold;
      reply.return_Parameter = inner({
        CmdType: asked.CmdType,
        SequenceId: asked.SequenceId,
        Status: "0",
        Tag: tag,
      });
    } else if (message.RPCMethod === "Install_query") {
      reply.Result = 100;
    } else if (typeof message.RPCMethod === "string") {
      const tag = `${message.RPCMethod} ${message.Plugin_Name ?? ""}`;
      this.done.set(tag, (this.done.get(tag) ?? 0) + 1);
      await this.hold;
    }
    await channel.send(reply).catch(() => {}); // the node went away
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#channel?.[Symbol.dispose]();
    await this.#channelLife;
    this.#udp[Symbol.dispose]();
  }
}

export { h };
