/**
 * What the log says where registration did not come about, or ended: who was asked what, what came back, and what
 * somebody can do about it.
 *
 * @module
 */
import { formatHostPort, type HostPort, type Log } from "../../base/mod.ts";
import type { QuestionMethod } from "./status.ts";

/** The question that was asked last, and the result that answered it; undefined while nothing did. */
export interface LastQuestion {
  readonly question: QuestionMethod;
  readonly result?: number;
}

/** How a round or a life ended; `to`: where a platform sends the gateway. */
interface End {
  readonly kind: string;
  readonly to?: HostPort;
}

const ADVICE: Readonly<Record<string, string>> = {
  silent:
    "it refuses this gateway: is it preset there, with this MAC, SN and LOID? POST /api/v1/registration asks again at once",
  unresolved: "its name is not found: do --mgt-url and the name servers fit?",
  unanswered: "nobody answers there: do address, port and firewall fit?",
};

/** Writes one line. `asked`: undefined where nothing was asked, since the name was not found. */
export function logEnd(
  log: Log,
  text: string,
  at: HostPort,
  { kind, to }: End,
  asked: LastQuestion | undefined,
): void {
  log.warn(text, {
    at: formatHostPort(at),
    outcome: kind,
    ...(kind !== "unresolved" && asked),
    ...(to && { to: formatHostPort(to) }),
    ...(Object.hasOwn(ADVICE, kind) && { advice: ADVICE[kind] }),
  });
}
