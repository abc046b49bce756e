/**
 * One connection of a service provider: from CONNECT to TERMINATE (reference §2, §4).
 *
 * @module
 */
import type { Clock, Timer } from "../../base/mod.ts";
import type { FramedConnection } from "../../net/mod.ts";
import {
  CmppError,
  commandIdOf,
  decodeMessage,
  type DeliverResp,
  type Dialect,
  encodeMessage,
  encodeReport,
  type Message,
  Result,
  type Submit,
} from "../../protocol/cmpp/mod.ts";
import type { Account } from "./accounts.ts";
import type { Carrier } from "./mailbox.ts";
import type { OutboxItem } from "./message.ts";
import type { SmsSettings } from "./settings.ts";

/** What a session needs of the service around it. */
export interface SessionHost {
  readonly clock: Clock;
  readonly settings: SmsSettings;
  /** Decides about a CONNECT; answers it through the session. */
  connect(session: Session, message: Message & { command: "CONNECT" }): void;
  /** Takes a SUBMIT; the Msg_Id and the Result. */
  submit(session: Session, message: Submit): Promise<SubmitOutcome> | SubmitOutcome;
  query(session: Session, message: Message & { command: "QUERY" }): Promise<Message>;
  cancel(session: Session, msgId: bigint): Promise<boolean>;
  /** The provider took an item that went out at `sentAt`, or refused it. */
  taken(item: OutboxItem, result: number, sentAt: number): void;
  /** Items that it did not take, for another connection or time. */
  putBack(session: Session, items: readonly OutboxItem[]): void;
  /** There is room in the window again. */
  room(session: Session): void;
  /** Something happened that is counted: `fault` is a short name of it. */
  fault(session: Session, fault: string): void;
}

/** The answer to a SUBMIT. */
export interface SubmitOutcome {
  readonly msgId: bigint;
  readonly result: number;
}

/** A request of ours that is not answered. */
interface Sent {
  readonly item: OutboxItem | undefined;
  readonly pdu: Uint8Array;
  attempts: number;
  due: number;
}

const MALFORMED: Readonly<Record<string, number>> = { length: Result.length, value: Result.structure };

/** A provider's end of one connection. */
export class Session implements Carrier {
  readonly connectedAt: number;
  /** Set once CONNECT was taken. */
  account: Account | undefined;
  dialect: Dialect = 3;
  version = 0;
  submitted = 0;
  delivered = 0;
  /** Sequence_Ids of SUBMITs that are not answered, with their part numbers: long messages may share one. */
  readonly #working = new Set<number>();
  /** Our requests by Sequence_Id, the longest waiting first. */
  readonly #sent = new Map<number, Sent>();
  #deliveries = 0;
  #sequence = 0;
  #lastTraffic: number;
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #closed = false;

  constructor(
    readonly connection: FramedConnection,
    readonly kind: "long" | "short",
    private readonly host: SessionHost,
  ) {
    this.connectedAt = host.clock.now();
    this.#lastTraffic = host.clock.monotonic();
  }

  /** Names the connection while it is there. */
  get id(): string {
    const { host, port } = this.connection.remote;
    return `${this.kind}-${host}-${port}`;
  }

  /** Requests of the provider that are not answered. */
  get working(): number {
    return this.#working.size;
  }

  /** Deliveries that the provider has not answered. */
  get unanswered(): number {
    return this.#deliveries;
  }

  /** Lets the provider in: from now on it may send, and long connections are tested and delivered to. */
  admit(account: Account, version: number): void {
    this.account = account;
    this.version = version;
    if (this.kind === "short") return this.connection.setIdle(this.host.settings.responseMs);
    this.connection.setIdle(0); // ACTIVE_TEST finds out
    this.#arm();
  }

  send(message: Message): void {
    this.#lastTraffic = this.host.clock.monotonic();
    this.connection.send(encodeMessage(message, this.dialect));
  }

  /** Ends in good order, so that what was answered last still arrives. */
  end(): void {
    this.connection.end();
  }

