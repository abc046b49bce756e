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
  /** Sequence_Ids of SUBMITs that are not answered, with their part numbers: long messages may share one. */
  readonly #working = new Set<number>();
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
        host.putBack(this, items);
      },
      silent: () => {
        host.fault(this, "active_test_unanswered");
        connection.close("local", "ACTIVE_TEST was not answered");
      },
    });
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
    this.host.putBack(this, this.#requests.close());
  }

  carry(item: OutboxItem): boolean {
    const { account } = this;
    if (!account || this.#closed || !this.connection.open || this.#requests.items >= account.window) {
      return false;
    }
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
    switch (message.command) {
      case "SUBMIT":
        return this.#submit(message, this.account);
      case "DELIVER_RESP":
        return this.#deliverResp(message);
      case "ACTIVE_TEST":
        return this.send({ command: "ACTIVE_TEST_RESP", sequence: message.sequence, Reserved: 0 });
      case "ACTIVE_TEST_RESP":
        if (!this.#requests.carries(message.sequence)) this.#requests.answered(message.sequence);
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

/** What stands in for a CONNECT that can't be read, so that it is answered like one that is wrong. */
const NOBODY = {
  Source_Addr: "",
  AuthenticatorSource: new Uint8Array(16),
  Version: 0,
  Timestamp: 0,
} as const;
