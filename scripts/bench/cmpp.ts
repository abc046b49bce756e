// deno-lint-ignore-file no-console -- a benchmark talks to the terminal
/**
 * SUBMITs per second that the short-message service answers, beside a bare server of the same frames on this runtime.
 *
 * One load generator serves all of them in the same run, in rounds: raw sockets, PDUs made beforehand, the standard's
 * window of 16 on each connection. It answers DELIVERs as a provider would, so reports are paid for in full.
 *
 * @module
 */
import { authenticatorSource, encodeMessage } from "../../src/protocol/cmpp/mod.ts";
import { type BenchRow, percentile, printRows } from "./rows.ts";

/** `GATEHOUSE_BENCH_SECONDS=120` for one long round: does memory stay flat over millions of messages? */
const LONG = Deno.env.get("GATEHOUSE_BENCH_SECONDS");
const SECONDS = LONG === undefined ? 3 : Number(LONG), ROUNDS = LONG === undefined ? 3 : 1;
const WINDOW = 16, WARM_UP_MS = LONG === undefined ? 1_000 : 10_000;

/** What one run is. */
interface Run {
  readonly mode: "echo" | "memory" | "durable";
  readonly connections: number;
  readonly reports: boolean;
}

/** What one run gave. */
interface Figures {
  readonly perSecond: number;
  readonly p99Ms: number;
  /** Reports that came, a second. */
  readonly reportsPerSecond: number;
  /** The server's resident memory when measuring began, and when it ended. */
  readonly beganMiB: number;
  readonly endedMiB: number;
}

/** Measures; about a minute. */
export async function benchCmpp(): Promise<BenchRow[]> {
  const all: readonly (Run & { name: string; goal?: string })[] = [
    { name: "bare framed echo in Deno, 1 connection", mode: "echo", connections: 1, reports: false },
    {
      name: "not durable, 1 connection",
      mode: "memory",
      connections: 1,
      reports: false,
      goal: "40,000/s",
    },
    { name: "not durable, 4 connections", mode: "memory", connections: 4, reports: false },
    { name: "durable, 1 connection", mode: "durable", connections: 1, reports: false },
    { name: "durable, 4 connections", mode: "durable", connections: 4, reports: false },
    { name: "durable with reports, 1 connection", mode: "durable", connections: 1, reports: true },
    {
      name: "durable with reports, 4 connections",
      mode: "durable",
      connections: 4,
      reports: true,
      goal: "20,000/s",
    },
  ];
  const runs = LONG === undefined ? all : all.filter(({ connections }) => connections === 1);
  const results = new Map<string, Figures[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const run of runs) results.set(run.name, [...results.get(run.name) ?? [], await measure(run)]);
  }
  const best = (name: string, figure: keyof Figures) =>
    percentile(results.get(name)!.map((one) => one[figure]), 0.5);
  const bare = best(runs[0]!.name, "perSecond");
  return runs.flatMap(({ name, goal, mode, reports }) => {
    const value = best(name, "perSecond");
    const rows: BenchRow[] = [{
      name: `${name}${mode === "echo" ? "" : `, p99 ${best(name, "p99Ms").toFixed(1)} ms`}`,
      value,
      unit: "/s",
      ...(mode === "echo" ? {} : { ratio: value / bare }),
      // The ratio is to the bare server; the goal is of the figure itself.
      ...(goal === undefined ? {} : { goal: `${goal}, p99 under 20 ms` }),
    }];
    // In a short round the runtime's heap is still finding its size: only a long one says something.
    if (LONG !== undefined) {
      rows.push({
        name: `  resident memory after ${SECONDS} s, beside that at the start`,
        value: best(name, "endedMiB"),
        unit: "MiB",
        ratio: best(name, "endedMiB") / best(name, "beganMiB"),
      });
    }
    if (reports) {
      rows.push({ name: "  reports delivered meanwhile", value: best(name, "reportsPerSecond"), unit: "/s" });
    }
    return rows;
  });
}

async function measure(run: Run): Promise<Figures> {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-bench-" });
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      "--unstable-net",
      "--allow-net=127.0.0.1",
      `--allow-read=${dir}`,
      `--allow-write=${dir}`,
      "--allow-env",
      new URL("./servers/sms.ts", import.meta.url).pathname,
      dir,
      run.mode,
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  try {
    const reader = child.stdout.getReader();
    const port = Number(new TextDecoder().decode((await reader.read()).value));
    const loads = await Promise.all(
      Array.from({ length: run.connections }, () => Load.connect(port, run.reports)),
    );
    await pause(WARM_UP_MS);
    for (const load of loads) load.reset();
    const beganMiB = await residentMiB(child.pid), began = performance.now();
    await pause(SECONDS * 1000);
    const seconds = (performance.now() - began) / 1000;
    const sum = (figure: (load: Load) => number) => loads.reduce((total, load) => total + figure(load), 0);
    const figures = {
      perSecond: sum((load) => load.answered) / seconds,
      reportsPerSecond: sum((load) => load.reports) / seconds,
      beganMiB,
      endedMiB: await residentMiB(child.pid),
      p99Ms: percentile(loads.flatMap((load) => load.latencies), 0.99),
    };
    const refused = sum((load) => load.refused);
    if (refused > 0) console.log(`  (${run.mode}: ${refused} were answered with an error)`);
    for (const load of loads) load.close();
    return figures;
  } finally {
    child.kill("SIGKILL");
    await child.status;
    await Deno.remove(dir, { recursive: true });
  }
}

