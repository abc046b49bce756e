/**
 * The port towards a short-message centre: what hands messages to phones and brings back what became of them.
 *
 * @module
 */
import type { Submit } from "../../protocol/cmpp/mod.ts";

/** A message for one phone. */
export interface OutletMessage {
  readonly msgId: bigint;
  /** Its only number is the phone's. */
  readonly submit: Submit;
  readonly expiresAt: number;
}

/**
 * How the centre took a message: it did, calling it `ref`; it refused it for good; or it can't take it now. `held`: it
 * waits on this side still, and a receipt `ACCEPTD` tells when somebody else has it.
 */
export type OutletAnswer =
  | { readonly kind: "accepted"; readonly ref: string; readonly held?: boolean }
  | { readonly kind: "refused"; readonly stat: string }
  | { readonly kind: "busy" };

/** What became of a message. `ACCEPTD` is not final. */
export interface Receipt {
  readonly msgId: bigint;
  readonly stat: string;
  /** The centre's own number for it. */
  readonly smscSequence: number;
  /** With `ACCEPTD` for a message that was `held`: what the centre calls it. */
  readonly ref?: string;
}

/** A message (or a part of one) from a phone. */
export interface MobileOriginated {
  readonly from: string;
  readonly to: string;
  readonly TP_pid: number;
  readonly TP_udhi: number;
  readonly Msg_Fmt: number;
  readonly content: Uint8Array;
}

/** Who is told what the centre says. All may be called before `submit` has resolved. */
export interface OutletListener {
  /** Resolves once what became of the message is on disk: then the centre may forget it. */
  onReceipt(receipt: Receipt): Promise<void>;
  /** Messages that the centre took and that it need not remember, under any of these names, the newest first. */
  findTaken?(refs: readonly string[]): Promise<readonly TakenMessage[]>;
  /** Resolves once it is on disk; with false where it is nobody's. Rejects where it should come again. */
  onMobileOriginated(message: MobileOriginated): Promise<boolean>;
}

/** A message that the centre took in an earlier run. */
export interface TakenMessage {
  /** As `submit` gave it. */
  readonly ref: string;
  readonly msgId: bigint;
  /** The phone. */
  readonly number: string;
}

/** How things are with a centre, for operators. */
export interface OutletStatus {
  readonly name: string;
  readonly connected: boolean;
  /** Since when it is as it is, in milliseconds since 1970. */
  readonly since: number;
  /** Messages handed over and not answered; taken and not reported on. */
  readonly unanswered: number;
  readonly unreported: number;
  /** Why it is not connected. */
  readonly lastError: string | undefined;
}

/** One way to a centre. */
export interface Outlet extends AsyncDisposable {
  readonly name: string;
  readonly connected: boolean;
  /**
   * What the centre calls a message is to be kept, and given back by `restore` after a restart: its receipts name it
   * by that. Messages that it took are then not handed over again.
   */
  readonly keepsRefs: boolean;
  /** How long behind the end of a message's validity its receipt is still waited for, in milliseconds. */
  readonly receiptGraceMs: number;
  /** Messages handed over and not answered, at most. */
  readonly window: number;
  status(): OutletStatus;
  /** Names messages that it took in an earlier run; before `listen`. */
  restore(messages: Iterable<TakenMessage>): void;
  /** Names who is told, and begins; once, before anything is submitted. */
  listen(listener: OutletListener): void;
  /** Whether a message needs nothing of this centre, so that it need not wait where the centre has no room. */
  goesElsewhere?(message: OutletMessage): boolean;
  /** Hands a message over. Never rejects. */
  submit(message: OutletMessage): Promise<OutletAnswer> | OutletAnswer;
  /** A message has ended without the centre, or its name is in the database only: see `findTaken`. */
  forget(msgId: bigint): void;
}
