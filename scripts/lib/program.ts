// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * The program as a user starts it, in a process of its own: run from source, or a compiled executable.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { runPermissions } from "./permissions.ts";

/** How to start it. */
export interface ProgramOptions {
  /** A compiled executable; default: the source, run by this very Deno. */
  readonly binary?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  /** Its data folder; default: one of its own that goes with it. */
  readonly dataDir?: string;
  /** Shows what it logs. */
  readonly verbose?: boolean;
  /** Milliseconds until it must be ready. */
  readonly timeoutMs?: number;
}

/** A running `gatehouse`. Disposing of it stops it by SIGTERM, and kills it where that does not help. */
export interface Program extends AsyncDisposable {
  readonly pid: number;
  readonly dataDir: string;
  /** What it listens on by name, as it printed it: `{ access: 40213 }`. */
  readonly ports: Readonly<Record<string, number>>;
  /** From the start of the process to its word that it is ready. */
  readonly readyMs: number;
  readonly status: Promise<Deno.CommandStatus>;
  /** What it logged so far. */
  log(): string;
  kill(signal: Deno.Signal): void;
  /** Resident memory of it and of the processes it started, in MiB. */
  residentMiB(): Promise<number>;
}

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));
const STOP_MS = 20_000;

/** Starts a role with `args` and waits until it is ready. Throws with its log where it ends before that. */
export async function startProgram(
  role: "gateway" | "platform",
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Program> {
  const own = options.dataDir === undefined;
  const dataDir = options.dataDir ?? await Deno.makeTempDir({ prefix: `gatehouse-${role}-` });
  const line = ["--role", role, "--data", dataDir, ...args];
  const { binary } = options;
  const began = performance.now();
  const child = new Deno.Command(binary ?? Deno.execPath(), {
    args: binary ? line : ["run", "--quiet", ...runPermissions(), MAIN, ...line],
    // An executable must need nothing that lies around: no program on a path, no cache of Deno's.
    env: { ...(binary && { PATH: "", DENO_DIR: "/nonexistent" }), ...options.env },
    clearEnv: binary !== undefined,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let log = "";
  const logged = lines(child.stderr, (text) => {
    log = (log + text + "\n").slice(-200_000);
    if (options.verbose) console.error(`  [${role} ${child.pid}] ${text}`);
  });
  const ports: Record<string, number> = {};
  const ready = Promise.withResolvers<number>();
  const printed = lines(child.stdout, (text) => {
    const [, name, port] = /^listening: (?:([\w-]+) )?(?:udp|tcp|http) .*:(\d+)$/.exec(text) ?? [];
    if (port) ports[name ?? ""] ??= Number(port);
    if (text.startsWith("ready: ")) ready.resolve(performance.now() - began);
  });
  const ended = Promise.all([child.status, logged, printed]);
  const failed = ended.then(([{ code, signal }]) => {
    throw new Error(`the ${role} ended (${signal ?? code}) before it was ready:\n${log}`);
  });
  failed.catch(() => {}); // it also ends when all is well, later
  const limit = options.timeoutMs ?? 20_000;
  const readyMs = await Promise.race([
    ready.promise,
    failed,
    after(limit, `the ${role} is not ready`, () => log),
  ])
    .catch((error) => {
      kill(child, "SIGKILL");
      throw error;
    });
  return {
    pid: child.pid,
    dataDir,
    ports,
    readyMs,
    status: child.status,
    log: () => log,
    kill: (signal) => kill(child, signal),
    residentMiB: () => residentMiB(child.pid),
    async [Symbol.asyncDispose]() {
      kill(child, "SIGTERM");
      const timer = setTimeout(() => kill(child, "SIGKILL"), STOP_MS);
      await ended;
      clearTimeout(timer);
      if (own) await Deno.remove(dataDir, { recursive: true });
    },
  };
}

/** Resident memory of a process and all below it, in MiB, by the kernel's account. */
export async function residentMiB(pid: number): Promise<number> {
  const family = new Set([pid, ...await descendants(pid)]);
  const pages = (await processes()).filter((each) => family.has(each.pid)).reduce(
    (sum, { rss }) => sum + rss,
    0,
  );
  return pages * PAGE_BYTES / 2 ** 20;
}

/** What one process has in memory: resident, and with what it shares divided among those who share it. */
export async function processMemory(pid: number): Promise<{ rssMiB: number; pssMiB: number }> {
  const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/smaps_rollup`] }).output();
  const text = new TextDecoder().decode(stdout);
  const of = (name: string) => Number(new RegExp(`^${name}: +(\\d+)`, "m").exec(text)?.[1] ?? NaN) / 1024;
  return { rssMiB: of("Rss"), pssMiB: of("Pss") };
}

/** The processes that `pid` started, and those that these started. */
export async function descendants(pid: number): Promise<number[]> {
  const all = await processes(),
    below = (of: number): number[] =>
      all.filter(({ parent }) => parent === of).flatMap((child) => [child.pid, ...below(child.pid)]);
  return below(pid);
}

const PAGE_BYTES = 4096;

/** Every process of this machine. (The runtime itself may read /proc only with every permission there is.) */
async function processes(): Promise<{ pid: number; parent: number; rss: number }[]> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", "cat /proc/[0-9]*/stat 2>/dev/null"] })
    .output();
  return new TextDecoder().decode(stdout).trim().split("\n").map((line) => {
    // pid (name, which may hold anything) state ppid … rss is the 24th field
    const rest = line.slice(line.lastIndexOf(")") + 2).split(" ");
    return { pid: parseInt(line), parent: Number(rest[1]), rss: Number(rest[21]) };
  });
}

async function lines(stream: ReadableStream<Uint8Array>, take: (line: string) => void): Promise<void> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    for (const part of parts) take(part);
  }
  if (rest) take(rest);
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // it has ended already
  }
}

function after(ms: number, what: string, more: () => string): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} after ${ms} ms:\n${more()}`)), ms);
    Deno.unrefTimer(timer);
  });
}
