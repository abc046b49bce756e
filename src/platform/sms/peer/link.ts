/**
 * One connection between two gateways, made from either side: CONNECT, FWD in both directions, windows, resends,
 * link tests (reference §2, §5).
 *
 * @module
 */
import type { Clock } from "../../../base/mod.ts";
import type { FramedConnection } from "../../../net/mod.ts";
import {
  authenticatorSource,
  CmppError,
  commandIdOf,
  type Connect,
  type ConnectResp,
  connectTimestamp,
  decodeMessage,
  decodeReport,
  type Dialect,
  dialectOf,
  encodeMessage,
  encodeReport,
  type Fwd,
  type FwdResp,
  FwdType,
  type Message,
  provesSecret,
  Result,
} from "../../../protocol/cmpp/mod.ts";
import { timesOn } from "../link_times.ts";
import { Requests } from "../requests.ts";
import type { SmsSettings } from "../settings.ts";
import type { ForwardItem } from "./item.ts";
import type { Peer } from "./peers.ts";

/** What a link needs of the hub around it. */
export interface LinkHost {
  readonly clock: Clock;
  readonly settings: SmsSettings;
  /** Decides about a CONNECT of a peer, and answers it through the link. */
  connect(link: PeerLink, message: Connect): void;
  /** Our own CONNECT was taken. */
  opened(link: PeerLink): void;
  /** Takes a FWD; its Result. */
  take(link: PeerLink, fwd: Fwd): Promise<number>;
  /** The peer answered one of ours. */
  answered(link: PeerLink, item: ForwardItem, result: number): void;
  /** One was sent N times and not answered. */
  unanswered(link: PeerLink, item: ForwardItem): void;
  fault(link: PeerLink, fault: string): void;
}

/** One end of a connection. */
export class PeerLink {
  readonly connectedAt: number;
  /** Set once CONNECT was taken. */
  peer: Peer | undefined;
  dialect: Dialect = 3;
  version = 0;
  /** FWDs that the peer took, and that were taken from it. */
  sent = 0;
  received = 0;
  /** FWDs of the peer in work: what each is, by Sequence_Id. */
  readonly #working = new Map<number, string>();
  readonly #requests: Requests<ForwardItem>;
  #mts = 0;
  #closed = false;
  /** Whom our own CONNECT went to, until it is answered. */
  #calling: Peer | undefined;
  /** The AuthenticatorSource that went with it. */
  #source: Uint8Array = new Uint8Array();

  constructor(
    readonly connection: FramedConnection,
    /** `out`: made by this side. */
    readonly direction: "in" | "out",
    private readonly host: LinkHost,
  ) {
    this.connectedAt = host.clock.now();
    this.#requests = new Requests({
      clock: host.clock,
      times: () => timesOn((this.peer ?? this.#calling)?.times, host.settings),
      encode: (message) => encodeMessage(message, this.dialect),
      send: (pdu) => connection.send(pdu),
      open: () => connection.open,
      lost: (items) => {
        for (const item of items) {
          this.#count(item, -1);
          host.unanswered(this, item);
        }
      },
      silent: () => {
        host.fault(this, this.peer ? "active_test_unanswered" : "connect_unanswered");
        connection.close("local", "a link test, or CONNECT, was not answered");
      },
    });
  }

  /** FWDs of the peer that are not answered. */
  get working(): number {
    return this.#working.size;
  }

  /** Our FWDs that are not answered. */
  get unanswered(): number {
    return this.#requests.items;
  }

  /** Messages to phones among them. */
  get unansweredMts(): number {
    return this.#mts;
  }

  /** FWDs that may be sent now. */
  get room(): number {
    if (!this.peer || this.#closed || !this.connection.open) return 0;
    return Math.max(0, this.peer.window - this.#requests.items);
  }

  /** Says who this is. */
  call(peer: Peer, own: string): void {
    this.#calling = peer;
    this.dialect = peer.version >= 0x30 ? 3 : 2;
    const Timestamp = connectTimestamp(this.host.clock.now(), this.host.settings.utcOffsetMinutes);
    const sequence = this.#requests.nextSequence();
    this.#source = authenticatorSource(own, peer.secret, Timestamp);
    this.#request(sequence, undefined, {
      command: "CONNECT",
      sequence,
      Source_Addr: own,
      AuthenticatorSource: this.#source,
      Version: peer.version,
      Timestamp,
    });
  }