  /** Says that this side ends the connection, and ends it. */
  terminate(): void {
    this.send({ command: "TERMINATE", sequence: this.#nextSequence() });
    this.end();
  }

  /** The connection is over: what was on its way to the provider goes back. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    const items = [...this.#sent.values()].flatMap(({ item }) => item ?? []);
    this.#sent.clear();
    this.host.putBack(this, items);
  }

  carry(item: OutboxItem): boolean {
    const { account } = this;
    if (!account || this.#closed || !this.connection.open || this.#deliveries >= account.window) return false;
    const sequence = this.#nextSequence();
    let pdu: Uint8Array;
    try {
      if (this.dialect === 3 && item.pdu) pdu = withSequence(item.pdu, sequence);
      else pdu = this.#encode(item, sequence);
    } catch (error) {
      if (!(error instanceof CmppError)) throw error;
      // 2.0 has no room for this (a pseudo code of 32 octets): this version can never be told.
      this.host.fault(this, "undeliverable_in_version");
      this.host.taken(item, Result.length, this.host.clock.now());
      return true;
    }
    const due = this.host.clock.monotonic() + this.host.settings.responseMs;
    this.#sent.set(sequence, { item, pdu, attempts: 1, due });
    this.#deliveries++;
    this.#lastTraffic = this.host.clock.monotonic();
    this.connection.send(pdu);
    this.#arm();
    return true;
  }

  /** A DELIVER in this provider's version. @throws {CmppError} where it has no room for it */
  #encode({ deliver, report }: OutboxItem, sequence: number): Uint8Array {
    // As it is kept, it is in the widths of 3.0.
    const content = report && this.dialect === 2 ? encodeReport(report, 2) : deliver.Msg_Content;
    return encodeMessage({ ...deliver, sequence, Msg_Content: content }, this.dialect);
  }

  /** Handles one PDU. */
  handle(frame: Uint8Array): void | Promise<void> {
    let message: Message;
    try {
      message = decodeMessage(frame, this.dialect);
    } catch (error) {
      if (!(error instanceof CmppError)) throw error;
      return this.#malformed(error);
    }
    this.#lastTraffic = this.host.clock.monotonic();
    if (!this.account) {
      if (message.command === "CONNECT") return this.host.connect(this, message);
      // Nobody has said who this is: there is no version to answer in, and nothing to answer.
      this.host.fault(this, "before_connect");
      return this.connection.close("local", `${message.command} before CONNECT`);
    }
    switch (message.command) {
      case "SUBMIT":
        return this.#submit(message, this.account);
      case "DELIVER_RESP":
        return this.#deliverResp(message);
      case "ACTIVE_TEST":
        return this.send({ command: "ACTIVE_TEST_RESP", sequence: message.sequence, Reserved: 0 });
      case "ACTIVE_TEST_RESP":
        if (this.#sent.get(message.sequence)?.item === undefined) this.#sent.delete(message.sequence);
        return;
      case "TERMINATE":
        this.send({ command: "TERMINATE_RESP", sequence: message.sequence });
        return this.end();
      case "TERMINATE_RESP":
        return this.end();
      case "QUERY":
        return this.host.query(this, message).then((answer) => this.send(answer));
      case "CANCEL":
        return this.host.cancel(this, message.Msg_Id).then((done) =>
          this.send({ command: "CANCEL_RESP", sequence: message.sequence, Success_Id: done ? 0 : 1 })
        );
      default:
        return this.#foreign(message.command);
    }
  }

  #submit(message: Submit, account: Account): void {
    const { sequence } = message, mark = sequence * 256 + message.Pk_number;
    const answer = ({ msgId, result }: SubmitOutcome) =>
      this.send({ command: "SUBMIT_RESP", sequence, Msg_Id: msgId, Result: result });
    if (this.#working.has(mark)) return answer({ msgId: 0n, result: Result.duplicateSequence });
    if (this.#working.size >= account.window) {
      this.host.fault(this, "window_overrun");
      return answer({ msgId: 0n, result: Result.flowControl });
    }
    const outcome = this.host.submit(this, message);
    if (!(outcome instanceof Promise)) return answer(outcome);
    this.#working.add(mark);
    outcome.then((one) => {
      this.#working.delete(mark);
      answer(one);
    });
  }

  #deliverResp({ sequence, Result: result }: DeliverResp): void {
    const sent = this.#sent.get(sequence);
    if (!sent?.item) return this.host.fault(this, "stray_response");
    this.#sent.delete(sequence);
    this.#deliveries--;
    this.delivered++;
    const { clock, settings } = this.host;
    this.host.taken(sent.item, result, clock.now() - (clock.monotonic() - (sent.due - settings.responseMs)));
    this.host.room(this);
  }

  /** A PDU that is none: each request that has a response is told why, where the response can say it. */
  #malformed(error: CmppError): void {
    this.host.fault(this, `malformed_${error.code}`);
    const { commandId, sequence = 0, code } = error;
    if (!this.account) {
      if (commandId === commandIdOf("CONNECT")) {
        return this.host.connect(this, { command: "CONNECT", sequence, ...NOBODY });
      }
      return this.connection.close("local", error.message);
    }
    if (commandId === commandIdOf("SUBMIT")) {
      const result = MALFORMED[code] ?? Result.structure;
      return this.send({ command: "SUBMIT_RESP", sequence, Msg_Id: 0n, Result: result });
    }
    if (commandId === commandIdOf("CANCEL")) {
      return this.send({ command: "CANCEL_RESP", sequence, Success_Id: 1 });
    }
    // What is left has no response that could tell: the peer and we are out of step.
    this.terminate();
  }

