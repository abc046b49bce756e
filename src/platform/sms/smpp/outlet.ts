/**
 * The way to a real short-message centre, over SMPP 3.4.
 *
 * @module
 */
import { type Deps, formatHostPort, messageOf, sleep, type Timer } from "../../../base/mod.ts";
import { CmppError, statWithCode } from "../../../protocol/cmpp/mod.ts";
import type {
  Outlet,
  OutletAnswer,
  OutletListener,
  OutletMessage,
  OutletStatus,
  TakenMessage,
} from "../outlet.ts";
import { SmppError } from "./errors.ts";
import { loadSmpp, type SmppLibrary } from "./library.ts";
import { type LinkDeps, SmppLink } from "./link.ts";
import { isAcknowledgement, mobileOriginatedOf, receiptOf, type SmppReceipt, submitSmOf } from "./mapping.ts";
import { SmppCodec, type SmppPdu, Status, textField } from "./pdu.ts";
import { refForms, Refs, samePhone } from "./refs.ts";
import type { SmppSettings } from "./settings.ts";

/** How long a receipt may be ahead of the answer to its submit_sm, in milliseconds. */
const EARLY_MS = 10_000;
/** How long behind a message's validity its receipt may come: a centre reports what expired when it gets to it. */
const GRACE_MS = 60_000;

/** A receipt that is here before the centre has said how it calls the message. */
interface Early {
  readonly receipt: SmppReceipt;
  readonly timer: Timer;
  readonly matched: (msgId: bigint | undefined) => void;
}

/**
 * Keeps one transceiver bound to the centre and connects again after every loss. A submit_sm whose answer is lost with
 * the connection is handed over again: a phone may then get it twice, but no message is lost.
 */
export class SmppOutlet implements Outlet {
  readonly name: string;
  readonly keepsRefs = true;
  readonly receiptGraceMs = GRACE_MS;
  readonly window: number;
  readonly #codec: SmppCodec;
  readonly #refs = new Refs();
  readonly #early = new Set<Early>();
  readonly #stop = new AbortController();
  readonly #count: (event: string) => void;
  #loop: Promise<void> = Promise.resolve();
  #listener: OutletListener | undefined;
  #link: SmppLink | undefined;
  #since: number;
  #lastError: string | undefined;
  /** Messages that are just being handed over: one of them may be the one of a receipt that nobody knows. */
  #submitting = 0;
  #reference = 0;

  private constructor(
    private readonly deps: LinkDeps & Pick<Deps, "metrics">,
    private readonly settings: SmppSettings,
    private readonly library: SmppLibrary,
  ) {
    this.name = `smpp ${formatHostPort(settings.server)}`;
    this.window = settings.window;
    this.#codec = new SmppCodec(library);
    this.#since = deps.clock.now();
    this.#count = (event) =>
      deps.metrics.counter("gatehouse_sms_smpp_total", "What happened between us and the centre", { event })
        .inc();
  }

  /** Loads what it takes to speak SMPP; connects once somebody listens. */
  static async open(deps: LinkDeps & Pick<Deps, "metrics">, settings: SmppSettings): Promise<SmppOutlet> {
    return new SmppOutlet(deps, settings, await loadSmpp());
  }

  get connected(): boolean {
    return this.#link !== undefined;
  }

  status(): OutletStatus {
    return {
      name: this.name,
      connected: this.connected,
      since: this.#since,
      unanswered: this.#link?.unanswered ?? 0,
      unreported: this.#refs.size,
      lastError: this.#lastError,
    };
  }

  restore(messages: Iterable<TakenMessage>): void {
    for (const { ref, msgId, number } of messages) this.#refs.add(ref, { msgId, number });
  }

  listen(listener: OutletListener): void {
    this.#listener = listener;
    this.#loop = this.#run();
  }

  forget(msgId: bigint): void {
    this.#refs.forget(msgId);
  }