  /** The other side has said who it is, or taken who we are. */
  admit(peer: Peer, version: number): void {
    this.peer = peer;
    this.version = version;
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
    if (!this.connection.open) return;
    this.send({ command: "TERMINATE", sequence: this.#requests.nextSequence() });
    this.end();
  }

  /** The connection is over; gives what was on its way and not answered, in its order. */
  close(): ForwardItem[] {
    this.#closed = true;
    return this.#requests.close();
  }

  /** Sends an item. There must be room. False where this version has no way to say it. */
  carry(item: ForwardItem): boolean {
    const sequence = this.#requests.nextSequence();
    try {
      this.#request(sequence, item, { ...inDialect(item.fwd, this.dialect), sequence });
      return true;
    } catch (error) {
      if (!(error instanceof CmppError)) throw error;
      this.host.fault(this, "unsayable_in_version");
      return false;
    }
  }

  /** Handles one PDU. */
  handle(frame: Uint8Array): void {
    let message: Message;
    try {
      message = decodeMessage(frame, this.dialect);
    } catch (error) {
      if (!(error instanceof CmppError)) throw error;
      return this.#malformed(error);
    }
    this.#requests.touch();
    if (!this.peer) return this.#stranger(message);
    switch (message.command) {
      case "FWD":
        return this.#take(message, this.peer);
      case "FWD_RESP":
        return this.#answered(message);
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
      default:
        return this.#foreign(message.command);
    }
  }

  /** Before anybody has said who this is. */
  #stranger(message: Message): void {
    if (this.direction === "in" && message.command === "CONNECT") return this.host.connect(this, message);
    if (this.#calling && message.command === "CONNECT_RESP") return this.#connected(message, this.#calling);
    this.host.fault(this, "before_connect");
    this.connection.close("local", `${message.command} before CONNECT`);
  }

  #connected({ sequence, Status, Version, AuthenticatorISMG }: ConnectResp, peer: Peer): void {
    this.#requests.answered(sequence);
    if (Status !== 0) {
      this.host.fault(this, `refused_${Status}`);
      return this.connection.close("local", `the peer refused CONNECT: Status ${Status}`);
    }
    if (peer.proveAnswer && !provesSecret(AuthenticatorISMG, Status, this.#source, peer.secret)) {
      this.host.fault(this, "answer_not_proved");
      return this.connection.close("local", "the peer's answer to CONNECT does not prove the secret");
    }
    // The lower of both counts: from here on it is spoken.
    const version = Math.min(peer.version, Version || peer.version);
    this.dialect = dialectOf(version) ?? this.dialect;
    this.admit(peer, version);
    this.host.opened(this);
  }

  #take(fwd: Fwd, peer: Peer): void {
    const { sequence, Msg_Id, Pk_total, Pk_number } = fwd;
    const answer = (Result: number) => {
      if (!this.#closed) {
        this.send({ command: "FWD_RESP", sequence, Msg_Id, Pk_total, Pk_number, Result });
      }
    };
    const mark = `${fwd.Msg_Fwd_Type} ${Msg_Id} ${Pk_number}`, same = this.#working.get(sequence);
    // Sent again because no answer came in T: its answer is on its way.
    if (same === mark) return this.host.fault(this, "resent");
    if (same !== undefined) return answer(Result.duplicateSequence);
    if (this.#working.size >= peer.window) {
      this.host.fault(this, "window_overrun");
      return answer(Result.flowControl);
    }
    this.#working.set(sequence, mark);
    this.host.take(this, fwd).then((result) => {
      this.#working.delete(sequence);
      if (result === Result.ok) this.received++;
      answer(result);
    });
  }

  #answered({ sequence, Result: result }: FwdResp): void {
    if (!this.#requests.carries(sequence)) return this.host.fault(this, "stray_response");
    const item = this.#requests.answered(sequence)!.item!;
    this.#count(item, -1);
    if (result === Result.ok) this.sent++;
    this.host.answered(this, item, result);
  }

  /** A PDU that is none: a FWD is told why; what has no response that could tell ends the connection. */
  #malformed(error: CmppError): void {
    this.host.fault(this, `malformed_${error.code}`);
    const { commandId, sequence = 0, code } = error;
    if (!this.peer) return this.connection.close("local", error.message);
    if (commandId !== commandIdOf("FWD")) return this.terminate();
    const result = code === "length" ? Result.length : Result.structure;
    this.send({ command: "FWD_RESP", sequence, Msg_Id: 0n, Pk_total: 0, Pk_number: 0, Result: result });
  }

  /** A message of the protocol that does not belong between gateways. */
  #foreign(command: string): void {
    this.host.fault(this, `foreign_${command}`);
    this.terminate();
  }

  #count(item: ForwardItem, change: 1 | -1): void {
    if (item.mt !== undefined) this.#mts += change;
  }

  #request(sequence: number, item: ForwardItem | undefined, message: Message): void {
    const pdu = encodeMessage(message, this.dialect);
    if (item) this.#count(item, 1);
    this.#requests.send(sequence, pdu, item);
  }
}

/** A FWD as its version writes it: 2.0 has no LinkID, and 60 octets in the report on a message to a phone. */
function inDialect(fwd: Fwd, dialect: Dialect): Fwd {
  if (dialect === 3) return fwd;
  if (fwd.Msg_Fwd_Type !== FwdType.mtReport) return { ...fwd, LinkID: "" };
  return { ...fwd, LinkID: "", Msg_Content: encodeReport(decodeReport(fwd.Msg_Content), 2) };
}
