/**
 * What a SUBMIT or DELIVER says, as the API shows it.
 *
 * @module
 */
import { decodeText, type Deliver, type Submit } from "../../protocol/cmpp/mod.ts";

/** Msg_Fmt, the text without the user data header (null where it is none), and all of Msg_Content in hex. */
export function textOf(
  { Msg_Fmt, TP_udhi, Msg_Content }: Pick<Submit | Deliver, "Msg_Fmt" | "TP_udhi" | "Msg_Content">,
) {
  const header = TP_udhi === 1 ? 1 + (Msg_Content[0] ?? 0) : 0;
  return {
    msgFmt: Msg_Fmt,
    text: decodeText(Msg_Content.subarray(header), Msg_Fmt) ?? null,
    content: Msg_Content.toHex(),
  };
}
