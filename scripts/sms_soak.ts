// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * Sends messages through the short-message service for a long time and watches its memory.
 *
 * `deno run -A scripts/sms_soak.ts [--messages 5000000] [--connections 4]`: durable, each with its report. Ends with 1
 * where the memory at the end is more than a fifth above that at a tenth of the way.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { Load, SmsServer } from "./bench/cmpp_load.ts";

/** What a soak came to. */
export interface Soak {
  readonly messages: number;
  readonly reports: number;
  readonly seconds: number;
  /** Resident memory of the service at each tenth of the way, in MiB. */
  readonly residentMiB: readonly number[];
}

/** Sends `messages` over `connections`, waits for all their reports; `tell` hears of each tenth. */
export async function soak(
  messages: number,
  connections: number,
  tell: (line: string) => void = () => {},
): Promise<Soak> {
  await using server = await SmsServer.start("durable");
  const loads = await Promise.all(
    Array.from({ length: connections }, () => Load.connect(server.port, true, messages / connections)),
  );
  const sum = (figure: (load: Load) => number) => loads.reduce((total, load) => total + figure(load), 0);
  const began = performance.now(), residentMiB: number[] = [];
  while (sum((load) => load.reports) < messages) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const load of loads) load.latencies = [];
    const answered = sum((load) => load.answered), reports = sum((load) => load.reports);
    if (sum((load) => load.refused) > 0) throw new Error("a message was refused");
    if (reports < messages * (residentMiB.length + 1) / 10) continue;
    residentMiB.push(await server.residentMiB());
    const rate = reports / (performance.now() - began) * 1000;
    tell(
      `${answered} answered, ${reports} reported, ${Math.round(rate)}/s, ${
        residentMiB.at(-1)!.toFixed(0)
      } MiB resident`,
    );
  }
  const seconds = (performance.now() - began) / 1000;
  const result = { messages: sum((l) => l.answered), reports: sum((l) => l.reports), seconds, residentMiB };
  for (const load of loads) load.close();
  return result;
}

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { string: ["messages", "connections"] });
  const { messages, reports, seconds, residentMiB } = await soak(
    Number(flags.messages ?? 5_000_000),
    Number(flags.connections ?? 4),
    console.log,
  );
  const growth = residentMiB.at(-1)! / residentMiB[0]!;
  console.log(
    `${messages} messages and ${reports} reports in ${seconds.toFixed(0)} s; memory at the end ${
      growth.toFixed(2)
    } of that at a tenth`,
  );
  Deno.exit(growth > 1.2 ? 1 : 0);
}
