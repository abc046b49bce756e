// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * Heartbeats answered per second by the access service, beside a bare JSON echo on this runtime and one in C.
 *
 * One load generator serves all three in the same run, in rounds; it is written in C, so that it is never what is
 * measured. Without a C compiler there is nothing to generate that load with, and the benchmark says so.
 *
 * @module
 */
import { type BenchRow, percentile, printRows } from "./rows.ts";
import { firstLine, here, program, script, type Server } from "./servers/start.ts";

const SECONDS = 2, ROUNDS = 3, WINDOW = 64, GATEWAYS = 10_000;

/** Measures; about half a minute. No rows where there is no C compiler. */
export async function benchHeartbeats(): Promise<BenchRow[]> {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-bench-" });
  try {
    const load = await compile("udp_load", dir), echo = await compile("udp_echo", dir);
    if (!load || !echo) {
      console.log("  no C compiler (cc): heartbeats can't be measured without its load generator");
      return [];
    }
    const rates = new Map<string, number[]>();
    for (let round = 0; round < ROUNDS; round++) {
      for (
        const [name, start] of [
          ["c", () => program(echo, [])],
          ["deno", () => script("udp_echo.ts", ["--allow-net=127.0.0.1"])],
          ["access", (port: string) => access(dir, port, "inline")],
          ["thread", (port: string) => access(dir, port, "thread")],
        ] as const
      ) {
        rates.set(name, [...rates.get(name) ?? [], await measure(load, start)]);
      }
    }
    const best = (name: string) => percentile(rates.get(name)!, 0.5);
    const ratio = (to: string, of = "access") => best(of) / best(to);
    return [
      { name: "bare UDP echo in C", value: best("c"), unit: "/s" },
      { name: "bare UDP JSON echo in Deno", value: best("deno"), unit: "/s" },
      {
        name: `access service, ${GATEWAYS} gateways`,
        value: best("access"),
        unit: "/s",
        ratio: ratio("deno"),
        goal: "0.9 of the bare echo in Deno",
      },
      {
        name: "access service beside the echo in C",
        value: best("access"),
        unit: "/s",
        ratio: ratio("c"),
        goal: "0.3 of the echo in C",
      },
      {
        name: "the same with --receiver thread",
        value: best("thread"),
        unit: "/s",
        ratio: ratio("deno", "thread"),
      },
    ];
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function compile(name: string, dir: string): Promise<string | undefined> {
  const target = `${dir}/${name}`;
  try {
    const { success } = await new Deno.Command("cc", { args: ["-O2", "-o", target, here(`${name}.c`)] })
      .output();
    return success ? target : undefined;
  } catch {
    return undefined;
  }
}

async function access(dir: string, port: string, receiver: string): Promise<Server> {
  const data = await Deno.makeTempDir({ dir });
  const sources = new URL("../../src", import.meta.url).pathname; // a thread's module is read by path
  const permissions = ["--allow-net=127.0.0.1", `--allow-read=${data},${sources}`, `--allow-write=${data}`];
  return await script("access.ts", ["--unstable-net", ...permissions], [
    data,
    String(GATEWAYS),
    port,
    receiver,
  ]);
}

/** Answers per second. */
async function measure(load: string, start: (port: string) => Promise<Server>): Promise<number> {
  // Gateways are known by their address: the port that the load will come from is settled before the fleet is.
  const probe = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const own = String((probe.addr as Deno.NetAddr).port);
  probe.close();
  await using target = await start(own);
  const child = new Deno.Command(load, {
    args: [target.port, String(SECONDS), String(WINDOW), String(GATEWAYS), own],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const [answered, lost, seconds] = (await firstLine(child.stdout)).split(" ").map(Number);
  await child.status;
  if (lost! > answered! / 1000) console.log(`  (${lost} datagrams were lost)`);
  return answered! / seconds!;
}

if (import.meta.main) printRows("Heartbeats", await benchHeartbeats());
