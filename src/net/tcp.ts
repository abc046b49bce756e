/**
 * The real connections, on `Deno.listen` and `Deno.connect`.
 *
 * @module
 */
import { type Clock, formatHostPort, type HostPort, messageOf, sleep } from "../base/mod.ts";
import type { Log } from "../base/mod.ts";
import { plainAddress } from "./addresses.ts";
import { NetError, toNetError } from "./errors.ts";
import type { ByteStream, StreamListener } from "./stream.ts";

/** Listens on `address` (port 0: any). @throws {NetError} where that can't be had. */
export function listenTcp(address: HostPort, deps: { clock: Clock; log: Log }): StreamListener {
  let raw: Deno.TcpListener;
  try {
    raw = Deno.listen({ transport: "tcp", hostname: address.host, port: address.port });
  } catch (error) {
    throw toNetError(error, `listen on tcp "${formatHostPort(address)}"`);
  }
  return new TcpListener(raw, deps);
}

/** Connects, within `timeoutMs`. @throws {NetError} `refused`, `timeout`, `aborted`, `not_found`, `unreachable`. */
export async function connectTcp(
  to: HostPort,
  clock: Clock,
  options: { timeoutMs: number; signal?: AbortSignal },
): Promise<ByteStream> {
  const where = `connect to "${formatHostPort(to)}"`;
  const { signal } = options;
  if (signal?.aborted) throw new NetError("aborted", `${where}: aborted`, { cause: signal.reason });
  const giveUp = new AbortController();
  const timer = clock.setTimer(() => giveUp.abort(), options.timeoutMs);
  try {
    const conn = await Deno.connect({
      transport: "tcp",
      hostname: to.host,
      port: to.port,
      signal: signal ? AbortSignal.any([signal, giveUp.signal]) : giveUp.signal,
    });
    return new TcpStream(conn);
  } catch (error) {
    if (signal?.aborted) throw new NetError("aborted", `${where}: aborted`, { cause: signal.reason });
    if (giveUp.signal.aborted) {
      throw new NetError("timeout", `${where}: no answer in ${options.timeoutMs} ms`);
    }
    throw toNetError(error, where);
  } finally {
    timer.cancel();
  }
}

class TcpListener implements StreamListener {
  readonly address: HostPort;
  #closed = false;

  constructor(
    private readonly raw: Pick<Deno.TcpListener, "accept" | "close" | "addr">,
    private readonly deps: { clock: Clock; log: Log },
  ) {
    const addr = raw.addr as Deno.NetAddr;
    this.address = { host: addr.hostname, port: addr.port };
  }

  /** Errors of single connections, or no file handles left, must not end the service: it tries again. */
  async accept(): Promise<ByteStream | undefined> {
    for (let pause = 0; !this.#closed; pause = Math.min(pause * 2 + 5, 1000)) {
      try {
        return new TcpStream(await this.raw.accept());
      } catch (error) {
        if (this.#closed) return undefined;
        this.deps.log.warn("accepting a connection failed, trying again", { reason: messageOf(error) });
        if (pause > 0) await sleep(this.deps.clock, pause);
      }
    }
    return undefined;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.raw.close();
  }
}

class TcpStream implements ByteStream {
  readonly local: HostPort;
  readonly remote: HostPort;
  #closed = false;

  constructor(private readonly conn: Deno.TcpConn) {
    const { localAddr, remoteAddr } = conn;
    this.local = { host: plainAddress(localAddr.hostname), port: localAddr.port };
    this.remote = { host: plainAddress(remoteAddr.hostname), port: remoteAddr.port };
    conn.setNoDelay(true);
    // A gateway that loses its power says nothing: the system's probes find out, even on links without traffic.
    conn.setKeepAlive(true);
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.conn.read(buffer);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.conn.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.conn.closeWrite();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.conn.close();
  }
}