  submit(message: OutletMessage): Promise<OutletAnswer> | OutletAnswer {
    const link = this.#link;
    return link ? this.#submit(link, message) : { kind: "busy" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const early of [...this.#early]) early.matched(undefined);
    await this.#link?.end();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { reconnectMs: [first, last] } = this.settings, { signal } = this.#stop, { clock, log } = this.deps;
    for (let pause = first; !signal.aborted;) {
      try {
        const link = await SmppLink.open(
          this.deps,
          this.settings,
          this.#codec,
          (pdu) => this.#deliver(pdu),
          signal,
        );
        this.#set(link, undefined);
        log.info("bound to the short-message centre", { centre: this.name });
        pause = first;
        this.#set(undefined, await link.closed);
      } catch (error) {
        this.#set(undefined, messageOf(error));
      }
      if (signal.aborted) break;
      this.#count("down");
      log.warn("not bound to the short-message centre", { centre: this.name, reason: this.#lastError });
      await sleep(clock, pause, signal).catch(() => {}); // stopped: the loop's condition ends it
      pause = Math.min(pause * 2, last);
    }
  }

  #set(link: SmppLink | undefined, why: string | undefined): void {
    if ((link === undefined) !== (this.#link === undefined)) this.#since = this.deps.clock.now();
    this.#link = link;
    this.#lastError = why;
  }

  #submit(link: SmppLink, message: OutletMessage): Promise<OutletAnswer> {
    this.#submitting++;
    return this.#handOver(link, message).finally(() => void this.#submitting--);
  }

  async #handOver(link: SmppLink, message: OutletMessage): Promise<OutletAnswer> {
    let answer: SmppPdu;
    try {
      answer = await link.request(
        "submit_sm",
        submitSmOf(message, this.settings.alphabet, this.library.gsmCoder),
      );
    } catch (error) {
      // It may have it or not: with a link that is alive it does not answer, which is a Stat of its own.
      if (!(error instanceof SmppError) || error.code === "timeout") {
        this.#count("submit_unanswered");
        return { kind: "refused", stat: statWithCode("MA", 0) };
      }
      return { kind: "busy" };
    }
    const { status } = answer, ref = textField(answer, "message_id");
    if (status === Status.throttled || status === Status.queueFull) {
      this.#count("throttled");
      return { kind: "busy" };
    }
    if (status !== Status.ok || ref === "") {
      this.#count("submit_refused");
      return { kind: "refused", stat: statWithCode("MB", status) };
    }
    const { msgId, submit } = message;
    this.#refs.add(ref, { msgId, number: submit.Dest_terminal_Id[0]! });
    for (const early of this.#early) {
      if (this.#refs.find(early.receipt.ref, early.receipt.number) === msgId) early.matched(msgId);
    }
    return { kind: "accepted", ref };
  }

  /** The command_status for what the centre brings. It hears "ok" once it is on disk. */
  async #deliver(pdu: SmppPdu): Promise<number> {
    try {
      const receipt = receiptOf(pdu);
      if (receipt) {
        await this.#receipt(receipt);
        return Status.ok;
      }
      if (isAcknowledgement(pdu)) {
        this.#count("acknowledgement_ignored");
        return Status.ok;
      }
      return await this.#mobileOriginated(pdu);
    } catch (error) {
      if (error instanceof CmppError) {
        this.deps.log.warn("a message from a phone can't be said in CMPP", { reason: error.message });
        return Status.permanentApplicationError;
      }
      this.deps.log.error("what the centre brought was not kept", { error: messageOf(error) });
      return Status.temporaryApplicationError;
    }
  }

  async #receipt(receipt: SmppReceipt): Promise<void> {
    if (!receipt.final) return;
    const msgId = this.#refs.find(receipt.ref, receipt.number) ?? await this.#findTaken(receipt) ??
      this.#refs.find(receipt.ref, receipt.number) ?? await this.#awaitAnswer(receipt);
    if (msgId === undefined) {
      // Of a message that has ended here, or of somebody else's: the centre need not bring it again.
      this.#count("receipt_unknown");
      this.deps.log.debug("a receipt of no message", { ref: receipt.ref });
      return;
    }
    const smscSequence = /^\d{1,9}$/.test(receipt.ref) ? Number(receipt.ref) : 0;
    await this.#listener?.onReceipt({ msgId, stat: receipt.stat, smscSequence });
    this.#refs.forget(msgId);
  }

  /** The message of a receipt whose name is in the database only. */
  async #findTaken({ ref, number }: SmppReceipt): Promise<bigint | undefined> {
    const found = await this.#listener?.findTaken?.(refForms(ref)) ?? [];
    return found.find((one) => samePhone(one.number, number))?.msgId;
  }

  /** The message of a receipt that overtook the answer to its submit_sm. */
  #awaitAnswer(receipt: SmppReceipt): Promise<bigint | undefined> {
    if (this.#submitting === 0) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const timer = this.deps.clock.setTimer(() => early.matched(undefined), EARLY_MS);
      const early: Early = {
        receipt,
        timer,
        matched: (msgId) => {
          timer.cancel();
          this.#early.delete(early);
          resolve(msgId);
        },
      };
      this.#early.add(early);
    });
  }

  async #mobileOriginated(pdu: SmppPdu): Promise<number> {
    const messages = mobileOriginatedOf(
      pdu,
      this.settings.alphabet,
      this.library.gsmCoder,
      () => this.#reference = (this.#reference + 1) & 0xff,
    );
    const taken = await Promise.all(messages.map((message) => this.#listener?.onMobileOriginated(message)));
    return taken.every((one) => one === true) ? Status.ok : Status.rejectedByApplication;
  }
}
