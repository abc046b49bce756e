/**
 * A way to a server that a test can close, cut and stop.
 *
 * @module
 */

/** Forwards TCP to `target`, for as long as it is let. */
export class TcpProxy implements AsyncDisposable {
  readonly #pairs = new Set<readonly [Deno.TcpConn, Deno.TcpConn]>();
  readonly #forgotten = new WeakSet<Deno.TcpConn>();
  /** What the server still believes in. */
  readonly #left = new Set<Deno.TcpConn>();
  #listener: Deno.TcpListener | undefined;
  #going = Promise.withResolvers<void>();
  #loops: Promise<void>[] = [];
  readonly port: number;

  constructor(private readonly target: number) {
    this.#going.resolve();
    this.port = this.#listen(0);
  }

  /** Nobody gets in any more, and those who are in are cut off: a server that was stopped. */
  refuse(): void {
    this.#listener?.close();
    this.#listener = undefined;
    this.cut();
  }

  /** Connections end; new ones are taken. */
  cut(): void {
    for (const pair of this.#pairs) for (const conn of pair) quietly(() => conn.close());
    this.#pairs.clear();
  }

  /** Whoever came is cut off, and the server does not notice: a machine between the two that has forgotten them. */
  forget(): void {
    for (const [outer] of this.#pairs) {
      this.#forgotten.add(outer);
      quietly(() => outer.close());
    }
    this.#pairs.clear();
  }

  /** Connections stay and are taken, and not a byte goes either way: a network or a server that stands still. */
  stall(): void {
    this.#going = Promise.withResolvers();
  }

  /** All is well again. What was held back goes on its way. */
  heal(): void {
    if (!this.#listener) this.#listen(this.port);
    this.#going.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.refuse();
    for (const conn of this.#left) quietly(() => conn.close());
    this.#going.resolve();
    await Promise.all(this.#loops);
  }

  #listen(port: number): number {
    const listener = this.#listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#loops.push(this.#accept(listener));
    return (listener.addr as Deno.NetAddr).port;
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    try {
      for await (const conn of listener) this.#loops.push(this.#join(conn));
    } catch {
      // closed
    }
  }

  async #join(outer: Deno.TcpConn): Promise<void> {
    let inner: Deno.TcpConn;
    try {
      await this.#going.promise;
      inner = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
    } catch {
      return quietly(() => outer.close());
    }
    const pair = [outer, inner] as const;
    this.#pairs.add(pair);
    await Promise.all([this.#pump(outer, inner), this.#pump(inner, outer)]);
    this.#pairs.delete(pair);
  }

  async #pump(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let n = await from.read(buffer); n !== null; n = await from.read(buffer)) {
        await this.#going.promise;
        for (let at = 0; at < n;) at += await to.write(buffer.subarray(at, n));
      }
    } catch {
      // cut
    }
    if (this.#forgotten.has(from)) return void this.#left.add(to);
    if (this.#forgotten.has(to)) return void this.#left.add(from);
    quietly(() => to.close());
    quietly(() => from.close());
  }
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // closed already
  }
}
