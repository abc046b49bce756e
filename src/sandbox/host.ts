/**
 * The plug-in host: the process that runs guests so that it can be killed. It holds no permission, and imports
 * no more than the engine, so that it is small and soon ready.
 *
 * @module
 */
import { systemClock, type Timer } from "../base/mod.ts";
import type { Program } from "./engine.ts";
import { createQuickJsEngine } from "./engine_quickjs.ts";
import { PluginError } from "./errors.ts";
import { Executor } from "./executor.ts";
import type { Grant } from "./runner.ts";
import { Fields, LINE_TO_HOST, LineReader } from "./wire.ts";

/** How soon after a guest is gone its memory is given back, in milliseconds; and no more often than that. */
const TIDY_MS = 500;
/** There where V8 was told to expose it, as `HostProcess` does. */
const { gc } = globalThis as { gc?: () => void };

const PERMISSIONS = ["read", "write", "net", "env", "run", "sys", "ffi", "import"] as const;

/**
 * Runs a plug-in host on this process's standard input and output until the input ends. Drops every permission of the
 * process first: call it from a process that does nothing else.
 */
export async function runPluginHost(): Promise<void> {
  for (const name of PERMISSIONS) await Deno.permissions.revoke({ name });
  const host = new HostLoop((bytes) => {
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  });
  host.send("ready");
  host.flush();
  const buffer = new Uint8Array(256 * 1024);
  for (;;) {
    const length = await Deno.stdin.read(buffer);
    if (length === null) return;
    host.take(buffer.subarray(0, length));
    host.flush();
  }
}

class HostLoop {
  readonly #encoder = new TextEncoder();
  readonly #executor: Executor;
  readonly #lines = new LineReader(LINE_TO_HOST, (line) => this.#on(line));
  #out = "";
  #entered = -1;
  #tidying: Timer | undefined;

  constructor(private readonly write: (bytes: Uint8Array) => void) {
    const events: ConstructorParameters<typeof Executor>[2] = {
      returned: (call, text) => this.send(`S ${call} ${text}`),
      failed: (call, ...error) => this.send(`E ${call} ${JSON.stringify(error)}`),
      hostCall: (guest, seq, name, args) => this.send(`H ${guest} ${seq} ${name} ${args}`),
      log: (guest, level, text) => this.send(`G ${guest} ${level} ${JSON.stringify(text)}`),
      dropped: (guest, lines) => this.send(`T ${guest} ${lines}`),
      usage: (guest, bytes) => this.send(`M ${guest} ${bytes}`),
      fault: (guest, { kind, message }) => {
        this.send(`F ${guest} ${JSON.stringify([kind, message])}`);
        this.#tidy();
      },
    };
    const engine = createQuickJsEngine(systemClock.monotonic);
    this.#executor = new Executor(systemClock, engine, events, {
      enter: (guest) => {
        // Told only when it changes, and before it happens: the last one told is the one that is stuck.
        if (guest === this.#entered) return;
        this.#entered = guest;
        this.send(`N ${guest}`);
        this.flush();
      },
      begun: (call) => this.send(`B ${call}`),
      turned: () => this.flush(),
    });
  }

  send(line: string): void {
    this.#out += line + "\n";
  }

  flush(): void {
    if (this.#out.length === 0) return;
    const bytes = this.#encoder.encode(this.#out);
    this.#out = "";
    this.write(bytes);
  }

  take(bytes: Uint8Array): void {
    this.#lines.push(bytes);
  }

  #on(line: string): void {
    const fields = new Fields(line), executor = this.#executor;
    switch (line[0]) {
      case "C":
        return executor.call(fields.number(), fields.number(), fields.text(), fields.rest());
      case "R": {
        const guest = fields.number(), seq = fields.number(), text = fields.rest();
        return executor.answer(guest, seq, text[0] === "=", text.slice(1));
      }
      case "X":
        return executor.cancel(fields.number());
      case "P":
        return this.send(`P ${fields.number()} ${executor.queued ? 1 : 0}`);
      case "Q":
        return this.send(`Q ${fields.number()} ${Deno.memoryUsage().rss}`);
      case "L":
        return void this.#load(fields);
      case "A":
        return executor.admit(fields.number(), JSON.parse(fields.rest()) as Grant);
      case "U":
        executor.unload(fields.number());
        return this.#tidy();
    }
  }

  /** The memory of a guest is outside of V8's heap, which would see little reason to collect by itself. */
  #tidy(): void {
    if (!gc) return;
    this.#tidying ??= systemClock.setTimer(() => {
      this.#tidying = undefined;
      gc();
    }, TIDY_MS);
  }

  async #load(fields: Fields): Promise<void> {
    const guest = fields.number(), memoryBytes = fields.number(), sliceMs = fields.number();
    try {
      const program = JSON.parse(fields.rest()) as Program;
      const text = await this.#executor.load(guest, program, { memoryBytes, sliceMs });
      this.send(`D ${guest} =${text}`);
    } catch (error) {
      const { code, message } = error instanceof PluginError
        ? error
        : { code: "crashed", message: String(error) };
      this.send(`D ${guest} !${JSON.stringify([code, message])}`);
    }
    this.flush();
  }
}
