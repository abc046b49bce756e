/**
 * One connection of a service provider: from CONNECT to TERMINATE (reference §2, §4).
 *
 * @module
 */
import type { Clock } from "../../base/mod.ts";
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
import { timesOn } from "./link_times.ts";
import type { Carrier } from "./mailbox.ts";
import type { OutboxItem } from "./message.ts";
import { Requests } from "./requests.ts";
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
  /**
   * SUBMITs that are not answered: by Sequence_Id and part number, because long messages may share one, what tells
   * their PDUs from others.
   */
  readonly #working = new Map<number, number>();
  /** QUERYs and CANCELs that are not answered. */
  #asking = 0;
  /** The provider sends no more requests: called once everything is answered. */
  #drained: (() => void) | undefined;
  /** Deliveries that were sent N times here and never answered: not on this connection any more (7.1). */
  readonly #lost = new Set<number>();
  readonly #requests: Requests<OutboxItem>;
  #closed = false;

  constructor(
    readonly connection: FramedConnection,
    readonly kind: "long" | "short",
    private readonly host: SessionHost,
  ) {
    this.connectedAt = host.clock.now();
    this.#requests = new Requests({
      clock: host.clock,
      times: () => timesOn(this.account?.times, host.settings),
      encode: (message) => encodeMessage(message, this.dialect),
      send: (pdu) => connection.send(pdu),
      open: () => connection.open,
      lost: (items) => {
        host.fault(this, "deliver_unanswered");
        for (const { id } of items) this.#lost.add(id);
        host.putBack(this, items);
      },
      silent: () => {
        host.fault(this, "active_test_unanswered");
        connection.close("local", "ACTIVE_TEST was not answered");
      },
    });
    connection.onPeerFinished = () => this.#drain();
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
    return this.#requests.items;
  }

  /** Lets the provider in: from now on it may send, and long connections are tested and delivered to. */
  admit(account: Account, version: number): void {
    this.account = account;
    this.version = version;
    if (this.kind === "short") {
      return this.connection.setIdle(timesOn(account.times, this.host.settings).responseMs);
    }
    this.connection.setIdle(0); // ACTIVE_TEST finds out
    this.#requests.testWhenQuiet();
  }

  send(message: Message): void {
    this.#requests.touch();
    this.connection.send(encodeMessage(message, this.dialect));
  }

  /** Ends in good order, so that what was answered last still arrives. */
  end(): void {
    this.connection.end();
  }

  /** Says that this side ends the connection, and ends it. */
  terminate(): void {
    this.send({ command: "TERMINATE", sequence: this.#requests.nextSequence() });
    this.end();
  }

  /** The connection is over: what was on its way to the provider goes back. */
  close(): void {
    this.#closed = true;
    this.#look();
    this.host.putBack(this, this.#requests.close());
  }

  carry(item: OutboxItem): boolean {
    const { account } = this;
    const ready = account && !this.#closed && !this.#drained && this.connection.open;
    if (!ready || this.#requests.items >= account.window) return false;
    const sequence = this.#requests.nextSequence();
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
    this.#requests.send(sequence, pdu, item);
    return true;
  }

  hasLost({ id }: OutboxItem): boolean {
    return this.#lost.has(id);
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
    this.#requests.touch();
    if (!this.account) {
      if (message.command === "CONNECT") return this.host.connect(this, message);
      // Nobody has said who this is: there is no version to answer in, and nothing to answer.
      this.host.fault(this, "before_connect");
      return this.connection.close("local", `${message.command} before CONNECT`);
    }
    // It has said goodbye: only answers are of use.
    if (this.#drained && !message.command.endsWith("_RESP")) return this.host.fault(this, "after_terminate");
    switch (message.command) {
      case "SUBMIT":
        return this.#submit(message, this.account, frame);
      case "DELIVER_RESP":
        return this.#deliverResp(message);
      case "ACTIVE_TEST":
        return this.send({ command: "ACTIVE_TEST_RESP", sequence: message.sequence, Reserved: 0 });
      case "ACTIVE_TEST_RESP":
        if (!this.#requests.carries(message.sequence)) this.#requests.answered(message.sequence);
        return;
      case "TERMINATE":
        return void this.#drain().then(() => {
          this.send({ command: "TERMINATE_RESP", sequence: message.sequence });
          this.end();
        });
      case "TERMINATE_RESP":
        return this.end();
      case "QUERY":
        return this.#ask(this.host.query(this, message));
      case "CANCEL":
        return this.#ask(
          this.host.cancel(this, message.Msg_Id).then((done) => (
            { command: "CANCEL_RESP", sequence: message.sequence, Success_Id: done ? 0 : 1 }
          )),
        );
      default:
        return this.#foreign(message.command);
    }
  }

  #submit(message: Submit, account: Account, frame: Uint8Array): void {
    const { sequence } = message, mark = sequence * 256 + message.Pk_number;
    const answer = ({ msgId, result }: SubmitOutcome) =>
      this.send({ command: "SUBMIT_RESP", sequence, Msg_Id: msgId, Result: result });
    const before = this.#working.get(mark);
    if (before !== undefined) {
      // The same again, because its answer was late: that is on its way, and is the answer to both.
      if (before === fingerprint(frame)) return this.host.fault(this, "submit_again");
      return answer({ msgId: 0n, result: Result.duplicateSequence });
    }
    if (this.#working.size >= account.window) {
      this.host.fault(this, "window_overrun");
      return answer({ msgId: 0n, result: Result.flowControl });
    }
    const outcome = this.host.submit(this, message);
    if (!(outcome instanceof Promise)) return answer(outcome);
    this.#working.set(mark, fingerprint(frame));
    outcome.then((one) => {
      this.#working.delete(mark);
      answer(one);
      this.#look();
    });
  }

  /** Sends an answer once it is there; no more is read until then. */
  async #ask(answer: Promise<Message>): Promise<void> {
    this.#asking++;
    try {
      this.send(await answer);
    } finally {
      this.#asking--;
      this.#look();
    }
  }

  /** The provider sends no more requests. Resolves once those that it sent are answered; after T in any case. */
  #drain(): Promise<void> {
    return new Promise((resolve) => {
      const late = this.host.clock.setTimer(resolve, this.host.settings.responseMs);
      const before = this.#drained;
      this.#drained = () => {
        late.cancel();
        before?.();
        resolve();
      };
      this.#look();
    });
  }

  #look(): void {
    if (this.#drained && (this.#closed || this.#working.size + this.#asking === 0)) this.#drained();
  }

  #deliverResp({ sequence, Result: result }: DeliverResp): void {
    if (!this.#requests.carries(sequence)) return this.host.fault(this, "stray_response");
    const { item, due } = this.#requests.answered(sequence)!;
    this.delivered++;
    const { clock, settings } = this.host, { responseMs } = timesOn(this.account?.times, settings);
    this.host.taken(item!, result, clock.now() - (clock.monotonic() - (due - responseMs)));
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
}

/** A PDU under another Sequence_Id. */
function withSequence(pdu: Uint8Array, sequence: number): Uint8Array {
  const copy = pdu.slice();
  new DataView(copy.buffer, copy.byteOffset).setUint32(8, sequence);
  return copy;
}

/** Tells PDUs apart that a provider sends under one Sequence_Id (FNV-1a): it could only deceive itself. */
function fingerprint(pdu: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < pdu.length; i++) hash = Math.imul(hash ^ pdu[i]!, 0x01000193);
  return hash;
}

/** What stands in for a CONNECT that can't be read, so that it is answered like one that is wrong. */
const NOBODY = {
  Source_Addr: "",
  AuthenticatorSource: new Uint8Array(16),
  Version: 0,
  Timestamp: 0,
} as const;
