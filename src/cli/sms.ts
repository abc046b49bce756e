/**
 * `gatehouse sms send|listen|query|cancel`: a service provider at the terminal.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { createLog, type HostPort, messageOf, parseHostPort, systemClock } from "../base/mod.ts";
import { systemNetwork } from "../net/mod.ts";
import { msgIdHex, type StatusReport } from "../protocol/cmpp/mod.ts";
import { type SentPart, SpClient, SpError, type SpHandlers } from "../sp_client/mod.ts";
import { EXIT, UsageError } from "./errors.ts";

/** What the commands need of their surroundings; a test stands in for them. */
export interface SmsTerminal {
  readonly print: (line: string) => void;
  readonly complain: (line: string) => void;
  readonly readVariable: (name: string) => string | undefined;
  readonly readFile: (path: string) => Promise<string>;
  /** Resolves when the user wants to stop. */
  readonly interrupted: Promise<void>;
}

const HELP = `Usage
  gatehouse sms send   --to NUMBER[,NUMBER…] | --file NUMBERS  --from SP_CODE --text TEXT [--service ID] [--report]
  gatehouse sms listen
  gatehouse sms query  --day YYYYMMDD [--service ID]
  gatehouse sms cancel --msg-id HEX

Flags of all
  --server HOST:PORT   the gateway's port for long connections; default: 127.0.0.1:7890
  --sp-id ID           the provider's SP_Id; needed
  --version 3.0|2.0    the version to speak; default: 3.0
  GATEHOUSE_SMS_SECRET the shared secret, only in the environment; needed

send
  --file NUMBERS       a text file with one number a line, in place of --to; progress goes to standard error
  --report             ask for reports and wait for them, --wait SECONDS at most (default: 60)

Each result is a line of JSON. listen prints messages and reports until it is interrupted.
Exit codes: 0 done; 1 refused, lost, or some messages not taken; 2 a flag is wrong.`;

const STRINGS = [
  "server",
  "sp-id",
  "version",
  "to",
  "file",
  "from",
  "text",
  "service",
  "day",
  "msg-id",
  "wait",
];
/** Numbers sent to at the same time; the window holds requests back, this holds memory. */
const AT_ONCE = 200;

type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** Runs one command; gives the exit code. @throws {UsageError} */
export async function smsCommand(args: readonly string[], terminal: SmsTerminal): Promise<number> {
  const [command, ...rest] = args;
  const flags: Flags = parseArgs(rest, {
    string: STRINGS,
    boolean: ["report", "help"],
    unknown: (arg: string) => {
      throw new UsageError(`unknown argument "${arg}": see gatehouse sms --help`);
    },
  });
  if (command === undefined || command === "--help" || flags.help) {
    terminal.print(HELP);
    return EXIT.ok;
  }
  const run = { send, listen, query, cancel }[command];
  if (!run) {
    throw new UsageError(`unknown command "sms ${command}": send, listen, query and cancel are there`);
  }
  const work = run(flags, terminal);
  try {
    return await work((handlers) => connect(flags, terminal, handlers));
  } catch (error) {
    if (!(error instanceof SpError)) throw error;
    terminal.complain(`gatehouse: ${messageOf(error)}`);
    return EXIT.failed;
  }
}

type Connect = (handlers?: SpHandlers) => Promise<SpClient>;
type Work = (connect: Connect) => Promise<number>;

async function connect(flags: Flags, terminal: SmsTerminal, handlers: SpHandlers = {}): Promise<SpClient> {
  const secret = terminal.readVariable("GATEHOUSE_SMS_SECRET");
  if (!secret) throw new UsageError("GATEHOUSE_SMS_SECRET is needed in the environment: the shared secret");
  const versions: Readonly<Record<string, number>> = { "3.0": 0x30, "2.0": 0x20 };
  const version = versions[text(flags, "version", "3.0")];
  if (version === undefined) throw new UsageError("--version: 3.0 or 2.0 is allowed");
  const log = createLog({ level: "warn", format: "text", clock: systemClock, write: terminal.complain });
  const client = new SpClient(
    { clock: systemClock, log, network: systemNetwork({ clock: systemClock, log }) },
    { server: server(flags), spId: text(flags, "sp-id"), secret, version },
    handlers,
  );
  await client.ready;
  return client;
}

