/**
 * The local port as something that can be closed, opened and moved while the gateway runs (reference §8: Ability,
 * LocatePort).
 *
 * @module
 */
import type { HostPort, Log } from "../../base/mod.ts";
import { messageOf } from "../../base/mod.ts";

/** What serves the local port while it is open. */
export interface LocalListener {
  readonly address: HostPort;
  readonly connections: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Where the local port is to be. */
export interface LocalPlace {
  readonly port: number;
  readonly open: boolean;
}

/** The local port, open or closed. */
export class LocalPort implements AsyncDisposable {
  readonly #listen: (port: number) => LocalListener;
  readonly #log: Log;
  /** Those that finish what they had begun. */
  readonly #ending = new Set<Promise<void>>();
  #server: LocalListener | undefined;
  #address: HostPort;

  /** `at`: what is told as its address until it is open for the first time. */
  constructor(at: HostPort, listen: (port: number) => LocalListener, log: Log) {
    this.#address = at;
    this.#listen = listen;
    this.#log = log;
  }

  /** Where it listens, or did when it was open last. */
  get address(): HostPort {
    return this.#address;
  }

  get open(): boolean {
    return this.#server !== undefined;
  }

  get connections(): number {
    return this.#server?.connections ?? 0;
  }

  /**
   * Opens, moves or closes it at once. Whoever is connected where it was gets the answer to what was asked, and no
   * more. Throws, and leaves everything as it was, where the new place can't be had.
   */
  place({ port, open }: LocalPlace): void {
    const old = this.#server;
    if (!open) this.#server = undefined;
    else if (!old || (port !== 0 && port !== old.address.port)) {
      this.#server = this.#listen(port);
      this.#address = this.#server.address;
    }
    if (old && old !== this.#server) this.#end(old);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server) this.#end(server);
    await Promise.all(this.#ending);
  }

  #end(server: LocalListener): void {
    const ending = server[Symbol.asyncDispose]().catch((error) => {
      this.#log.error("the local port did not end well", { reason: messageOf(error) });
    }).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }
}
