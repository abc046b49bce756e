/**
 * One connection between two gateways, made from either side: CONNECT, FWD in both directions, windows, resends,
 * link tests (reference §2, §5).
 *
 * @module
 */
import type { Clock, Timer } from "../../../base/mod.ts";
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
  encodeMessage,
  encodeReport,
  type Fwd,
  type FwdResp,
  FwdType,
  type Message,
  Result,
} from "../../../protocol/cmpp/mod.ts";
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

/** A request of ours that is not answered; without an item: a link test, or CONNECT. */
interface Sent {
  readonly item: ForwardItem | undefined;
  readonly pdu: Uint8Array;
  readonly attempts: number;
  readonly due: number;
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
  readonly #sent = new Map<number, Sent>();
  #waiting = 0;
  #mts = 0;
  #sequence = 0;
  #lastTraffic: number;
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #closed = false;
  /** Whom our own CONNECT went to, until it is answered. */
  #calling: Peer | undefined;

  constructor(
    readonly connection: FramedConnection,
    /** `out`: made by this side. */
    readonly direction: "in" | "out",
    private readonly host: LinkHost,
  ) {
    this.connectedAt = host.clock.now();
    this.#lastTraffic = host.clock.monotonic();
  }

  /** FWDs of the peer that are not answered. */
  get working(): number {
    return this.#working.size;
  }

  /** Our FWDs that are not answered. */
  get unanswered(): number {
    return this.#waiting;
  }

  /** Messages to phones among them. */
  get unansweredMts(): number {
    return this.#mts;
  }

  /** FWDs that may be sent now. */
  get room(): number {
    if (!this.peer || this.#closed || !this.connection.open) return 0;
    return Math.max(0, this.peer.window - this.#waiting);
  }

  /** Says who this is. */
  call(peer: Peer, own: string): void {
    this.#calling = peer;
    this.dialect = peer.version >= 0x30 ? 3 : 2;
    const Timestamp = connectTimestamp(this.host.clock.now(), this.host.settings.utcOffsetMinutes);
    const sequence = this.#nextSequence();
    this.#request(sequence, undefined, {
      command: "CONNECT",
      sequence,
      Source_Addr: own,
      AuthenticatorSource: authenticatorSource(own, peer.secret, Timestamp),
      Version: peer.version,
      Timestamp,
    });
  }

  /** The other side has said who it is, or taken who we are. */
  admit(peer: Peer, version: number): void {
    this.peer = peer;
    this.version = version;
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
    if (!this.connection.open) return;
    this.send({ command: "TERMINATE", sequence: this.#nextSequence() });
    this.end();
  }

  /** The connection is over; gives what was on its way and not answered, in its order. */
  close(): ForwardItem[] {
    this.#closed = true;
    this.#timer?.cancel();
    const items = [...this.#sent.values()].flatMap(({ item }) => item ?? []);
    this.#sent.clear();
    return items;
  }

  /** Sends an item. There must be room. False where this version has no way to say it. */
  carry(item: ForwardItem): boolean {
    const sequence = this.#nextSequence();
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
    this.#lastTraffic = this.host.clock.monotonic();
    if (!this.peer) return this.#stranger(message);
    switch (message.command) {
      case "FWD":
        return this.#take(message, this.peer);
      case "FWD_RESP":
        return this.#answered(message);
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

  #connected({ sequence, Status, Version }: ConnectResp, peer: Peer): void {
    this.#sent.delete(sequence);
    if (Status !== 0) {
      this.host.fault(this, `refused_${Status}`);
      return this.connection.close("local", `the peer refused CONNECT: Status ${Status}`);
    }
    this.admit(peer, Math.min(peer.version, Version || peer.version));
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
    const sent = this.#sent.get(sequence);
    if (!sent?.item) return this.host.fault(this, "stray_response");
    this.#sent.delete(sequence);
    this.#count(sent.item, -1);
    if (result === Result.ok) this.sent++;
    this.host.answered(this, sent.item, result);
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
    this.#waiting += change;
    if (item.mt !== undefined) this.#mts += change;
  }

  #nextSequence(): number {
    return this.#sequence = (this.#sequence + 1) >>> 0;
  }

  #request(sequence: number, item: ForwardItem | undefined, message: Message): void {
    const pdu = encodeMessage(message, this.dialect), now = this.host.clock.monotonic();
    this.#sent.set(sequence, { item, pdu, attempts: 1, due: now + this.host.settings.responseMs });
    if (item) this.#count(item, 1);
    this.#lastTraffic = now;
    this.connection.send(pdu);
    this.#arm();
  }

  /** Sets the timer for whatever is due first. */
  #arm(): void {
    if (this.#closed) return;
    const [first] = this.#sent.values(), { clock, settings } = this.host;
    const at = Math.min(
      first?.due ?? Infinity,
      this.peer ? this.#lastTraffic + settings.activeTestMs : Infinity,
    );
    if (at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#timer = clock.setTimer(() => this.#look(), at - clock.monotonic());
  }

  /** Sends again what was not answered in T, at once, N times in all (reference §2); tests a quiet link. */
  #look(): void {
    this.#timerAt = Infinity;
    if (this.#closed || !this.connection.open) return;
    const { clock, settings } = this.host, now = clock.monotonic();
    const late: ForwardItem[] = [];
    for (const [sequence, sent] of this.#sent) {
      if (sent.due > now) break;
      this.#sent.delete(sequence);
      if (sent.attempts < settings.attempts) {
        const { attempts } = sent;
        this.#sent.set(sequence, { ...sent, attempts: attempts + 1, due: now + settings.responseMs });
        this.connection.send(sent.pdu);
      } else if (sent.item) {
        this.#count(sent.item, -1);
        late.push(sent.item);
      } else {
        this.host.fault(this, this.peer ? "active_test_unanswered" : "connect_unanswered");
        return this.connection.close("local", "a link test, or CONNECT, was not answered");
      }
    }
    for (const item of late) this.host.unanswered(this, item);
    if (this.peer && now - this.#lastTraffic >= settings.activeTestMs) {
      const sequence = this.#nextSequence();
      this.#request(sequence, undefined, { command: "ACTIVE_TEST", sequence });
    }
    this.#arm();
  }
}

/** A FWD as its version writes it: 2.0 has no LinkID, and 60 octets in the report on a message to a phone. */
function inDialect(fwd: Fwd, dialect: Dialect): Fwd {
  if (dialect === 3) return fwd;
  if (fwd.Msg_Fwd_Type !== FwdType.mtReport) return { ...fwd, LinkID: "" };
  return { ...fwd, LinkID: "", Msg_Content: encodeReport(decodeReport(fwd.Msg_Content), 2) };
}
