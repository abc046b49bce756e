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

/** How the centre took a message: it did, calling it `ref`; it refused it for good; or it can't take it now. */
export type OutletAnswer =
  | { readonly kind: "accepted"; readonly ref: string }
  | { readonly kind: "refused"; readonly stat: string }
  | { readonly kind: "busy" };

/** What became of a message. `ACCEPTD` is not final. */
export interface Receipt {
  readonly msgId: bigint;
  readonly stat: string;
  /** The centre's own number for it. */
  readonly smscSequence: number;
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

/** Who is told what the centre says. Both may be called before `submit` has resolved. */
export interface OutletListener {
  onReceipt(receipt: Receipt): void;
  onMobileOriginated(message: MobileOriginated): void;
}

/** One way to a centre. */
export interface Outlet extends AsyncDisposable {
  readonly name: string;
  readonly connected: boolean;
  /** Names who is told; once, before anything is submitted. */
  listen(listener: OutletListener): void;
  /** Hands a message over. Never rejects. */
  submit(message: OutletMessage): Promise<OutletAnswer> | OutletAnswer;
}
