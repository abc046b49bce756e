/**
 * `gatehouse sms send|listen|query|cancel`: a service provider at the terminal.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { createLog, type HostPort, messageOf, parseHostPort, systemClock } from "../base/mod.ts";
import { systemNetwork } from "../net/mod.ts";
import { CmppError, formatSmppTime, MsgFmt, msgIdHex, type StatusReport } from "../protocol/cmpp/mod.ts";
import { resultInWords, type SentPart, SpClient, SpError, type SpHandlers } from "../sp_client/mod.ts";
import { EXIT, UsageError, whyNot } from "./errors.ts";
import { zone } from "./parsers.ts";

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
  --zone ZONE          the gateway's local time, such as +08:00 (the default)
  --window N           requests that are not answered yet, 1 to 1000; default: 16
  --check-gateway      leave a gateway that does not prove that it knows the secret; many are right and can't
  GATEHOUSE_SMS_SECRET the shared secret, only in the environment; needed

send
  --file NUMBERS       a text file with one number a line, in place of --to; progress goes to standard error
  --format NAME        ascii, ucs2 or gbk; default: ascii where the text is that, else ucs2
  --at TIME            when to send it, such as 2026-11-24T08:00+08:00; default: at once
  --valid TIME         until when it may be delivered; default: the gateway's
  --wide               number the parts of a long text with 16 bits in place of 8
  --report             ask for reports and wait for them, --wait SECONDS at most (default: 60)

listen
  Prints each message from a phone and each report, until it is interrupted. What it can't print stays with the
  gateway. The parts of a long text are answered as they come and printed together; where some do not come within
  5 minutes, or before it is interrupted, the text is printed without them, and with their numbers under "missing".

query
  Prints the counters of a day, in the gateway's local time: of everything, or of one service.

cancel
  --msg-id HEX         16 hex digits, as send prints them: takes a message back that has not gone to the centre

Each result is a line of JSON.
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
  "window",
  "format",
  "at",
  "valid",
  "zone",
];
/** Numbers sent to at the same time, while their answers, and their reports, are waited for. */
const AT_ONCE = 200, AT_ONCE_REPORTED = 2_000;
/** How often progress is told, in milliseconds. */
const PROGRESS_MS = 2_000;
const FORMATS: Readonly<Record<string, number>> = {
  ascii: MsgFmt.ascii,
  ucs2: MsgFmt.ucs2,
  gbk: MsgFmt.gbk,
};

