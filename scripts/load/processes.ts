/**
 * A simulated fleet in this process, or in several: one process has at most as many sockets as the system lets it have.
 *
 * The parent and its children talk in lines of JSON over standard input and output.
 *
 * @module
 */
import { type FleetReport, type FleetSettings, SimulatedFleet } from "./fleet.ts";

/** A fleet, wherever it runs. */
export interface FleetHandle {
  arrive(at: number, overMs: number): Promise<void>;
  openChannels(count: number): Promise<void>;
  rebind(perMinute: number): Promise<void>;
  quiet(): Promise<void>;
  report(): Promise<FleetReport>;
  stop(): Promise<void>;
}

type Order =
  | { readonly do: "arrive"; readonly at: number; readonly overMs: number }
  | { readonly do: "channels"; readonly count: number }
  | { readonly do: "rebind"; readonly perMinute: number }
  | { readonly do: "quiet" }
  | { readonly do: "report" }
  | { readonly do: "stop" };

/** A fleet in this process. */
export function localFleet(settings: FleetSettings): FleetHandle {
  return handleOf(new SimulatedFleet(settings));
}

/** The handle of a fleet of this process. */
export function handleOf(fleet: SimulatedFleet): FleetHandle {
  return {
    arrive: (at, overMs) => fleet.arrive(at, overMs),
    openChannels: (count) => fleet.openChannels(count),
    rebind: (perMinute) => Promise.resolve(fleet.rebind(perMinute)),
    quiet: () => Promise.resolve(fleet.quiet()),
    report: () => Promise.resolve(fleet.report()),
    stop: () => Promise.resolve(fleet.stop()),
  };
}

/** A fleet in a process of its own: `load.ts --worker SETTINGS`. */
export function childFleet(script: string, settings: FleetSettings): FleetHandle {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      "--no-check",
      "--unstable-net",
      "--allow-net",
      "--allow-sys",
      "--allow-read",
      "--allow-env",
      script,
      "--worker",
      JSON.stringify(settings),
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter(), answers: PromiseWithResolvers<FleetReport | null>[] = [];
  void readLines(child.stdout, (line) => answers.shift()?.resolve(JSON.parse(line))).then(() => {
    for (const { reject } of answers) reject(new Error("a process of the load tool ended too early"));
  });
  const order = async (what: Order) => {
    const answer = Promise.withResolvers<FleetReport | null>();
    answers.push(answer);
    await writer.write(new TextEncoder().encode(JSON.stringify(what) + "\n"));
    return await answer.promise;
  };
  return {
    arrive: async (at, overMs) => void await order({ do: "arrive", at, overMs }),
    openChannels: async (count) => void await order({ do: "channels", count }),
    rebind: async (perMinute) => void await order({ do: "rebind", perMinute }),
    quiet: async () => void await order({ do: "quiet" }),
    report: async () => (await order({ do: "report" }))!,
    async stop() {
      await order({ do: "stop" });
      await writer.close();
      await child.status;
    },
  };
}

/** What such a process does: takes orders until there are no more. One that takes long is answered when it begins. */
export async function serveFleet(settings: FleetSettings): Promise<void> {
  const fleet = new SimulatedFleet(settings);
  const answer = async (value: FleetReport | null) => {
    const bytes = new TextEncoder().encode(JSON.stringify(value) + "\n");
    for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
  };
  let said: Promise<void> = Promise.resolve();
  await readLines(Deno.stdin.readable, (line) => {
    const order = JSON.parse(line) as Order;
    let value: FleetReport | null = null;
    switch (order.do) {
      case "arrive":
        void fleet.arrive(order.at, order.overMs);
        break;
      case "channels":
        void fleet.openChannels(order.count);
        break;
      case "rebind":
        fleet.rebind(order.perMinute);
        break;
      case "quiet":
        fleet.quiet();
        break;
      case "report":
        value = fleet.report();
        break;
      case "stop":
        fleet.stop();
    }
    said = said.then(() => answer(value));
  });
  await said;
}

async function readLines(stream: ReadableStream<Uint8Array>, take: (line: string) => void): Promise<void> {
  let rest = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    for (const part of parts) take(part);
  }
}
