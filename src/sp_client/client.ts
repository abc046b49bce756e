/**
 * A service provider's client: keeps a connection to a gateway, sends text of any length, matches reports.
 *
 * @module
 */
import { messageOf, sleep, type Timer } from "../base/mod.ts";
import {
  decodeReport,
  decodeText,
  type Deliver,
  fmtFor,
  type Message,
  msgIdInGroup,
  Reassembler,
  Result,
  splitMessage,
  type StatusReport,
  type Submit,
} from "../protocol/cmpp/mod.ts";
import { SpError } from "./errors.ts";
import { Link, type Request } from "./link.ts";
import { settingsOf, type SpDeps, type SpOptions, type SpSettings } from "./options.ts";
import { ReportBook } from "./reports.ts";

/** A text to send. */
export interface TextMessage {
  /** 1 to 99 numbers. */
  readonly to: readonly string[];
  readonly text: string;
  /** SP_Code and what goes behind it. */
  readonly from: string;
  readonly serviceId?: string;
  /** Ask for reports. */
  readonly report?: boolean;
  /** Msg_Fmt. Default: ASCII where it can be, else UCS2. */
  readonly fmt?: number;
  /** Number the parts of a long text with 16 bits (a header of 7 octets) in place of 8 (of 6). */
  readonly wide?: boolean;
  /** Further fields of SUBMIT, as they stand there. */
  readonly fields?: Partial<Omit<Submit, "command" | "sequence">>;
}

/** One part of a text that the gateway has answered. */
export interface SentPart {
  readonly msgId: bigint;
  /** 0: taken; else see `Result`. */
  readonly result: number;
}

/** A message from a phone. */
export interface ReceivedText {
  readonly from: string;
  readonly to: string;
  readonly serviceId: string;
  /** undefined where it is no text. */
  readonly text: string | undefined;
  readonly content: Uint8Array;
  readonly fmt: number;
  /** Where parts of a long text did not come in time: their numbers, from 1. It is without them then. */
  readonly missing?: readonly number[];
}

/**
 * What the client tells of. A handler that throws has the gateway send the same again later.
 *
 * Parts of a long text are answered as they come, because a gateway's window may be smaller than their number: until
 * the last one is here they are in this process's memory only. What stays incomplete for five minutes, and what is
 * incomplete when the client is closed, is told of as it is, with `missing`; it does not come again.
 */
export interface SpHandlers {
  onText?(message: ReceivedText): void | Promise<void>;
  onReport?(report: StatusReport): void | Promise<void>;
  /** Connected (again), or not any more. */
  onLink?(up: boolean, why?: string): void;
}

interface Waiting {
  readonly request: Request;
  readonly settle: PromiseWithResolvers<Message>;
}

const FLOW_PAUSE_MS = 250;
/** How long a long text waits for its next part, in milliseconds. */
const PARTS_MS = 300_000;
/** CONNECT's Status where trying again would be answered alike: structure, address, secret, version (reference §4). */
const FINAL: ReadonlySet<number | undefined> = new Set([1, 2, 3, 4]);

/**
 * The client. It connects by itself and again after every loss; requests wait for that. A request whose answer is lost
 * with the connection is not sent again by itself, since the gateway may have taken it: it rejects with `lost`.
 */
export class SpClient implements AsyncDisposable {
  /** Resolves once the gateway has let it in for the first time; rejects where it refuses. */
  readonly ready: Promise<void>;
  readonly #settings: SpSettings;
  readonly #ready = Promise.withResolvers<void>();
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;
  readonly #waiting: Waiting[] = [];
  readonly #reports: ReportBook;
  readonly #parts = new Reassembler({ timeoutMs: PARTS_MS });
  /** Senders whose whole text a handler has just got: repeats of its parts wait for what becomes of it. */
  readonly #handling = new Set<string>();
  #expiry: Timer | undefined;
  #link: Link | undefined;
  #reference = 0;

  constructor(
    private readonly deps: SpDeps,
    options: SpOptions,
    private readonly handlers: SpHandlers = {},
  ) {
    this.#settings = settingsOf(options);
    this.#reports = new ReportBook(deps.clock, this.#settings.maxReports);
    this.ready = this.#ready.promise;
    this.ready.catch(() => {}); // whoever does not wait for it hears from each request
    this.#loop = this.#run();
  }

