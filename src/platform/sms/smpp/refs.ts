/**
 * Which message a centre means: it names messages in submit_sm_resp, and in receipts not always in the same way.
 *
 * @module
 */

/** A message that the centre has taken and not reported on. */
export interface Known {
  readonly msgId: bigint;
  /** The phone, as it was submitted. */
  readonly number: string;
}

/** Last digits of a number that are compared: with and without a country code it is the same phone. */
const COMPARED = 8;

/**
 * The centre's names of messages under way. SMPP leaves message_id to the centre; many answer in hex and report in
 * decimal or the other way round, with or without leading zeros (SMPP 3.4 appendix B). A name in another form only
 * counts where the phone is the same.
 */
export class Refs {
  readonly #byRef = new Map<string, Known>();
  readonly #byMsgId = new Map<bigint, string>();

  get size(): number {
    return this.#byRef.size;
  }

  add(ref: string, known: Known): void {
    const key = plain(ref), before = this.#byRef.get(key);
    // The centre has come round to the same name: the elder one can't be told apart any more, and expires.
    if (before) this.#byMsgId.delete(before.msgId);
    this.#byRef.set(key, known);
    this.#byMsgId.set(known.msgId, key);
  }

  /** The message of a receipt. */
  find(ref: string, number: string): bigint | undefined {
    for (const form of refForms(ref)) {
      const known = this.#byRef.get(form);
      if (known && samePhone(known.number, number)) return known.msgId;
    }
    return undefined;
  }

  forget(msgId: bigint): void {
    const key = this.#byMsgId.get(msgId);
    if (key === undefined) return;
    this.#byMsgId.delete(msgId);
    this.#byRef.delete(key);
  }
}

/** As it came first, in small letters and without zeros in front; then read as decimal and written in hex; then the other way round. */
export function refForms(ref: string): string[] {
  const key = plain(ref), forms = [key];
  if (/^\d{1,20}$/.test(key)) forms.push(BigInt(key).toString(16));
  if (/^[0-9a-f]{1,16}$/.test(key)) forms.push(BigInt(`0x${key}`).toString());
  return forms;
}

function plain(ref: string): string {
  return ref.toLowerCase().replace(/^0+(?=.)/, "");
}

/** Some centres leave the phone out of a receipt: then the name alone must do. */
export function samePhone(ours: string, theirs: string): boolean {
  return theirs === "" || ours.slice(-COMPARED) === theirs.slice(-COMPARED);
}