type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** Runs one command; gives the exit code. @throws {UsageError} */
export async function smsCommand(args: readonly string[], terminal: SmsTerminal): Promise<number> {
  const [command, ...rest] = args;
  const flags: Flags = parseArgs(rest, {
    string: STRINGS,
    boolean: ["report", "wide", "check-gateway", "help"],
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
    {
      server: server(flags),
      spId: text(flags, "sp-id"),
      secret,
      version,
      utcOffsetMinutes: zoneOf(flags),
      window: whole(flags, "window", 16, 1, 1000),
      checkGateway: flags["check-gateway"] === true,
    },
    handlers,
  );
  await client.ready;
  return client;
}

function send(flags: Flags, terminal: SmsTerminal): Work {
  const from = text(flags, "from"), body = text(flags, "text"), serviceId = text(flags, "service", "");
  const wait = Number(text(flags, "wait", "60")), report = flags.report === true;
  if (!(wait >= 0)) throw new UsageError("--wait: a number of seconds is allowed");
  const fmt = flags.format === undefined ? undefined : FORMATS[text(flags, "format")];
  if (flags.format !== undefined && fmt === undefined) {
    throw new UsageError("--format: ascii, ucs2 or gbk is allowed");
  }
  const fields = { At_Time: time(flags, "at"), ValId_Time: time(flags, "valid") };
  return async (open) => {
    const to = await numbers(flags, terminal);
    await using client = await open();
    const progress = new Progress(terminal, to.length);
    const one = async (number: string) => {
      let parts: readonly SentPart[] = [], reports: readonly StatusReport[] | undefined;
      let error: string | undefined;
      const message = {
        to: [number],
        text: body,
        from,
        serviceId,
        report,
        fields,
        wide: flags.wide === true,
      };
      try {
        parts = await client.sendText(fmt === undefined ? message : { ...message, fmt });
        if (report) reports = await client.reports(parts, 1, wait * 1000);
      } catch (thrown) {
        if (!(thrown instanceof SpError || thrown instanceof CmppError)) throw thrown;
        error = thrown.message;
      }
      const refused = parts.find(({ result }) => result !== 0)?.result;
      if (refused !== undefined) error ??= resultInWords(refused);
      progress.count(error === undefined);
      terminal.print(JSON.stringify({
        to: number,
        parts: parts.map(({ msgId, result }) => ({ msgId: msgIdHex(msgId), result })),
        ...(reports ? { reports: reports.map(({ Stat }) => Stat) } : {}),
        ...(error === undefined ? {} : { error }),
      }));
    };
    let next = 0;
    const workers = Math.min(report ? AT_ONCE_REPORTED : AT_ONCE, to.length);
    await Promise.all(Array.from({ length: workers }, async () => {
      while (next < to.length) await one(to[next++]!);
    }));
    return progress.end();
  };
}

/** Tells how far a bulk has come, where it is one. */
class Progress {
  readonly #began = systemClock.monotonic();
  #told = this.#began;
  #done = 0;
  #failed = 0;

  constructor(private readonly terminal: SmsTerminal, private readonly all: number) {}

  count(ok: boolean): void {
    this.#done++;
    if (!ok) this.#failed++;
    if (systemClock.monotonic() - this.#told >= PROGRESS_MS) this.#tell();
  }

  /** Tells what it came to; gives the exit code. */
  end(): number {
    if (this.all > 1) this.#tell();
    return this.#failed === 0 ? EXIT.ok : EXIT.failed;
  }

  #tell(): void {
    const now = this.#told = systemClock.monotonic(), seconds = Math.max(now - this.#began, 1) / 1000;
    const rate = this.#done / seconds, left = Math.ceil((this.all - this.#done) / rate);
    this.terminal.complain(
      `${this.#done} of ${this.all} numbers, ${this.#failed} failed, ${Math.round(rate)}/s` +
        (left > 0 ? `, about ${left} s left` : ""),
    );
  }
}

function listen(_flags: Flags, terminal: SmsTerminal): Work {
  return async (open) => {
    await using _client = await open({
      onText: ({ from, to, serviceId, text, fmt, content, missing }) =>
        terminal.print(JSON.stringify({
          kind: "message",
          from,
          to,
          serviceId,
          fmt,
          ...(text === undefined ? { octets: [...content] } : { text }),
          ...(missing ? { missing } : {}),
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
    : (await listed(text(flags, "file"), terminal)).split(/\r?\n/);
  const found = list.map((number) => number.trim()).filter((number) => number !== "");
  if (found.length === 0) throw new UsageError("there is no number to send to");
  return found;
}

async function listed(path: string, terminal: SmsTerminal): Promise<string> {
  try {
    return await terminal.readFile(path);
  } catch (error) {
    throw new UsageError(`--file "${path}" can't be read: ${whyNot(error)}`);
  }
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

function whole(flags: Flags, name: string, fallback: number, least: number, most: number): number {
  const given = text(flags, name, String(fallback)), value = /^\d{1,9}$/.test(given) ? Number(given) : NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`--${name}: a whole number from ${least} to ${most} is allowed`);
}

/** A moment as SUBMIT has it; "" where it is not given. */
function time(flags: Flags, name: string): string {
  const given = text(flags, name, "");
  if (given === "") return "";
  const moment = Date.parse(given);
  if (Number.isNaN(moment) || !/(Z|[+-]\d\d:?\d\d)$/.test(given)) {
    throw new UsageError(`--${name}: a time with its zone is allowed, such as 2026-11-24T08:00+08:00`);
  }
  return formatSmppTime(moment, zoneOf(flags));
}

function zoneOf(flags: Flags): number {
  const minutes = zone.parse(text(flags, "zone", zone.show!(480)));
  if (minutes === undefined) throw new UsageError(`--zone: ${zone.allowed} are allowed`);
  return minutes;
}

function shown(report: StatusReport) {
  return { ...report, Msg_Id: msgIdHex(report.Msg_Id) };
}
