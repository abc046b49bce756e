/**
 * Pinging, and finding the routers on the way, with the machine's own `ping`, which may open raw sockets where we may not. Knows the output of iputils
 * and of busybox.
 *
 * @module
 */
import { type Clock, messageOf } from "../../base/mod.ts";
import { isIpAddress } from "../../net/mod.ts";
import {
  DriverError,
  type Hop,
  type PingOptions,
  type PingReport,
  type TracerouteOptions,
} from "./driver.ts";

/** Pings at one time. */
const MAX_RUNNING = 4;
/** What of the output is read, in bytes. */
const MAX_OUTPUT = 16 * 1024;
const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.?$/;

let running = 0;

/** Runs `program` once. @throws {DriverError} `invalid`, `unsupported` (no such program), `busy`, `failed`. */
export async function ping(
  clock: Clock,
  destination: string,
  { count, size, signal }: PingOptions,
  program = "ping",
): Promise<PingReport> {
  if (!isIpAddress(destination) && !HOST_NAME.test(destination)) {
    throw new DriverError("invalid", `not a host name or IP address: "${destination.slice(0, 64)}"`);
  }
  if (!Number.isInteger(count) || count < 1 || count > 20) {
    throw new DriverError("invalid", "count is not 1 to 20");
  }
  if (!Number.isInteger(size) || size < 0 || size > 1472) {
    throw new DriverError("invalid", "size is not 0 to 1472");
  }
  return await oneOfFew(async () => {
    const args = ["-c", count, "-s", size, "-W", 2, "-w", count + 3, destination].map(String);
    const { stdout, stderr } = await run(clock, program, args, (count + 5) * 1000, signal);
    const report = parsePing(stdout);
    if (report) return report;
    throw new DriverError("failed", stderr === "" ? "ping gave no result" : stderr);
  });
}

/** The routers on the way to `destination`, each found by a ping that may go no further. Throws as {@linkcode ping}. */
export async function traceroute(
  clock: Clock,
  destination: string,
  { maxHops, signal }: TracerouteOptions,
  program = "ping",
): Promise<Hop[]> {
  if (!isIpAddress(destination) && !HOST_NAME.test(destination)) {
    throw new DriverError("invalid", `not a host name or IP address: "${destination.slice(0, 64)}"`);
  }
  if (!Number.isInteger(maxHops) || maxHops < 1 || maxHops > 30) {
    throw new DriverError("invalid", "maxHops is not 1 to 30");
  }
  return await oneOfFew(async () => {
    const hops: Hop[] = [];
    for (let hop = 1; hop <= maxHops; hop++) {
      const began = clock.monotonic();
      const args = ["-n", "-c", 1, "-t", hop, "-W", 1, destination].map(String);
      const { stdout, stderr } = await run(clock, program, args, 4000, signal);
      if (signal.aborted) throw new DriverError("failed", "it was given up");
      const router = /^From ([0-9A-Fa-f.:]+?):? .*(?:[Tt]ime to live|Hop limit) exceeded/m.exec(stdout)?.[1];
      const reply = /^\d+ bytes from ([0-9A-Fa-f.:]+?):? .*time=([\d.]+)/m.exec(stdout);
      if (reply) return [...hops, { hop, address: reply[1]!, ms: Number(reply[2]) }];
      if (router !== undefined) {
        hops.push({ hop, address: router, ms: Math.round(clock.monotonic() - began) });
      } else if (!parsePing(stdout)) {
        throw new DriverError("failed", stderr === "" ? "ping gave no result" : stderr);
      } else hops.push({ hop });
    }
    return hops;
  });
}

async function oneOfFew<T>(work: () => Promise<T>): Promise<T> {
  if (running >= MAX_RUNNING) throw new DriverError("busy", `${MAX_RUNNING} pings are running`);
  running++;
  try {
    return await work();
  } finally {
    running--;
  }
}

async function run(
  clock: Clock,
  program: string,
  args: string[],
  limitMs: number,
  signal: AbortSignal,
): Promise<{ stdout: string; stderr: string }> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      // The words that are looked for are English.
      env: { LC_ALL: "C" },
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new DriverError("unsupported", "there is no ping on this machine");
    }
    throw new DriverError("failed", `ping could not be started: ${messageOf(error)}`);
  }
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  };
  const timer = clock.setTimer(kill, limitMs);
  signal.addEventListener("abort", kill);
  try {
    const [stdout, stderr] = await Promise.all([head(child.stdout), head(child.stderr)]);
    await child.status;
    return { stdout, stderr: stderr.split("\n", 1)[0]!.trim().slice(0, 200) };
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", kill);
  }
}

async function head(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    if (text.length < MAX_OUTPUT) text += decoder.decode(chunk, { stream: true });
  }
  return text.slice(0, MAX_OUTPUT);
}

/** The summary of iputils (`4 packets transmitted, 4 received`) or busybox (`… 4 packets received`). */
export function parsePing(output: string): PingReport | undefined {
  const counts = /^(\d+) packets transmitted, (\d+) (?:packets )?received/m.exec(output);
  if (!counts) return undefined;
  const times = /^(?:rtt|round-trip) min\/avg\/max(?:\/mdev)? = ([\d.]+)\/([\d.]+)\/([\d.]+)/m.exec(output);
  return {
    sent: Number(counts[1]),
    received: Number(counts[2]),
    ...(times && { minMs: Number(times[1]), avgMs: Number(times[2]), maxMs: Number(times[3]) }),
  };
}
