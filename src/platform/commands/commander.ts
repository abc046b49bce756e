/**
 * Remote commands: taken, kept, queued per gateway, sent when there is a channel, and seen to their end.
 *
 * @module
 */
import { type Deps, messageOf, newId, sleep, type Timer } from "../../base/mod.ts";
import { type CommandRow, isRepeatable } from "../registry/mod.ts";
import { type ConnectionState, Connector } from "./connector.ts";
import { CommandError } from "./errors.ts";
import { Follower } from "./follower.ts";
import { Lanes, type Orphaned } from "./lanes.ts";
import { Ledger } from "./ledger.ts";
import { type CommandCluster, type CommanderParts, type CommandRequest, MOST_OPEN } from "./request.ts";
import { Sender } from "./sender.ts";

/** Commands that may wait for one gateway; tries of a command that may be repeated. */
const QUEUE = 1000;
const TRIES = 3;
/** How long a stopping platform waits for commands under way. */
const DRAIN_MS = 5000;
/** Between looks for commands that lost their node, and how many are taken over at once. */
const ADOPT_MS = 10_000;
const ADOPT_ROWS = 500;
/** How long the node that runs a command may take to take it back. */
const CANCEL_MS = 10_000;

/** Runs every command of the platform. */
export class Commander implements AsyncDisposable {
  readonly #lanes: Lanes;
  readonly #ledger: Ledger;
  readonly #sender: Sender;
  readonly #follower: Follower;
  readonly #connector: Connector;
  readonly #stop = new AbortController();
  #adopting: Promise<void> = Promise.resolve();
  #adoptTimer: Timer | undefined;
  #responder: Disposable | undefined;
  readonly #changes: Disposable;

