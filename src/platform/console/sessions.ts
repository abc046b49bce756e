/**
 * Who uses the console: cookies, and the tokens behind them.
 *
 * A cookie never holds a token that outlives it by much: operators get a session of their own, and whoever comes
 * with a token of another kind gets a short name for it that only this process knows.
 *
 * @module
 */
import { encodeBase64Url } from "@std/encoding";
import { getCookies } from "./cookies.ts";
import type { Clock, Random } from "../../base/mod.ts";

/** The cookie of a session. */
export const SESSION_COOKIE = "gatehouse_session";
/** How long a session is good that a token opened. */
const TOKEN_SESSION_MS = 3_600_000;
const MAX_TOKEN_SESSIONS = 1000;
const PREFIX = "tok_";

/** Sessions of those who came with a token. */
export class TokenSessions {
  readonly #tokens = new Map<string, { readonly token: string; readonly until: number }>();

  constructor(private readonly deps: { readonly clock: Clock; readonly random: Random }) {}

  /** A cookie's value that stands for `token`. */
  open(token: string): { value: string; seconds: number } {
    const value = PREFIX + encodeBase64Url(this.deps.random.bytes(32));
    if (this.#tokens.size >= MAX_TOKEN_SESSIONS) this.#tokens.delete(this.#tokens.keys().next().value!);
    this.#tokens.set(value, { token, until: this.deps.clock.monotonic() + TOKEN_SESSION_MS });
    return { value, seconds: TOKEN_SESSION_MS / 1000 };
  }

  close(value: string): void {
    this.#tokens.delete(value);
  }

  /** The bearer token behind the request's cookie; undefined where there is none any more. */
  tokenOf(request: Request): string | undefined {
    const value = getCookies(request)[SESSION_COOKIE];
    if (!value?.startsWith(PREFIX)) return value;
    const found = this.#tokens.get(value);
    if (!found || found.until <= this.deps.clock.monotonic()) {
      this.#tokens.delete(value);
      return undefined;
    }
    return found.token;
  }
}

/**
 * Whether a form was sent by a page of our own: browsers say so, and a page elsewhere can't make them say it. (The
 * cookie is SameSite=Strict besides.)
 */
export function isOwnForm(request: Request): boolean {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  const origin = request.headers.get("origin");
  if (origin === null || !URL.canParse(origin)) return false;
  return new URL(origin).host === (request.headers.get("host") ?? new URL(request.url).host);
}
