/**
 * What a result code means for a gateway that is registering or registered: the table of the reference (§2, §3).
 *
 * @module
 */
import { type HostPort, parseHostPort } from "../../base/mod.ts";
import { AccessResult } from "../../protocol/smart_gateway/mod.ts";

/** What to do next. */
export type Verdict =
  /** Go on. */
  | { readonly kind: "ok" }
  /** This round failed: again from Boot; a running gateway goes through distribution. */
  | { readonly kind: "failed" }
  /** Verification failed: fall silent. */
  | { readonly kind: "silent" }
  /** Register again through distribution. */
  | { readonly kind: "distribute" }
  /** A new device: restore defaults, then distribution. */
  | { readonly kind: "defaults" }
  /** Boot again at the same platform. */
  | { readonly kind: "boot" }
  | { readonly kind: "redirect"; readonly to: HostPort };

/** The verdict on a result. A code that nobody documented counts as -1 if negative, else as 0. */
export function verdictOn(reply: { readonly result: number; readonly serverIp?: string }): Verdict {
  switch (reply.result) {
    case AccessResult.NEW_DEVICE:
      return { kind: "defaults" };
    case AccessResult.REFUSED:
      return { kind: "silent" };
    case AccessResult.REGISTER_AGAIN:
      return { kind: "distribute" };
    case AccessResult.TIMEOUT:
      return { kind: "boot" };
    case AccessResult.REDIRECT: {
      const to = reply.serverIp === undefined ? undefined : parseHostPort(reply.serverIp);
      return to && to.port > 0 ? { kind: "redirect", to } : { kind: "failed" };
    }
    default:
      return { kind: reply.result < 0 ? "failed" : "ok" };
  }
}
