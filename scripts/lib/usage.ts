/**
 * What processes and sockets cost, by the kernel's account. (The runtime itself may read /proc only with every
 * permission there is: a program reads it.)
 *
 * @module
 */

/** What a process took so far. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly rssMiB: number;
}

/** Clock ticks of the kernel's accounts a second, on every Linux there is. */
const TICKS = 100;
const PAGE_BYTES = 4096;

/** The usage of process `pid`; undefined where there is none. */
export async function usageOf(pid: number): Promise<Usage | undefined> {
  const text = await cat(`/proc/${pid}/stat`);
  // pid (name, which may hold anything) state …: utime, stime and rss are the 14th, 15th and 24th field
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  if (fields.length < 22) return undefined;
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS,
    rssMiB: Number(fields[21]) * PAGE_BYTES / 2 ** 20,
  };
}

/** Datagrams that the kernel dropped, for the UDP sockets on `port` were full; undefined where it does not tell. */
export async function datagramsDropped(port: number): Promise<number | undefined> {
  const own = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = (await cat("/proc/net/udp", "/proc/net/udp6")).split("\n").map((line) =>
    line.trim().split(/\s+/)
  );
  const found = rows.filter((fields) => fields[1]?.endsWith(own));
  return found.length === 0 ? undefined : found.reduce((sum, fields) => sum + Number(fields.at(-1)), 0);
}

/** Processor seconds that all of this machine had to give so far, and those of them that nobody took. */
export async function machineTime(): Promise<{ total: number; idle: number; load: string }> {
  const fields = (await cat("/proc/stat")).split("\n", 1)[0]!.trim().split(/\s+/).slice(1).map(Number);
  return {
    total: fields.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0) / TICKS,
    idle: (fields[3]! + fields[4]!) / TICKS,
    load: (await cat("/proc/loadavg")).split(" ").slice(0, 3).join(" "),
  };
}

async function cat(...paths: string[]): Promise<string> {
  const { stdout } = await new Deno.Command("cat", { args: paths, stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}