  get connected(): boolean {
    return this.#link !== undefined;
  }

  /** Sends a request as soon as the window allows. @throws {SpError} */
  request(request: Request): Promise<Message> {
    if (this.#stop.signal.aborted) return Promise.reject(new SpError("closed", "the client is closed"));
    if (this.#waiting.length >= this.#settings.maxWaiting) {
      return Promise.reject(new SpError("full", `${this.#waiting.length} requests wait already`));
    }
    const waiting: Waiting = { request, settle: Promise.withResolvers() };
    this.#waiting.push(waiting);
    this.#pump();
    return waiting.settle.promise;
  }

  /** Sends one SUBMIT; while the gateway answers 8 it is tried again, for a time. @throws {SpError} */
  async submit(submit: Omit<Submit, "sequence">): Promise<SentPart> {
    const { clock } = this.deps, until = clock.monotonic() + this.#settings.flowControlMs;
    while (true) {
      const answer = await this.request(submit);
      if (answer.command !== "SUBMIT_RESP") {
        throw new SpError("lost", `SUBMIT was answered with ${answer.command}`);
      }
      const { Msg_Id: msgId, Result: result } = answer;
      if (result !== Result.flowControl || clock.monotonic() >= until) return { msgId, result };
      await sleep(clock, FLOW_PAUSE_MS, this.#stop.signal);
    }
  }

  /**
   * Sends a text, in parts where it is long; gives the answer to each part.
   *
   * @throws {SpError}; {@link CmppError} `text`, `too_long` or `value`
   */
  async sendText(message: TextMessage): Promise<SentPart[]> {
    const fmt = message.fmt ?? fmtFor(message.text);
    const wide = message.wide ?? false;
    this.#reference = (this.#reference + 1) & 0xffff;
    const parts = splitMessage(message.text, fmt, {
      reference: wide ? this.#reference : this.#reference & 0xff,
      wide,
    });
    return await Promise.all(parts.map((part) =>
      this.submit({
        ...BLANK,
        ...part,
        Registered_Delivery: message.report ? 1 : 0,
        Service_Id: message.serviceId ?? "",
        Msg_Fmt: fmt,
        Msg_src: this.#settings.spId,
        Src_Id: message.from,
        Dest_terminal_Id: message.to,
        ...message.fields,
      })
    ));
  }

  /**
   * The reports of what was sent to `numbers` numbers; for one that does not come within `ms`: UNKNOWN. At once where
   * the client is closed.
   *
   * @throws {SpError} `full` where too many are waited for already
   */
  reports(parts: readonly SentPart[], numbers = 1, ms = this.#settings.reportMs): Promise<StatusReport[]> {
    const ids = parts.filter(({ result }) => result === Result.ok)
      .flatMap(({ msgId }) => Array.from({ length: numbers }, (_, i) => msgIdInGroup(msgId, i)));
    return Promise.all(ids.map((id) => this.#reports.expect(id, ms)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return await this.#loop;
    const error = new SpError("closed", "the client is closed");
    for (const { settle } of this.#waiting.splice(0)) settle.reject(error);
    this.#stop.abort(error);
    await this.#link?.end();
    await this.#loop;
    this.#reports.stop();
    this.#expiry?.cancel();
    await this.#giveUpParts(Infinity);
  }

  async #run(): Promise<void> {
    const { reconnectMs: [first, last] } = this.#settings, { signal } = this.#stop;
    for (let pause = first; !signal.aborted;) {
      try {
        const link = await Link.open(this.deps, this.#settings, (deliver) => this.#deliver(deliver), signal);
        this.#link = link;
        pause = first;
        this.#ready.resolve();
        this.handlers.onLink?.(true);
        this.#pump();
        const why = await link.closed;
        this.#link = undefined;
        this.handlers.onLink?.(false, why);
      } catch (error) {
        if (signal.aborted) break;
        this.deps.log.warn("not connected", { reason: messageOf(error) });
        if (error instanceof SpError && isFinal(error)) return this.#refuse(error);
        this.handlers.onLink?.(false, messageOf(error));
      }
      await sleep(this.deps.clock, pause, signal).catch(() => {}); // closed: the loop's condition ends it
      pause = Math.min(pause * 2, last);
    }
    this.#ready.reject(new SpError("closed", "the client is closed"));
  }

  /** The gateway does not want this provider: neither would it the next time. */
  #refuse(error: SpError): void {
    this.#ready.reject(error);
    this.#stop.abort(error);
    for (const { settle } of this.#waiting.splice(0)) settle.reject(error);
    this.#reports.stop();
  }

  #pump(): void {
    const link = this.#link;
    while (link && this.#waiting.length > 0 && link.unanswered < this.#settings.window) {
      const { request, settle } = this.#waiting.shift()!;
      let answer: Promise<Message>;
      try {
        answer = link.request(request);
      } catch (error) {
        settle.reject(error); // it does not fit its fields
        continue;
      }
      answer.then(settle.resolve, settle.reject).finally(() => this.#pump());
    }
  }

  /** The Result for a DELIVER. */
  async #deliver(deliver: Deliver): Promise<number> {
    try {
      if (deliver.Registered_Delivery === 1) {
        const report = decodeReport(deliver.Msg_Content);
        this.#reports.match(report);
        await this.handlers.onReport?.(report);
      } else await this.#text(deliver);
      return Result.ok;
    } catch (error) {
      this.deps.log.warn("a delivery was not taken", { reason: messageOf(error) });
      return Result.flowControl;
    }
  }

  async #text(deliver: Deliver): Promise<void> {
    const { Src_terminal_Id, Dest_Id, Service_Id, Msg_Fmt, Msg_Content } = deliver;
    const head: Head = [Src_terminal_Id, Dest_Id, Service_Id, Msg_Fmt], key = JSON.stringify(head);
    if (deliver.TP_udhi !== 1) return await this.#tell(head, Msg_Content);
    const outcome = this.#parts.push(key, Msg_Content, this.deps.clock.now());
    if (outcome.kind === "part") return this.#expireLater();
    if (outcome.kind === "duplicate") {
      if (this.#handling.has(key)) throw new TypeError("the text that this part belongs to is being taken");
      return;
    }
    this.#handling.add(key);
    try {
      await this.#tell(head, outcome.message.content);
    } catch (error) {
      outcome.undo();
      this.#expireLater();
      throw error;
    } finally {
      this.#handling.delete(key);
    }
  }

  async #tell(
    [from, to, serviceId, fmt]: Head,
    content: Uint8Array,
    missing?: readonly number[],
  ): Promise<void> {
    const text = decodeText(content, fmt);
    await this.handlers.onText?.({
      from,
      to,
      serviceId,
      text,
      content,
      fmt,
      ...(missing ? { missing } : {}),
    });
  }

  #expireLater(): void {
    if (this.#stop.signal.aborted) return;
    this.#expiry ??= this.deps.clock.setTimer(() => {
      this.#expiry = undefined;
      if (this.#parts.size > 0) this.#expireLater();
      void this.#giveUpParts(this.deps.clock.now());
    }, PARTS_MS / 10);
  }

  /** Tells of texts whose missing parts are not waited for any more. */
  async #giveUpParts(now: number): Promise<void> {
    for (const { key, content, missing, total } of this.#parts.expire(now)) {
      this.deps.log.warn("a text stays incomplete", { missing: missing.length, parts: total });
      try {
        await this.#tell(JSON.parse(key) as Head, content, missing);
      } catch (error) {
        this.deps.log.error("an incomplete text was not taken", { reason: messageOf(error) });
      }
    }
  }
}

/** From whom, to whom, for which service, in which Msg_Fmt. */
type Head = [from: string, to: string, serviceId: string, fmt: number];

/** Whether the gateway would not want this provider the next time either, or is not what it says. */
function isFinal({ code, status }: SpError): boolean {
  return code === "unproven" || (code === "refused" && FINAL.has(status));
}

/** The fields of a SUBMIT that most messages leave alone. */
const BLANK = {
  command: "SUBMIT",
  Msg_Id: 0n,
  Msg_level: 0,
  Fee_UserType: 2,
  Fee_terminal_Id: "",
  Fee_terminal_type: 0,
  TP_pId: 0,
  FeeType: "01",
  FeeCode: "0",
  ValId_Time: "",
  At_Time: "",
  Dest_terminal_type: 0,
  LinkID: "",
} as const;
