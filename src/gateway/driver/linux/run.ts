/**
 * Running programs of the machine: without a shell, with a time limit, and with a bound on what is read of them.
 * What stands under /proc and /sys is read this way too, since the runtime does not open it.
 *
 * @module
 */
import { type Clock, messageOf, type Timer } from "../../../base/mod.ts";
import { DriverError, unsupported } from "../errors.ts";

/** How a program is run. */
export interface RunOptions {
  /** It is killed after so many milliseconds; default 5,000. */
  readonly timeoutMs?: number;
  /** Bytes that are read of its output; the rest is thrown away. Default 256 KiB. */
  readonly maxBytes?: number;
  /** It is killed when this is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** What it reads from its standard input; default nothing. */
  readonly input?: string;
}

/** How a program ended. */
export interface RunResult {
  /** Its exit code; 128 and more where a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  /** The first line of what it complained about, 200 characters at most. */
  readonly stderr: string;
}

/** Runs programs. Parts of the driver take one, so that tests can hand them another. */
export interface Runner {
  /** Runs it to its end. @throws {DriverError} `unsupported` where there is no such program, `busy`, `failed` */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** The output of a program that has to end with 0. @throws {DriverError} as `run`; `failed` where it does not */
  output(program: string, args: readonly string[], options?: RunOptions): Promise<string>;
  /** The output of a program, read as JSON. @throws {DriverError} as `output`; `failed` where it is no JSON */
  json(program: string, args: readonly string[], options?: RunOptions): Promise<unknown>;
  /** A file under /proc or /sys; undefined where it is not there or can't be read. */
  read(path: string): Promise<string | undefined>;
  /** The names in a folder under /proc or /sys; none where it is not there. */
  list(path: string): Promise<string[]>;
  /** Writes a file under /proc or /sys. @throws {DriverError} */
  write(path: string, text: string): Promise<void>;
}

/** What a {@linkcode SystemRunner} works with. */
export interface SystemRunnerOptions {
  readonly clock: Clock;
  /** Stands before each program: `["ip", "netns", "exec", "home"]` runs them in a network namespace. */
  readonly within?: readonly string[];
  /** Stands before /proc and /sys. */
  readonly root?: string;
  /** Programs that are found elsewhere than on PATH, by name. */
  readonly paths?: Readonly<Record<string, string>>;
}

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 256 * 1024;
/** How long what a program said is read after its end, where something else holds its output open. */
const GRACE_MS = 500;
/** Programs at one time; those that come meanwhile wait for their turn, and one more than may wait is `busy`. */
const MAX_RUNNING = 16;
const MAX_WAITING = 256;
/** What a program's argument may be: no control character, and no more than this. */
const MAX_ARGUMENT = 4096;

