/**
 * HTTP over TLS whose certificate changes while it runs: new connections get the new one, those that are open keep
 * theirs and are served on until they end.
 *
 * The files are looked at every ten seconds and at SIGHUP, by content: so it does not matter whether they are written
 * in place, renamed over, or reached by links that change (certbot, Kubernetes). Files that do not fit each other,
 * such as between the two renames of a renewal, are left alone until they do.
 *
 * @module
 */
import { type Deps, GatehouseError, type HostPort, messageOf, type Timer } from "../base/mod.ts";
import { type Caller, Relay, type RelayLimits, type Target } from "./tls_relay.ts";

/** Where certificate and key are. */
export interface TlsFiles {
  /** PEM file with the certificate, then those that vouch for it. */
  readonly cert: string;
  /** PEM file with its private key. */
  readonly key: string;
}

/** Answers one request of `caller`; `completed` settles when the answer is handed over in full. */
export type Answer = (
  request: Request,
  caller: { readonly address: string; readonly completed: Promise<void> },
) => Promise<Response> | Response;

/** One certificate's server. */
interface Generation extends Target {
  readonly server: Deno.HttpServer;
  readonly kill: AbortController;
  /** Connections to it, those that are still being made among them. */
  connections: number;
  retired: boolean;
}

/** Milliseconds between two looks at the files. */
const LOOK_MS = 10_000;
/** Earlier certificates whose connections are still served; of more, the oldest's are closed in good order. */
const MAX_RETIRED = 3;
/** Largest file that is taken, in characters. */
const MAX_FILE = 1_048_576;

/** A listening server with TLS. */
export class TlsServer {
  readonly #relay: Relay;
  readonly #retired: Generation[] = [];
  readonly #onSignal = () => this.reload();
  #current: Generation;
  #seen = "";
  #notAfter = NaN;
  #timer: Timer | undefined;
  #stopped = false;

  /**
   * Starts at `at`.
   *
   * @throws {GatehouseError} `tls_files` where the files can't be used; the system's error where the address can't
   * be had
   */
  constructor(
    private readonly deps: Pick<Deps, "clock" | "log" | "metrics">,
    at: HostPort,
    private readonly files: TlsFiles,
    private readonly answer: Answer,
    limits: RelayLimits = {},
  ) {
    const { metrics } = deps;
    try {
      const pair = this.#read();
      this.#seen = pair.cert + pair.key;
      this.#current = this.#serve(pair);
    } catch (error) {
      const { cert, key } = files;
      throw new GatehouseError(
        "tls_files",
        `"${cert}" and "${key}" are no certificate and its key: ${messageOf(error)}`,
        { cause: error },
      );
    }
    try {
      this.#relay = new Relay(deps, at, () => this.#current, limits);
    } catch (error) {
      this.#current.kill.abort();
      throw error;
    }
    metrics.gauge("gatehouse_tls_connections", "Connections with TLS", () => this.#relay.size);
    metrics.gauge(
      "gatehouse_tls_certificate_expires_seconds",
      "When the certificate in force ends, in seconds since 1970",
      () => this.#notAfter / 1000,
    );
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGHUP", this.#onSignal);
    this.#look();
  }

  /** Where it listens. */
  get address(): HostPort {
    return this.#relay.address;
  }

  /** Looks at the files now; a pair that can't be used leaves the one in force. Tells whether there is a new one. */
  reload(): boolean {
    if (this.#stopped) return false;
    const { log } = this.deps, { cert: path } = this.files;
    let text: string | undefined;
    try {
      const pair = this.#read();
      text = pair.cert + pair.key;
      if (text === this.#seen) return false;
      const next = this.#serve(pair);
      this.#retire(this.#current);
      this.#current = next;
      this.#seen = text;
      log.info("a new certificate is in force", { path, until: new Date(this.#notAfter).toISOString() });
      return true;
    } catch (error) {
      const reason = messageOf(error);
      // Said once for each content, not at every look.
      const same = text ?? reason;
      if (same !== this.#seen) log.error("the certificate stays as it was", { path, error: reason });
      this.#seen = same;
      return false;
    }
  }

  /** Takes no more connections, and closes those that are open in good order. */
  async shutdown(): Promise<void> {
    this.#stop();
    await Promise.all(this.#generations().map(({ server }) => server.shutdown()));
    await this.#relay.finished();
  }

  /** Cuts everything. */
  async kill(): Promise<void> {
    // Servers that are closing in good order can't be told to abort any more: without connections they end.
    const closing = this.#stopped;
    this.#stop();
    if (!closing) { for (const { kill } of this.#generations()) kill.abort(); }
    this.#relay.cut();
    await this.#relay.finished();
  }

  #stop(): void {
    if (!this.#stopped && Deno.build.os !== "windows") Deno.removeSignalListener("SIGHUP", this.#onSignal);
    this.#stopped = true;
    this.#timer?.cancel();
    this.#relay.close();
  }

  #look(): void {
    this.#timer = this.deps.clock.setTimer(() => {
      if (this.#stopped) return;
      this.reload();
      this.#look();
    }, LOOK_MS);
  }

  #read(): { cert: string; key: string } {
    const [cert, key] = [this.files.cert, this.files.key].map((path) => {
      // Not a device or a pipe: reading those may never end.
      const { isFile, size } = Deno.statSync(path);
      if (!isFile || size > MAX_FILE) throw new GatehouseError("tls_files", `"${path}" is no PEM file`);
      return Deno.readTextFileSync(path);
    }) as [string, string];
    return { cert, key };
  }

  /** A server for `pair`, on a port of the loopback that only the relay is served on. */
  #serve(pair: { cert: string; key: string }): Generation {
    // deno-lint-ignore no-process-global -- loaded only where there is TLS: an import would load it always
    const { X509Certificate } = process.getBuiltinModule("node:crypto");
    const notAfter = new X509Certificate(pair.cert).validToDate.getTime();
    const { log } = this.deps, kill = new AbortController(), callers = new Map<number, Caller>();
    const server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      ...pair,
      signal: kill.signal,
      onListen: () => {},
      onError(error) {
        log.error("HTTP server failed to answer", { error });
        return new Response(null, { status: 500 });
      },
    }, (request, { remoteAddr, completed }) => {
      const caller = callers.get(remoteAddr.port);
      // Somebody on this machine who passed the open port by: whose address would that be?
      if (!caller) return new Response(null, { status: 421, headers: { connection: "close" } });
      caller.asked = true;
      return this.answer(request, { address: caller.address, completed });
    });
    const generation: Generation = {
      server,
      kill,
      callers,
      port: server.addr.port,
      connections: 0,
      retired: false,
      begun: () => void generation.connections++,
      ended: () => {
        generation.connections--;
        this.#sweep(generation);
      },
    };
    this.#notAfter = notAfter;
    return generation;
  }

  #retire(generation: Generation): void {
    generation.retired = true;
    this.#retired.push(generation);
    this.#sweep(generation);
    if (this.#retired.length > MAX_RETIRED) this.#end(this.#retired[0]!);
  }

  /** Ends a retired server once nobody is connected to it. */
  #sweep(generation: Generation): void {
    if (generation.retired && generation.connections === 0) this.#end(generation);
  }

  #end(generation: Generation): void {
    const at = this.#retired.indexOf(generation);
    if (at < 0) return;
    this.#retired.splice(at, 1);
    generation.server.shutdown().catch(() => {});
  }

  #generations(): Generation[] {
    return [...this.#retired, this.#current];
  }
}
