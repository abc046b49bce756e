/**
 * What operators and phone apps do while the load is on: over HTTP, as they would.
 *
 * @module
 */
import { bindingSn } from "../../src/protocol/smart_gateway/mod.ts";
import { identityOf, type SimulatedGateway } from "./gateway.ts";
import type { Tally } from "./tally.ts";

/** Presets in one request. */
const CHUNK = 20_000;

/** Requests of one caller under way at once: each is a connection, and a process may open only so many files. */
const MOST_UNDER_WAY = 512;

/** Keeps as many connections as are used: the runtime's own client keeps fewer, and makes the others anew each time. */
export function manyConnections(): Deno.HttpClient {
  return Deno.createHttpClient({ poolMaxIdlePerHost: MOST_UNDER_WAY, http2: false });
}

/** Somebody with a token. */
export class HttpCaller {
  constructor(
    readonly url: string,
    private readonly token: string | undefined,
    private readonly tally?: Tally,
    private readonly client?: Deno.HttpClient,
  ) {}

  /** The same way there, as somebody else. */
  as(token: string | undefined): HttpCaller {
    return new HttpCaller(this.url, token, this.tally, this.client);
  }

  /** Calls; refusals because of load (429, 503) are counted apart from failures. */
  async call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }> {
    let response;
    try {
      response = await fetch(this.url + path, {
        method,
        ...(this.client ? { client: this.client } : {}),
        headers: {
          ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text(), { status } = response;
      if (this.tally) {
        this.tally.counts.httpCalls++;
        if (status === 429 || status === 503) this.tally.counts.httpRefused++;
        else if (status >= 400) this.tally.counts.httpFailed++;
      }
      return { status, body: text === "" ? {} : JSON.parse(text) };
    } catch (error) {
      if (this.tally) this.tally.counts.httpFailed++;
      throw error;
    }
  }
}

// deno-lint-ignore no-explicit-any -- whatever the API answers; who asks knows what it is
export type Json = any;

/** Presets gateways `first` to `first + count - 1`, unless they are there already. */
export async function preset(operator: HttpCaller, first: number, count: number): Promise<void> {
  for (let at = 0; at < count; at += CHUNK) {
    const gateways = Array.from({ length: Math.min(CHUNK, count - at) }, (_, i) => ({
      ...identityOf(first + at + i),
      vendor: "Simulated",
      model: "Load",
      region: `region-${(first + at + i) % 31}`,
    }));
    const { status, body } = await operator.call("POST", "/api/v1/gateways", gateways);
    if (status >= 400 && body.code !== "already_preset" && status !== 409) {
      throw new Error(`presetting was answered ${status}: ${JSON.stringify(body).slice(0, 300)}`);
    }
  }
}

/**
 * Sends commands at a rate, to gateways by chance among the first `among`; resolves after `forMs` with none under way.
 * What is due while too many are under way waits, and its time counts from when it was due.
 */
export async function commandLoad(
  operator: HttpCaller,
  tally: Tally,
  load: {
    readonly perSecond: number;
    readonly forMs: number;
    readonly first: number;
    readonly among: number;
  },
): Promise<void> {
  await atRate(load, async (n, asked) => {
    const { mac } = identityOf(load.first + Math.floor(Math.random() * load.among)), Text = String(n);
    const { status, body } = await operator.call("POST", `/api/v1/gateways/${mac}/commands?wait=30`, {
      plugin: "load",
      parameter: { CmdType: "LOAD_ECHO", Text },
    });
    if (status === 200 && body.status === "succeeded" && body.reply?.Text === Text) {
      tally.times.command.add(performance.now() - asked);
    } else if (status < 400) tally.counts.httpFailed++;
  });
}

/**
 * Does `work` with the numbers 0, 1, 2, … and the moments they were due at; resolves once all that came due within
 * `forMs` was done. Its failures are counted where they happen.
 */
export async function atRate(
  { perSecond, forMs, most = MOST_UNDER_WAY }: { perSecond: number; forMs: number; most?: number },
  work: (n: number, due: number) => Promise<void>,
): Promise<void> {
  const began = performance.now(), all = Math.floor(forMs / 1000 * perSecond);
  const dueAt = (n: number) => began + n / perSecond * 1000;
  let next = 0;
  const one = async () => {
    for (let n = next++; n < all; n = next++) {
      const wait = dueAt(n) - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      await work(n, dueAt(n)).catch(() => {});
    }
  };
  await Promise.all(Array.from({ length: most }, one));
}

/** A phone app whose user has bound a gateway. */
export class PhoneApp {
  private constructor(
    private caller: HttpCaller,
    private refreshToken: string,
    private readonly mac: string,
  ) {}

  /** Registers a user, signs in, and binds the gateway that it stands beside. */
  static async start(nobody: HttpCaller, gateway: SimulatedGateway): Promise<PhoneApp> {
    const credentials = { name: `user${gateway.n}@example.org`, password: `load password ${gateway.n}` };
    await nobody.call("POST", "/app/v1/users", credentials);
    const { status, body } = await nobody.call("POST", "/app/v1/sessions", credentials);
    if (status !== 201) throw new Error(`signing in was answered ${status}: ${JSON.stringify(body)}`);
    const caller = nobody.as(body.token);
    const proof = { sn: bindingSn(gateway.devRnd, gateway.sn), loid: gateway.loid };
    const bound = await caller.call("POST", "/app/v1/bindings", proof);
    if (bound.status !== 201) {
      throw new Error(`binding was answered ${bound.status}: ${JSON.stringify(bound.body)}`);
    }
    return new PhoneApp(caller, String(body.refreshToken), gateway.mac);
  }

  /** Asks its gateway something; its time counts from `asked`. */
  async post(tally: Tally, asked = performance.now()): Promise<void> {
    const caller = this.caller;
    const { status, body } = await caller.call("POST", `/app/v1/gateways/${this.mac}/post`, {
      plugin: "load",
      parameter: { CmdType: "LOAD_ECHO", Text: "app" },
    });
    // Access tokens are short-lived: the first of those that are turned away gets a new one for all.
    if (status === 401) {
      return void (caller === this.caller &&
        await (this.#renewing ??= this.#renew().finally(() => this.#renewing = undefined)));
    }
    if (status === 200 && body.status === "succeeded") tally.times.appPost.add(performance.now() - asked);
    else if (status < 400) tally.counts.httpFailed++;
  }

  #renewing: Promise<void> | undefined;

  async #renew(): Promise<void> {
    const { status, body } = await this.caller.as(undefined).call("POST", "/app/v1/sessions/refresh", {
      refreshToken: this.refreshToken,
    });
    if (status < 300) {
      this.caller = this.caller.as(String(body.token));
      this.refreshToken = String(body.refreshToken);
    }
  }
}

/** Has apps ask at a rate together, for a while. */
export async function appLoad(
  apps: readonly PhoneApp[],
  tally: Tally,
  load: { readonly perSecond: number; readonly forMs: number },
): Promise<void> {
  if (apps.length > 0) await atRate(load, (n, asked) => apps[n % apps.length]!.post(tally, asked));
}
