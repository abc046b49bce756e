/**
 * Who is asking, and may they: bearer tokens, permissions, and a brake on guessing.
 *
 * @module
 */
import { type Clock, KeyedRate } from "../base/mod.ts";
import { networkOf } from "./client_address.ts";
import { problem } from "./problem.ts";

/** Someone who proved who they are. */
export interface Principal {
  /** What it is: "admin", "user", "key" … */
  readonly kind: string;
  readonly id: string;
  /** For people and for the actor of a command. */
  readonly name: string;
  /** What it may do, in the words that routes ask for: "gateways:read", "user" … */
  readonly permissions: readonly string[];
  /** The groups of gateways that it is confined to; absent: all. */
  readonly groups?: readonly string[];
}

/** How a principal is written on rows and in logs: `admin`, `operator:<id>`, `key:<id>`, `user:<id>`. */
export function actorOf({ kind, id }: Principal): string {
  return kind === id ? id : `${kind}:${id}`;
}

/** One way of turning a token into a {@linkcode Principal}. Several stand in a row; the first that knows it wins. */
export interface Authenticator {
  /** The principal, or undefined for a token that is not one of its own (any more). Never throws for bad tokens. */
  authenticate(token: string): Promise<Principal | undefined> | Principal | undefined;
}

/**
 * What a route asks of its caller: nothing ("public"), nothing but a token is looked at where one is sent
 * ("optional"), or one of the permissions.
 */
export type Access = "public" | "optional" | readonly string[];

/** SHA-256 of a token: what is kept and compared instead of the token. */
export function tokenHash(token: string): Uint8Array {
  return nodeCrypto().createHash("sha256").update(token).digest();
}

let loaded: typeof import("node:crypto") | undefined;

/** Loaded with the first token: it costs a gateway 30 ms of its start and 9 MB, and many are never asked anything. */
function nodeCrypto(): typeof import("node:crypto") {
  // deno-lint-ignore no-process-global -- an import would load it at once
  return loaded ??= process.getBuiltinModule("node:crypto");
}

/** Knows exactly one token. Compares hashes in constant time, so that answers tell nothing of the token. */
export function tokenAuthenticator(token: string, principal: Principal): Authenticator {
  let expected: Uint8Array | undefined;
  return {
    authenticate(given) {
      expected ??= tokenHash(token);
      return nodeCrypto().timingSafeEqual(tokenHash(given), expected) ? principal : undefined;
    },
  };
}

/** The bearer token that a request carries; undefined where it has none or none that is well formed. */
export function bearerToken(request: Request): string | undefined {
  const token = /^bearer +([\x21-\x7e]+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  return token !== undefined && token.length <= MAX_TOKEN ? token : undefined;
}

/** The administrator whose token the settings or `<data>/admin.token` hold. */
export const ADMIN: Principal = { kind: "admin", id: "admin", name: "admin", permissions: ["admin"] };

/** Longest token looked at, in characters. */
const MAX_TOKEN = 1024;
/** Different wrong tokens that one network may send in a window. */
const MAX_FAILURES = 100;
const WINDOW_MS = 60_000;
/** Networks, good and bad tokens remembered. */
const MAX_REMEMBERED = 10_000;

/**
 * Decides about each request. A network that sent too many wrong tokens is told to wait before its tokens are
 * even looked at, except for tokens that were good a while ago: one guesser behind an address (a proxy, a carrier's
 * NAT) does not lock out the others. A wrong token that is sent again and again (a phone that was signed out)
 * counts once.
 */
export class Gate {
  readonly #authenticators: readonly Authenticator[];
  readonly #failures: KeyedRate<string>;
  readonly #blocked = new Set<string>();
  readonly #good = new Set<string>();
  readonly #bad = new Set<string>();
  readonly #clock: Clock;
  #windowEnd = 0;

  constructor(clock: Clock, authenticators: readonly Authenticator[]) {
    this.#clock = clock;
    this.#authenticators = authenticators;
    this.#failures = new KeyedRate(clock, MAX_FAILURES, WINDOW_MS, MAX_REMEMBERED);
  }

  /** The caller, or undefined where the route asks for none. Throws the 401, 403 or 429. */
  async admit(access: Access, request: Request, address: string): Promise<Principal | undefined> {
    if (access === "public") return undefined;
    if (!request.headers.has("authorization")) {
      if (access === "optional") return undefined;
      throw unauthorized("missing_token", "a bearer token is needed");
    }
    const principal = await this.#principal(bearerToken(request), networkOf(address));
    if (access !== "optional" && !access.some((permission) => principal.permissions.includes(permission))) {
      throw problem(403, "forbidden", "this token may not do that");
    }
    return principal;
  }

  /**
   * Whether `before`, who was let in by `token`, still would be, and be confined to the same groups: for what outlives
   * its request. Counts no failures.
   */
  async stillGood(
    access: Access,
    token: string | undefined,
    before: Principal | undefined,
  ): Promise<boolean> {
    if (access === "public" || token === undefined) return true;
    for (const authenticator of this.#authenticators) {
      const principal = await authenticator.authenticate(token);
      if (!principal) continue;
      if (JSON.stringify(principal.groups) !== JSON.stringify(before?.groups)) return false;
      return access === "optional" || access.some((permission) => principal.permissions.includes(permission));
    }
    return false;
  }

  async #principal(token: string | undefined, network: string): Promise<Principal> {
    const hash = token === undefined ? undefined : String.fromCharCode(...tokenHash(token));
    this.#refuseGuesser(network, hash);
    if (token !== undefined && hash !== undefined) {
      if (this.#bad.has(hash)) throw unauthorized("invalid_token", "the bearer token is not valid");
      for (const authenticator of this.#authenticators) {
        const principal = await authenticator.authenticate(token);
        if (!principal) continue;
        this.#remember(hash);
        return principal;
      }
      this.#good.delete(hash);
    }
    this.#openWindow();
    if (hash !== undefined && this.#bad.size < MAX_REMEMBERED) this.#bad.add(hash);
    if (!this.#failures.take(network)) this.#block(network);
    throw unauthorized("invalid_token", "the bearer token is not valid");
  }

  #refuseGuesser(network: string, hash: string | undefined): void {
    const left = this.#windowEnd - this.#clock.monotonic();
    if (left <= 0) {
      this.#blocked.clear();
      this.#bad.clear();
      return;
    }
    if (!this.#blocked.has(network) || (hash !== undefined && this.#good.has(hash))) return;
    throw problem(429, "too_many_attempts", "too many wrong tokens from this address", {
      retryAfterSeconds: left / 1000,
    });
  }

  #block(network: string): void {
    if (this.#blocked.size < MAX_REMEMBERED) this.#blocked.add(network);
  }

  /** What is remembered of wrong tokens lasts until the window ends that the first of them began. */
  #openWindow(): void {
    const now = this.#clock.monotonic();
    if (now >= this.#windowEnd) this.#windowEnd = now + WINDOW_MS;
  }

  #remember(hash: string): void {
    if (this.#good.has(hash)) return;
    if (this.#good.size >= MAX_REMEMBERED) this.#good.delete(this.#good.values().next().value!);
    this.#good.add(hash);
  }
}

function unauthorized(code: string, detail: string) {
  const error = code === "invalid_token" ? ', error="invalid_token"' : "";
  return problem(401, code, detail, { headers: { "www-authenticate": `Bearer realm="gatehouse"${error}` } });
}
