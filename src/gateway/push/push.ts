/**
 * Message push as a whole: what takes messages, keeps them and sends them (reference §5).
 *
 * @module
 */
import { encodeBase64 } from "@std/encoding";
import type { Deps, HostPort } from "../../base/mod.ts";
import type { Network } from "../../net/mod.ts";
import { messageMd5, pushTime } from "../../protocol/smart_gateway/mod.ts";
import { PushError } from "./errors.ts";
import { RefusedMessages } from "./refused.ts";
import { Sender, type SenderStatus } from "./sender.ts";
import { DEFAULT_SPOOL_LIMITS, Spool, type SpoolLimits } from "./spool.ts";
import { type SpoolFiles, spoolFolder } from "./spool_files.ts";
import { DEFAULT_PUSH_TIMING, type PushTiming } from "./timing.ts";

/** The longest message, in bytes of its content. */
export const MAX_PUSH_BYTES = 64 * 1024;
/** `Plugin_Name` of the gateway's own messages: no plug-in can have it, as no plug-in's name begins so. */
export const AGENT_NAME = "@gateway";

/** What message push needs beside the house's dependencies. */
export interface PushOptions {
  /** Where the spool is. */
  readonly dir: string;
  readonly mac: string;
  readonly sn: string;
  readonly network: Network;
  readonly limits?: Partial<SpoolLimits> | undefined;
  readonly timing?: Partial<PushTiming> | undefined;
  /** Another disk, for tests. */
  readonly files?: SpoolFiles;
}

/** The spool and its sender, for people. */
export interface PushStatus extends SenderStatus {
  /** Messages that wait, and their bytes on the disk. */
  readonly waiting: number;
  readonly bytes: number;
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** The oldest that waits. */
  readonly oldest?: { readonly plugin: string; readonly time: string };
  /** Since the start. */
  readonly taken: number;
  readonly delivered: number;
  readonly refused: number;
  readonly notTaken: number;
}

interface Counts {
  taken: number;
  delivered: number;
  refused: number;
  notTaken: number;
}

/** Takes messages and sees to it that the platform gets them. */
export class MessagePush implements AsyncDisposable {
  readonly #counts: Counts = { taken: 0, delivered: 0, refused: 0, notTaken: 0 };
  readonly #limits: SpoolLimits;
  readonly #sender: Sender;
  readonly #refused: RefusedMessages;
  /** Told once when messages had to be turned away, until the spool is half empty again. */
  onFull: () => void = () => {};
  /** Told when that is so. */
  onRoom: () => void = () => {};
  #full = false;

  private constructor(
    private readonly deps: Deps,
    private readonly options: PushOptions,
    files: SpoolFiles,
    private readonly spool: Spool,
  ) {
    const { metrics } = deps;
    this.#limits = { ...DEFAULT_SPOOL_LIMITS, ...options.limits };
    metrics.gauge("gatehouse_push_spool_messages", "Messages that wait for the platform", () => spool.depth);
    metrics.gauge("gatehouse_push_spool_bytes", "Their bytes on the disk", () => spool.bytes);
    this.#refused = new RefusedMessages(files, deps.log);
    this.#sender = new Sender({
      ...deps,
      network: options.network,
      timing: { ...DEFAULT_PUSH_TIMING, ...options.timing },
      spool,
      delivered: () => {
        this.#count("delivered");
        if (spool.bytes * 2 < this.#limits.maxBytes && spool.depth * 2 < this.#limits.maxMessages) {
          if (this.#full) this.onRoom();
          this.#full = false;
        }
      },
      refused: async (record, result) => {
        this.#count("refused");
        await this.#refused.keep(record, result);
      },
      lost: ({ seq, plugin }) =>
        deps.log.error("a pushed message is damaged on the disk: lost", { seq, plugin }),
    });
    spool.onAdded = () => this.#sender.wake();
  }
  /** Opens the spool, cuts off what was never finished, and begins. Throws where the folder can't be used. */
  static async open(deps: Deps, options: PushOptions): Promise<MessagePush> {
    const log = deps.log.with({ part: "push" });
    const files = options.files ?? await spoolFolder(options.dir);
    const limits = { ...DEFAULT_SPOOL_LIMITS, ...options.limits };
    const spool = await Spool.open(files, { log, limits, own: AGENT_NAME });
    return new MessagePush({ ...deps, log }, options, files, spool);
  }

  /**
   * Takes a message of `plugin`. Once this resolves it is on the disk, and reaches the platform even if the gateway is
   * killed. Messages of one plug-in arrive in the order of these calls.
   *
   * @throws {PushError} it was not taken
   */
  async push(plugin: string, content: string | Uint8Array): Promise<void> {
    try {
      await this.spool.add(this.#made(plugin, content));
    } catch (error) {
      this.#count("notTaken");
      if (error instanceof PushError && error.code === "full" && !this.#full) {
        this.#full = true;
        this.deps.log.warn("the push spool is full: messages are turned away", { waiting: this.spool.depth });
        this.onFull();
      }
      throw error;
    }
    this.#count("taken");
  }

  /** Where messages go; undefined: the platform takes none. Registration says it anew each time. */
  target(messageServer: HostPort | undefined): void {
    this.#sender.target(messageServer);
  }

  get status(): PushStatus {
    const { spool } = this, { head } = spool;
    return {
      ...this.#sender.status,
      waiting: spool.depth,
      bytes: spool.bytes,
      maxMessages: this.#limits.maxMessages,
      maxBytes: this.#limits.maxBytes,
      ...(head && { oldest: { plugin: head.plugin, time: head.time } }),
      ...this.#counts,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sender[Symbol.asyncDispose]();
    await this.spool.close();
    this.#refused.close();
  }

  #count(outcome: keyof Counts): void {
    this.#counts[outcome]++;
    this.deps.metrics.counter("gatehouse_push_messages_total", "Messages for the platform by outcome", {
      outcome: outcome === "notTaken" ? "not_taken" : outcome,
    }).inc();
  }

  #made(plugin: string, content: string | Uint8Array) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    if (bytes.length > MAX_PUSH_BYTES) {
      throw new PushError("too_large", `a message has at most ${MAX_PUSH_BYTES} bytes, not ${bytes.length}`);
    }
    const message = encodeBase64(bytes), { mac, sn } = this.options;
    // The platform takes what has the same second, content, MAC and SN for a repeat: the next free second is taken.
    for (let now = withinReach(this.deps.clock.now());; now += 1000) {
      const time = pushTime(now), md5 = messageMd5(time, message, mac, sn);
      if (!this.spool.knows(md5)) return { plugin, time, mac, message, md5 };
    }
  }
}

/** A wall clock that stands before 1970 or after 9000 has no 14 digits. */
function withinReach(now: number): number {
  return Math.min(Math.max(now, 0), Date.UTC(9000, 0, 1));
}