function send(flags: Flags, terminal: SmsTerminal): Work {
  const from = text(flags, "from"), body = text(flags, "text"), wait = Number(text(flags, "wait", "60"));
  if (!(wait >= 0)) throw new UsageError("--wait: a number of seconds is allowed");
  return async (open) => {
    const to = await numbers(flags, terminal);
    await using client = await open();
    let done = 0, failed = 0;
    const one = async (number: string) => {
      let parts: readonly SentPart[] = [], error: string | undefined;
      try {
        parts = await client.sendText({
          to: [number],
          text: body,
          from,
          serviceId: text(flags, "service", ""),
          report: flags.report === true,
        });
      } catch (thrown) {
        error = messageOf(thrown);
      }
      const reports = flags.report === true ? await soon(client.reports(parts), wait) : undefined;
      const ok = error === undefined && parts.every(({ result }) => result === 0);
      if (!ok) failed++;
      terminal.print(JSON.stringify({
        to: number,
        parts: parts.map(({ msgId, result }) => ({ msgId: msgIdHex(msgId), result })),
        ...(reports ? { reports: reports.map(({ Stat }) => Stat) } : {}),
        ...(flags.report === true && !reports ? { reports: null } : {}),
        ...(error === undefined ? {} : { error }),
      }));
      if (++done % 1000 === 0) terminal.complain(`${done} of ${to.length} numbers, ${failed} failed`);
    };
    let next = 0;
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, to.length) }, async () => {
      while (next < to.length) await one(to[next++]!);
    }));
    return failed === 0 ? EXIT.ok : EXIT.failed;
  };
}

function listen(_flags: Flags, terminal: SmsTerminal): Work {
  return async (open) => {
    await using _client = await open({
      onText: ({ from, to, serviceId, text, fmt, content }) =>
        terminal.print(JSON.stringify({
          kind: "message",
          from,
          to,
          serviceId,
          fmt,
          ...(text === undefined ? { octets: [...content] } : { text }),
        })),
      onReport: (report) => terminal.print(JSON.stringify({ kind: "report", ...shown(report) })),
      onLink: (up, why) => terminal.complain(up ? "connected" : `not connected: ${why}`),
    });
    await terminal.interrupted;
    return EXIT.ok;
  };
}

function query(flags: Flags, terminal: SmsTerminal): Work {
  const Time = text(flags, "day"), Query_Code = text(flags, "service", "");
  if (!/^\d{8}$/.test(Time)) throw new UsageError("--day: YYYYMMDD is allowed");
  return async (open) => {
    await using client = await open();
    const { command: _, sequence: __, ...counters } = await client.request({
      command: "QUERY",
      Time,
      Query_Type: Query_Code === "" ? 0 : 1,
      Query_Code,
      Reserve: "",
    });
    terminal.print(JSON.stringify(counters));
    return EXIT.ok;
  };
}

function cancel(flags: Flags, terminal: SmsTerminal): Work {
  const id = text(flags, "msg-id");
  if (!/^[0-9a-f]{16}$/i.test(id)) throw new UsageError("--msg-id: 16 hex digits are allowed");
  return async (open) => {
    await using client = await open();
    const answer = await client.request({ command: "CANCEL", Msg_Id: BigInt(`0x${id}`) });
    const cancelled = answer.command === "CANCEL_RESP" && answer.Success_Id === 0;
    terminal.print(JSON.stringify({ msgId: id.toLowerCase(), cancelled }));
    return cancelled ? EXIT.ok : EXIT.failed;
  };
}

async function numbers(flags: Flags, terminal: SmsTerminal): Promise<readonly string[]> {
  if ((flags.to === undefined) === (flags.file === undefined)) {
    throw new UsageError("--to or --file is needed, one of them");
  }
  const list = typeof flags.to === "string"
    ? flags.to.split(",")
    : (await terminal.readFile(text(flags, "file"))).split(/\r?\n/);
  const found = list.map((number) => number.trim()).filter((number) => number !== "");
  if (found.length === 0) throw new UsageError("there is no number to send to");
  return found;
}

function server(flags: Flags): HostPort {
  const address = parseHostPort(text(flags, "server", "127.0.0.1:7890"), 7890);
  if (!address) throw new UsageError("--server: a host name or an IP address, and a port are allowed");
  return address;
}

function text(flags: Flags, name: string, fallback?: string): string {
  const value = flags[name];
  if (typeof value === "string" && value !== "") return value;
  if (fallback === undefined) throw new UsageError(`--${name} is needed: see gatehouse sms --help`);
  return fallback;
}

/** What `promise` gives within some seconds; undefined where it is later. */
async function soon<T>(promise: Promise<T>, seconds: number): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = systemClock.setTimer(() => late.resolve(undefined), seconds * 1000);
  return await Promise.race([promise, late.promise]).finally(() => timer.cancel());
}

function shown(report: StatusReport) {
  return { ...report, Msg_Id: msgIdHex(report.Msg_Id) };
}