async function residentMiB(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => ""); // elsewhere there is none
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

/** One connection that keeps its window full. */
class Load {
  answered = 0;
  refused = 0;
  reports = 0;
  latencies: number[] = [];
  readonly #pdu: Uint8Array;
  readonly #sentAt = new Map<number, number>();
  readonly #buffer = new Uint8Array(256 * 1024);
  #filled = 0;
  #sequence = 0;
  #closed = false;

  private constructor(private readonly connection: Deno.TcpConn, reports: boolean) {
    this.#pdu = encodeMessage({
      command: "SUBMIT",
      sequence: 0,
      Msg_Id: 0n,
      Pk_total: 1,
      Pk_number: 1,
      Registered_Delivery: reports ? 1 : 0,
      Msg_level: 0,
      Service_Id: "BENCH",
      Fee_UserType: 2,
      Fee_terminal_Id: "",
      Fee_terminal_type: 0,
      TP_pId: 0,
      TP_udhi: 0,
      Msg_Fmt: 8,
      Msg_src: "900001",
      FeeType: "01",
      FeeCode: "0",
      ValId_Time: "",
      At_Time: "",
      Src_Id: "10658888",
      Dest_terminal_Id: ["13800138000"],
      Dest_terminal_type: 0,
      Msg_Content: new Uint8Array(140),
      LinkID: "",
    }, 3);
  }

  static async connect(port: number, reports: boolean): Promise<Load> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay(true);
    const Timestamp = 1122035011;
    await connection.write(encodeMessage({
      command: "CONNECT",
      sequence: 0,
      Source_Addr: "900001",
      AuthenticatorSource: authenticatorSource("900001", "888888", Timestamp),
      Version: 0x30,
      Timestamp,
    }, 3));
    const answer = new Uint8Array(33);
    await connection.read(answer);
    if (answer[15] !== 0) throw new Error(`CONNECT was refused: ${answer[15]}`);
    const load = new Load(connection, reports);
    load.#run().catch((error) => {
      if (!load.#closed) throw error;
    });
    return load;
  }

  reset(): void {
    this.answered = this.refused = this.reports = 0;
    this.latencies = [];
  }

  close(): void {
    this.#closed = true;
    this.connection.close();
  }

  async #run(): Promise<void> {
    await this.#send([], WINDOW);
    while (!this.#closed) {
      const count = await this.connection.read(this.#buffer.subarray(this.#filled));
      if (count === null) return;
      this.#filled += count;
      const { answers, room } = this.#take();
      if (answers.length > 0 || room > 0) await this.#send(answers, room);
    }
  }

  /** The PDUs that are whole; gives the answers to DELIVERs, and how many more SUBMITs may go. */
  #take(): { answers: Uint8Array[]; room: number } {
    const view = new DataView(this.#buffer.buffer), answers: Uint8Array[] = [], now = performance.now();
    let at = 0, room = 0;
    for (; this.#filled - at >= 12; at += view.getUint32(at)) {
      if (this.#filled - at < view.getUint32(at)) break;
      const command = view.getUint32(at + 4), sequence = view.getUint32(at + 8);
      if (command === 0x8000_0004) {
        room++;
        if (view.getUint32(at + 20) === 0) this.answered++;
        else this.refused++;
        this.latencies.push(now - this.#sentAt.get(sequence)!);
        this.#sentAt.delete(sequence);
      } else if (command === 5) {
        this.reports++;
        const Msg_Id = view.getBigUint64(at + 12);
        answers.push(encodeMessage({ command: "DELIVER_RESP", sequence, Msg_Id, Result: 0 }, 3));
      }
    }
    this.#buffer.copyWithin(0, at, this.#filled);
    this.#filled -= at;
    return { answers, room };
  }

  async #send(answers: readonly Uint8Array[], submits: number): Promise<void> {
    const { length } = this.#pdu;
    const bytes = new Uint8Array(answers.reduce((sum, one) => sum + one.length, 0) + submits * length);
    const view = new DataView(bytes.buffer), now = performance.now();
    let at = 0;
    for (const answer of answers) {
      bytes.set(answer, at);
      at += answer.length;
    }
    for (let i = 0; i < submits; i++, at += length) {
      bytes.set(this.#pdu, at);
      view.setUint32(at + 8, ++this.#sequence);
      this.#sentAt.set(this.#sequence, now);
    }
    for (let done = 0; done < bytes.length;) done += await this.connection.write(bytes.subarray(done));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) printRows("Short messages (CMPP 3.0, window 16)", await benchCmpp());