  private constructor(private readonly deps: Deps, private readonly parts: CommanderParts) {
    const { store, bus, cluster } = parts, stop = this.#stop.signal, several = cluster !== undefined;
    const lanes = this.#lanes = new Lanes(deps.clock);
    const connector = this.#connector = new Connector(
      deps,
      bus,
      (mac) => lanes.waiting(mac) > 0,
      (mac) => this.#sender.pump(mac),
      several,
    );
    this.#ledger = new Ledger(deps, { store, bus, stop }, lanes);
    this.#sender = new Sender(deps, { ...parts, connector, stop }, lanes, this.#ledger);
    this.#follower = new Follower(deps, { store, bus, several, stop }, lanes);
    this.#changes = bus.subscribe("gateway.changed", ({ mac, removed, reassigned }) => {
      if (removed || reassigned) this.#orphan(mac, removed ? "gateway_removed" : "gateway_reassigned");
    });
    deps.metrics.gauge("gatehouse_commands_open", "Commands that have not ended", () => lanes.size);
  }

  /** Starts, and takes up what an earlier process left open. */
  static async start(deps: Deps, parts: CommanderParts): Promise<Commander> {
    const commander = new Commander(deps, parts);
    if (parts.cluster) await commander.#join(parts.cluster);
    else for (const row of await parts.store.open()) await commander.#resume(row);
    return commander;
  }

  /** Among several nodes each command is one node's; those of a node that is gone are taken over. */
  async #join(cluster: CommandCluster): Promise<void> {
    this.#responder = this.parts.bus.respond("command.cancel", ({ id }) => this.#cancelHere(id));
    cluster.onGone(({ node }) => {
      this.#connector.gone(node);
      void this.#adopt();
    });
    cluster.onRejoined(() => {
      for (const job of this.#lanes.all()) this.#ledger.abandon(job);
    });
    const again = () => {
      this.#adoptTimer = this.deps.clock.setTimer(() => void this.#adopt().then(again), ADOPT_MS);
    };
    again();
    await this.#adopt();
  }

  #adopt(): Promise<void> {
    return this.#adopting = this.#adopting.then(async () => {
      try {
        while (!this.#stop.signal.aborted) {
          const rows = await this.parts.store.takeOver(this.parts.cluster!.self, ADOPT_ROWS);
          for (const row of rows) await this.#resume(row);
          if (rows.length > 0) this.deps.log.info("commands taken over", { count: rows.length });
          if (rows.length < ADOPT_ROWS) return;
        }
      } catch (error) {
        this.deps.log.warn("commands could not be taken over, trying again", { error: messageOf(error) });
      }
    });
  }

  /**
   * Takes a command. When this resolves its row is on disk.
   * @throws {CommandError} `queue_full`, `too_many_commands`, `stopping` or `no_lease`; and what storage throws: then there is no command
   */
  async create(request: CommandRequest): Promise<CommandRow> {
    if (this.#stop.signal.aborted) {
      throw new CommandError("stopping", "the platform is stopping: ask again later");
    }
    if (this.parts.cluster?.held === false) {
      throw new CommandError(
        "no_lease",
        "this node is out of touch with the others: ask again, or another node",
      );
    }
    const known = request.id === undefined ? undefined : await this.find(request.id);
    if (known) return known;
    const { mac } = request, waiting = this.#lanes.waiting(mac);
    if (waiting >= QUEUE) {
      throw new CommandError("queue_full", `${QUEUE} commands wait for gateway ${mac} already`);
    }
    const parameter = JSON.stringify(request.parameter ?? {}),
      { commands, chars } = this.parts.most ?? MOST_OPEN;
    if (this.#lanes.size >= commands || this.#lanes.chars + parameter.length > chars) {
      throw new CommandError("too_many_commands", "too many commands are open on this node: ask again later");
    }
    const now = this.deps.clock.now();
    // Where it can go out at once its row says so from the start: one write less on the way.
    const exclusive = request.kind !== "post" || !request.concurrent;
    const atOnce = waiting === 0 && this.#connector.isOpen(mac) && this.#lanes.hasRoom(mac, exclusive);
    const row: CommandRow = {
      id: request.id ?? newId(),
      mac,
      kind: request.kind,
      plugin: request.plugin,
      version: request.version,
      parameter,
      actor: request.actor,
      status: atOnce ? "sent" : "queued",
      result: null,
      reply: null,
      error_code: null,
      error: null,
      progress: null,
      attempt: atOnce ? 1 : 0,
      created_at: now,
      deadline_at: now + request.timeoutMs,
      sent_at: atOnce ? now : null,
      acked_at: null,
      finished_at: null,
      exclusive: exclusive ? 1 : 0,
      repeatable: request.repeatable ?? isRepeatable(request.kind) ? 1 : 0,
      max_attempts: request.retry?.attempts ?? TRIES,
      retry_delay_ms: request.retry?.delayMs ?? null,
      ...this.parts.cluster?.self,
    };
    const job = this.#lanes.add(row);
    if (atOnce) this.#lanes.began(job);
    try {
      await this.parts.store.insert(row);
    } catch (error) {
      this.#lanes.forget(job);
      if (atOnce) this.#sender.ended(job);
      throw error;
    }
    // This node was given up meanwhile and has joined anew: the row is of its earlier life, and is taken over.
    if (job.abandoned) {
      if (atOnce) this.#sender.ended(job);
    } else if (!atOnce) this.#sender.enqueue(job);
    else if (job.orphaned) {
      await this.#ledger.orphan(job, job.orphaned);
      this.#sender.ended(job);
    } else void this.#sender.run(job);
    return { ...row };
  }

  /** The command as it is now; undefined where there is none. */
  find(id: string): Promise<CommandRow | undefined> {
    return this.#follower.find(id);
  }

  /** Waits for a command's end, at most `ms`: answers it as it is then. */
  wait(id: string, ms: number, signal?: AbortSignal): Promise<CommandRow | undefined> {
    return this.#follower.wait(id, ms, signal);
  }

  /**
   * A command as it is now and after each change, until it has ended or the signal aborts. Changes that come faster
   * than they are taken are told as one.
   */
  follow(id: string, signal: AbortSignal): AsyncGenerator<CommandRow> {
    return this.#follower.follow(id, signal);
  }

  /**
   * Takes a command back that still waits, and asks the gateway to give an installation up that is under way: true,
   * and the row tells how that went. Whatever else is under way or has ended stays as it is: false.
   */
  async cancel(id: string): Promise<boolean> {
    if (!this.parts.cluster || this.#lanes.get(id)) return await this.#cancelHere(id);
    return await this.parts.bus.request("command.cancel", { id }, CANCEL_MS);
  }

  /** A gateway is no longer whom its commands were for: those that wait are not sent, and nothing is sent again. */
  #orphan(mac: string, why: Orphaned): void {
    for (const job of this.#lanes.of(mac)) {
      job.orphaned = why;
      if (this.#lanes.unqueue(job)) void this.#ledger.orphan(job, why);
    }
  }

  async #cancelHere(id: string): Promise<boolean> {
    const job = this.#lanes.get(id);
    if (!job) return false;
    if (this.#lanes.unqueue(job)) {
      await this.#ledger.finish(job, { status: "cancelled" });
      return true;
    }
    if (job.row.kind !== "install") return false;
    job.unwanted = true;
    return true;
  }

  /** Wants the gateway on its channel for `forMs`. */
  connect(mac: string, forMs: number): void {
    this.#connector.want(mac, forMs);
  }

  connection(mac: string): ConnectionState {
    return this.#connector.state(mac);
  }

  /** Takes no more commands, gives those under way a moment, and leaves the rest to the next process. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new CommandError("stopping", "the platform is stopping"));
    const over = new AbortController();
    await Promise.race([
      this.#lanes.idle(),
      sleep(this.deps.clock, DRAIN_MS, over.signal).catch(() => {}),
    ]);
    over.abort();
    this.#responder?.[Symbol.dispose]();
    this.#changes[Symbol.dispose]();
    this.#adoptTimer?.cancel();
    await this.#adopting;
    this.#connector[Symbol.dispose]();
    for (const { timer } of this.#lanes.all()) timer?.cancel();
    await this.#ledger.flush();
  }

  async #resume(row: CommandRow): Promise<void> {
    const job = this.#lanes.add(row);
    if (row.status !== "queued" && !row.repeatable) {
      const error = this.parts.cluster
        ? "the node that ran the command went away while it was under way: whether it was done is not known"
        : "the platform was restarted while the command was under way: whether it was done is not known";
      return await this.#ledger.finish(job, { status: "failed", error_code: "outcome_unknown", error });
    }
    if (row.status !== "queued") {
      this.#ledger.explain(row, "restarted", "the platform was restarted while it was under way");
      this.#ledger.note(job, { status: "queued" });
    }
    this.#sender.enqueue(job);
  }
}
