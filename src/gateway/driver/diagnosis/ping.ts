/**
 * Pinging, and finding the routers on the way, with the machine's own `ping`, which may open raw sockets where we may
 * not. Knows the output of iputils and of busybox.
 *
 * @module
 */
import type { Clock } from "../../../base/mod.ts";
import { DriverError } from "../errors.ts";
import type { Runner } from "../linux/mod.ts";
import { checkPing, checkTraceroute } from "./bounds.ts";
import type { Hop, PingOptions, PingReport, TracerouteOptions } from "./diagnosis.ts";

/** Pings at one time. */
const MAX_RUNNING = 4;
/** What of the output is read, in bytes. */
const MAX_OUTPUT = 16 * 1024;
const INTERFACE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.@-]{0,14}$/;

let running = 0;

/** Pings once. @throws {DriverError} `invalid`, `unsupported` (no such program), `busy`, `failed`. */
export async function ping(
  runner: Pick<Runner, "run">,
  destination: string,
  { count, size, interface: out, signal }: PingOptions,
): Promise<PingReport> {
  checkPing(destination, { count, size });
  return await oneOfFew(async () => {
    const args = [...by(out), "-c", count, "-s", size, "-W", 2, "-w", count + 3, destination].map(String);
    const limits = { timeoutMs: (count + 5) * 1000, maxBytes: MAX_OUTPUT, signal };
    const { stdout, stderr } = await runner.run("ping", args, limits);
    const report = parsePing(stdout);
    if (report) return report;
    throw new DriverError("failed", stderr === "" ? "ping gave no result" : stderr);
  });
}

/** The routers on the way to `destination`, each found by a ping that may go no further. Throws as {@linkcode ping}. */
export async function traceroute(
  clock: Clock,
  runner: Pick<Runner, "run">,
  destination: string,
  { maxHops, interface: out, signal }: TracerouteOptions,
): Promise<Hop[]> {
  checkTraceroute(destination, { maxHops });
  return await oneOfFew(async () => {
    const hops: Hop[] = [];
    for (let hop = 1; hop <= maxHops; hop++) {
      const began = clock.monotonic();
      const args = [...by(out), "-n", "-c", 1, "-t", hop, "-W", 1, destination].map(String);
      const limits = { timeoutMs: 4000, maxBytes: MAX_OUTPUT, signal };
      const { stdout, stderr } = await runner.run("ping", args, limits);
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

function by(out: string | undefined): readonly string[] {
  if (out === undefined) return [];
  if (!INTERFACE_NAME.test(out)) throw new DriverError("invalid", `not an interface: "${out.slice(0, 64)}"`);
  return ["-I", out];
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
