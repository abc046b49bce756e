/**
 * One try to tell a receiver: bounded in time, to an address that was judged, following nothing, reading nothing back.
 *
 * @module
 */
import { type Clock, messageOf } from "../../base/mod.ts";
import { fetchFrom, type Network } from "../../net/mod.ts";
import { hostOf, refusal, type Targets } from "./target.ts";

/** How long a receiver may take ("Request timeouts" recommends 15 to 30 s), the look-up of its name included. */
export const TRY_MS = 15_000;
const LOOKUP_MS = 5_000;
/** Longest error kept, in characters. */
const MAX_ERROR = 300;

/** How a try went: an answer's status, or an error where none came. */
export interface Attempt {
  readonly status?: number;
  /** Why it counts as failed. */
  readonly error?: string;
  readonly ms: number;
  /** For how long the receiver asks to be left alone. */
  readonly retryAfterMs?: number | undefined;
}

/** What a sender leans on. */
export interface SenderParts {
  readonly clock: Clock;
  readonly network: Pick<Network, "lookup">;
  readonly targets: Targets;
}

/** Posts `body`. Never throws, but where `signal` aborts. */
export async function send(
  { clock, network, targets }: SenderParts,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<Attempt> {
  const began = clock.monotonic(), late = new AbortController();
  const ms = () => Math.round(clock.monotonic() - began);
  const timer = clock.setTimer(() => late.abort(), TRY_MS);
  try {
    const host = hostOf(new URL(url).hostname);
    const address = await network.lookup(host, { timeoutMs: LOOKUP_MS });
    signal.throwIfAborted();
    if (!targets.allows(host, address)) return { error: refusal(address), ms: ms() };
    return await fetchFrom(address, url, {
      method: "POST",
      headers,
      body,
      signal: AbortSignal.any([signal, late.signal]),
    }, async (response) => {
      // What it says beyond its status is nobody's business: the connection ends here, however much would come.
      await response.body?.cancel();
      const { status } = response;
      if (status >= 200 && status < 300) return { status, ms: ms() };
      const retryAfterMs = retryAfter(response.headers.get("retry-after"), clock.now());
      return { status, error: faultOf(status), ms: ms(), retryAfterMs };
    });
  } catch (error) {
    signal.throwIfAborted();
    const why = late.signal.aborted ? `no answer in ${TRY_MS / 1000} s` : messageOf(error);
    return { error: why.slice(0, MAX_ERROR), ms: ms() };
  } finally {
    timer.cancel();
  }
}

function faultOf(status: number): string {
  return status >= 300 && status < 400 ? `HTTP ${status}: redirections are not followed` : `HTTP ${status}`;
}

/** `Retry-After` (RFC 9110 §10.2.3) in milliseconds: seconds, or a date. */
function retryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}