  /** A message of the protocol that does not belong on a provider's connection. */
  #foreign(command: string): void {
    this.host.fault(this, `foreign_${command}`);
    this.terminate();
  }

  #nextSequence(): number {
    return this.#sequence = (this.#sequence + 1) >>> 0;
  }

  /** Sets the timer for whatever is due first. */
  #arm(): void {
    if (this.#closed) return;
    const { monotonic } = this.host.clock;
    const [first] = this.#sent.values();
    const quiet = this.kind === "long" ? this.#lastTraffic + this.host.settings.activeTestMs : Infinity;
    const at = Math.min(first?.due ?? Infinity, quiet);
    if (at >= this.#timerAt || at === Infinity) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = this.host.clock.setTimer(() => this.#look(), at - monotonic.call(this.host.clock));
  }

  /** Sends again what was not answered in T, at once, N times in all (reference §2); tests a quiet link. */
  #look(): void {
    this.#timerAt = Infinity;
    if (this.#closed || !this.connection.open) return;
    const { clock, settings } = this.host, now = clock.monotonic();
    const late: OutboxItem[] = [];
    for (const [sequence, sent] of this.#sent) {
      if (sent.due > now) break;
      this.#sent.delete(sequence);
      if (sent.attempts < settings.attempts) {
        this.#sent.set(sequence, { ...sent, attempts: sent.attempts + 1, due: now + settings.responseMs });
        this.connection.send(sent.pdu);
      } else if (sent.item) {
        this.#deliveries--;
        late.push(sent.item);
      } else {
        this.host.fault(this, "active_test_unanswered");
        return this.connection.close("local", "ACTIVE_TEST was not answered");
      }
    }
    if (late.length > 0) {
      this.host.fault(this, "deliver_unanswered");
      this.host.putBack(this, late);
    }
    if (this.kind === "long" && now - this.#lastTraffic >= settings.activeTestMs) this.#test(now);
    this.#arm();
  }

  #test(now: number): void {
    const sequence = this.#nextSequence();
    const pdu = encodeMessage({ command: "ACTIVE_TEST", sequence }, this.dialect);
    this.#sent.set(sequence, {
      item: undefined,
      pdu,
      attempts: 1,
      due: now + this.host.settings.responseMs,
    });
    this.#lastTraffic = now;
    this.connection.send(pdu);
  }
}

/** A PDU under another Sequence_Id. */
function withSequence(pdu: Uint8Array, sequence: number): Uint8Array {
  const copy = pdu.slice();
  new DataView(copy.buffer, copy.byteOffset).setUint32(8, sequence);
  return copy;
}

/** What stands in for a CONNECT that can't be read, so that it is answered like one that is wrong. */
const NOBODY = {
  Source_Addr: "",
  AuthenticatorSource: new Uint8Array(16),
  Version: 0,
  Timestamp: 0,
} as const;
