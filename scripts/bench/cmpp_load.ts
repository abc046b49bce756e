/**
 * A load generator for CMPP: one connection that keeps the standard's window full and answers DELIVERs.
 *
 * Raw sockets and PDUs made beforehand, so that it takes little of the machine it shares with the service.
 *
 * @module
 */
import pg from "pg";
import { authenticatorSource, encodeMessage } from "../../src/protocol/cmpp/mod.ts";
import type { SyncMode } from "../../src/storage/mod.ts";

/** The standard's window. */
const WINDOW = 16;

/** A short-message service in a process of its own, over a folder that goes with it. */
export class SmsServer implements AsyncDisposable {
  private constructor(
    private readonly child: Deno.ChildProcess,
    private readonly dir: string,
    readonly port: number,
    private readonly database: BenchDatabase | undefined,
  ) {}

  /**
   * `echo`: a bare server of the same frames. `sync`: how far its database writes before it answers. `postgres`: a
   * PostgreSQL server, `postgres://USER@HOST:PORT`, on which it gets a database of its own in place of a file.
   */
  static async start(
    mode: "echo" | "memory" | "durable",
    sync: SyncMode = "normal",
    postgres?: string,
  ): Promise<SmsServer> {
    const database = postgres === undefined || mode === "echo"
      ? undefined
      : await BenchDatabase.make(postgres);
    const dir = await Deno.makeTempDir({ prefix: "gatehouse-bench-" });
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-q",
        "--no-check",
        "--unstable-net",
        `--allow-net=127.0.0.1${database ? `,${new URL(database.url).host}` : ""}`,
        // The driver of PostgreSQL looks for what it might use.
        ...(database ? ["--allow-sys", "--allow-read"] : []),
        `--allow-read=${dir}`,
        `--allow-write=${dir}`,
        "--allow-env",
        new URL("./servers/sms.ts", import.meta.url).pathname,
        dir,
        mode,
        sync,
        ...(database ? [database.url] : []),
      ],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = child.stdout.getReader();
    const port = Number(new TextDecoder().decode((await reader.read()).value));
    reader.releaseLock();
    return new SmsServer(child, dir, port, database);
  }

  /** Its resident memory; 0 where the system does not tell. */
  async residentMiB(): Promise<number> {
    const { stdout } = await new Deno.Command("cat", {
      args: [`/proc/${this.child.pid}/status`],
      stderr: "null",
    })
      .output();
    return Number(/VmRSS:\s+(\d+)/.exec(new TextDecoder().decode(stdout))?.[1] ?? 0) / 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child.status;
    await this.child.stdout.cancel();
    await Deno.remove(this.dir, { recursive: true });
    await this.database?.[Symbol.asyncDispose]();
  }
}

/** A database for one measurement. */
class BenchDatabase implements AsyncDisposable {
  private constructor(readonly url: string, private readonly server: string, private readonly name: string) {}

  static async make(server: string): Promise<BenchDatabase> {
    const name = `gatehouse_bench_${crypto.randomUUID().slice(0, 8)}`;
    await administer(server, `create database ${name}`);
    return new BenchDatabase(`${server}/${name}`, server, name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await administer(this.server, `drop database if exists ${this.name} with (force)`);
  }
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: `${server}/postgres` });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** One connection that keeps its window full. */
export class Load {
  answered = 0;
  refused = 0;
  reports = 0;
  /** From SUBMIT to its answer, in milliseconds. */
  latencies: number[] = [];
  readonly #pdu: Uint8Array;
  readonly #sentAt = new Map<number, number>();
  readonly #buffer = new Uint8Array(256 * 1024);
  #filled = 0;
  #sequence = 0;
  #closed = false;

  private constructor(
    private readonly connection: Deno.TcpConn,
    reports: boolean,
    /** SUBMITs that it still sends. */
    private left: number,
  ) {
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

  /** Connects, and begins; sends `most` SUBMITs. */
  static async connect(port: number, reports: boolean, most = Infinity): Promise<Load> {
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
    const load = new Load(connection, reports, most);
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

  async #send(answers: readonly Uint8Array[], room: number): Promise<void> {
    const submits = Math.min(room, this.left);
    this.left -= submits;
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
