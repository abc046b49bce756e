/**
 * One plug-in host process seen from outside: started, talked to, watched, killed.
 *
 * @module
 */
import { type Clock, type Log, messageOf, type Timer } from "../base/mod.ts";
import { LINE_FROM_HOST, LineReader } from "./wire.ts";

/** How to start a plug-in host: something that ends up in `runPluginHost()`. */
export interface HostCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** Its whole environment but for `DENO_V8_FLAGS` and `NO_COLOR`, so that it inherits no secret. Default: empty. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A small young generation: a host makes much garbage and keeps little, and this saves it 12 MB under load. And a host
 * may collect garbage when it knows that there is some: the memories of guests that are gone.
 */
const HOST_ENV = { DENO_V8_FLAGS: "--max-semi-space-size=1,--expose-gc", NO_COLOR: "1" };
/** How often a host with work to do is asked whether it still listens, in milliseconds. */
const PING_MS = 100;
/** How long a host may take from start to its first word, in milliseconds. */
const START_MS = 10_000;
/** How long a host may take to end after its input was closed, in milliseconds. */
const CLOSE_MS = 1_000;
/** What may wait to be written to a host, in UTF-16 units. */
const BACKLOG = 64 * 1024 * 1024;
/** Lines of its error output that are logged. */
const STDERR_LINES = 100;

/** What a {@linkcode HostProcess} needs from its owner. */
export interface HostProcessOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** How long it may stay silent when asked, in milliseconds. */
  readonly stuckMs: () => number;
  /** Whether its owner waits for something. */
  readonly expecting: () => boolean;
  readonly onLine: (line: string) => void;
  /** It is gone (or was killed just now). Called once, and nothing is called after it. */
  readonly onGone: (reason: string, kind: "stuck" | "exited" | "closed") => void;
}

/** A running plug-in host. */
export class HostProcess {
  /** Resolves when the host answers; rejects if it never does. */
  readonly ready: Promise<void>;
  readonly pid: number;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #encoder = new TextEncoder();
  readonly #onReady: PromiseWithResolvers<void> = Promise.withResolvers();
  #out = "";
  #flushing = false;
  #gone = false;
  #started = false;
  #closing = false;
  #watch: Timer | undefined;
  #ping = 0;
  #pingSent: number | undefined;
  #unasked = false;
  #queued = false;

  constructor(command: HostCommand, private readonly options: HostProcessOptions) {
    this.#child = new Deno.Command(command.command, {
      args: [...command.args],
      clearEnv: true,
      env: { ...HOST_ENV, ...command.env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#child.pid;
    this.#writer = this.#child.stdin.getWriter();
    this.#writer.closed.catch(() => {}); // seen by the write that fails
    this.ready = this.#onReady.promise;
    this.ready.catch(() => {});
    const starting = options.clock.setTimer(() => this.#end("did not start in time", "exited"), START_MS);
    this.ready.finally(() => starting.cancel()).catch(() => {});
    this.#read().catch((error) => this.#end(`broke the protocol: ${messageOf(error)}`, "exited"));
    this.#readErrors().catch(() => {});
    this.#child.status.then(
      (status) => this.#end(`exited with ${status.signal ?? `code ${status.code}`}`, "exited"),
      (error) => this.#end(messageOf(error), "exited"),
    );
  }

  /** Sends a line; false where too much is waiting already. */
  send(line: string): boolean {
    if (this.#gone || this.#out.length + line.length > BACKLOG) return false;
    this.#out += line + "\n";
    this.#unasked = true;
    if (!this.#flushing) {
      this.#flushing = true;
      queueMicrotask(() => this.#flush());
    }
    this.#keepWatch();
    return true;
  }

  /** Ends it: lets it finish by itself for a second, then kills it. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#watch?.cancel();
    const kill = this.options.clock.setTimer(() => this.#kill(), CLOSE_MS);
    await this.#writer.close().catch(() => {});
    await this.#child.status;
    kill.cancel();
    this.#end("was closed", "closed");
  }

  /** Resolves when the process is really gone. */
  get exited(): Promise<unknown> {
    return this.#child.status;
  }

  async #flush(): Promise<void> {
    while (this.#out.length > 0 && !this.#gone) {
      const bytes = this.#encoder.encode(this.#out);
      this.#out = "";
      try {
        await this.#writer.write(bytes);
      } catch {
        break; // its end is seen by the exit status
      }
    }
    this.#flushing = false;
  }

  async #read(): Promise<void> {
    const lines = new LineReader(LINE_FROM_HOST, (line) => {
      if (this.#gone) return;
      if (line[0] === "P") return this.#onPong(line);
      if (line === "ready") return this.#ready();
      this.options.onLine(line);
    });
    const reader = this.#child.stdout.getReader({ mode: "byob" });
    let buffer: Uint8Array = new Uint8Array(256 * 1024);
    for (;;) {
      const { done, value } = await reader.read(buffer);
      if (done) return;
      lines.push(value);
      buffer = new Uint8Array(value.buffer);
    }
  }

  async #readErrors(): Promise<void> {
    let left = STDERR_LINES;
    const lines = new LineReader(64 * 1024, (line) => {
      if (left-- > 0) this.options.log.warn("plug-in host says", { pid: this.pid, line });
    });
    for await (const bytes of this.#child.stderr) {
      if (left > 0) lines.push(bytes);
    }
  }

  /** Watches from the time on when it is ready: until then it has `START_MS`. */
  #keepWatch(): void {
    if (!this.#started || this.#watch || this.#gone || this.#closing) return;
    this.#watch = this.options.clock.setTimer(() => {
      this.#watch = undefined;
      const now = this.options.clock.monotonic();
      if (this.#pingSent === undefined) {
        if (!this.#unasked && !this.#queued && !this.options.expecting()) return; // idle: no watch until the next line
        this.#pingSent = now;
        this.send(`P ${++this.#ping}`);
        this.#unasked = false;
      } else if (now - this.#pingSent > this.options.stuckMs()) {
        return this.#end(`did not answer for ${Math.round(now - this.#pingSent)} ms`, "stuck");
      }
      this.#keepWatch();
    }, PING_MS);
  }

  #ready(): void {
    this.#started = true;
    this.#onReady.resolve();
    this.#keepWatch();
  }

  #onPong(line: string): void {
    const [, number, queued] = line.split(" ");
    if (Number(number) !== this.#ping) return;
    this.#pingSent = undefined;
    this.#queued = queued === "1";
  }

  #kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it is gone already
    }
  }

  #end(reason: string, kind: "stuck" | "exited" | "closed"): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#watch?.cancel();
    this.#kill();
    this.#writer.abort().catch(() => {}); // it is closed already
    this.#onReady.reject(new Error(`the plug-in host ${reason}`));
    this.options.onGone(reason, this.#closing ? "closed" : kind);
  }
}