/** The {@linkcode Runner} for the real machine. */
export class SystemRunner implements Runner {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly options: SystemRunnerOptions) {}

  async run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const bad = args.find((arg) => arg.length > MAX_ARGUMENT || /\p{Cc}/u.test(arg));
    if (bad !== undefined) {
      throw new DriverError("invalid", `${program} can't be given ${JSON.stringify(bad.slice(0, 64))}`);
    }
    await this.#turn(options.signal);
    try {
      return await this.#run(program, args, options);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(); // it takes this one's place
      else this.#running--;
    }
  }

  async output(program: string, args: readonly string[], options?: RunOptions): Promise<string> {
    const { code, stdout, stderr } = await this.run(program, args, options);
    if (code !== 0) {
      throw new DriverError("failed", stderr === "" ? `${program} ended with ${code}` : stderr);
    }
    return stdout;
  }

  async json(program: string, args: readonly string[], options?: RunOptions): Promise<unknown> {
    const text = await this.output(program, args, options);
    if (text.trim() === "") return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new DriverError("failed", `${program} answered what is no JSON`, { cause });
    }
  }

  async read(path: string): Promise<string | undefined> {
    const { code, stdout } = await this.run("cat", [this.#rooted(path)]);
    return code === 0 ? stdout : undefined;
  }

  async list(path: string): Promise<string[]> {
    const { code, stdout } = await this.run("ls", ["-1", this.#rooted(path)]);
    return code === 0 ? stdout.split("\n").filter((name) => name !== "") : [];
  }

  async write(path: string, text: string): Promise<void> {
    await this.output("tee", [this.#rooted(path)], { input: text });
  }

  /** Resolves when there is room for one more. */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    if (this.#running < MAX_RUNNING) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= MAX_WAITING) throw new DriverError("busy", "too many programs are running");
    const turn = Promise.withResolvers<void>();
    const giveUp = () => {
      const at = this.#waiting.indexOf(turn.resolve);
      if (at < 0) return; // it is its turn already
      this.#waiting.splice(at, 1);
      turn.reject(new DriverError("failed", "it was given up"));
    };
    this.#waiting.push(turn.resolve);
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      await turn.promise;
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  }

  #rooted(path: string): string {
    if (!/^\/(?:proc|sys)\/[^\0]*$/.test(path) || path.split("/").includes("..")) {
      throw new DriverError("invalid", `not a path under /proc or /sys: "${path.slice(0, 64)}"`);
    }
    return (this.options.root ?? "") + path;
  }

  async #run(program: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
    const { timeoutMs = TIMEOUT_MS, maxBytes = MAX_BYTES, signal, input } = options;
    const { clock, within = [], paths = {} } = this.options;
    const line = [...within, Object.hasOwn(paths, program) ? paths[program]! : program, ...args];
    if (signal?.aborted) throw new DriverError("failed", "it was given up");
    const child = spawn(program, line, input !== undefined);
    const ended = new AbortController();
    let late = false;
    const kill = () => {
      ended.abort();
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended already.
      }
    };
    let grace: Timer | undefined;
    const timer = clock.setTimer(() => {
      late = true;
      kill();
    }, timeoutMs);
    signal?.addEventListener("abort", kill);
    try {
      const fed = input === undefined ? undefined : feed(child.stdin, input, ended.signal);
      const output = Promise.all([
        head(child.stdout, maxBytes, ended.signal),
        head(child.stderr, 4096, ended.signal),
      ]);
      const { code } = await child.status;
      timer.cancel();
      // What it started itself may hold its output open: what is on its way is read, and that is not waited for.
      grace = clock.setTimer(() => ended.abort(), GRACE_MS);
      const [stdout, stderr] = await output;
      await fed;
      if (signal?.aborted) throw new DriverError("failed", "it was given up");
      if (late) throw new DriverError("failed", `${program} took more than ${timeoutMs} ms`);
      // What stands before the program is there, the program is not.
      if (code !== 0 && within.length > 0 && /^exec of .* failed: No such file/.test(stderr)) {
        throw none(program);
      }
      return { code, stdout, stderr: firstLine(stderr) };
    } finally {
      timer.cancel();
      grace?.cancel();
      signal?.removeEventListener("abort", kill);
    }
  }
}

function none(program: string): DriverError {
  return unsupported(`there is no ${program.split("/").at(-1)} on this machine`);
}

function spawn(program: string, [command, ...args]: readonly string[], fed: boolean): Deno.ChildProcess {
  try {
    return new Deno.Command(command!, {
      args,
      stdin: fed ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
      // The words that are looked for are English.
      env: { LC_ALL: "C" },
    }).spawn();
  } catch (error) {
    // A program that was not there when the runtime started is one that it may not run.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) throw none(program);
    throw new DriverError("failed", `${program} could not be started: ${messageOf(error)}`);
  }
}

async function feed(
  stdin: WritableStream<Uint8Array>,
  input: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await new Blob([input]).stream().pipeTo(stdin, { signal });
  } catch {
    // It ended without reading everything: its exit code says what that means.
  }
}

async function head(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string> {
  const decoder = new TextDecoder(), reader = stream.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  let text = "", left = maxBytes;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text;
    if (left > 0) text += decoder.decode(value.subarray(0, left), { stream: true });
    left -= value.length;
  }
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0]!.trim().slice(0, 200);
}
