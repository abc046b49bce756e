/**
 * The load tool's command line.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";

/** What was asked for. Times in seconds. */
export interface LoadOptions {
  readonly platform: string | undefined;
  readonly distributionPort: number | undefined;
  readonly accessPort: number | undefined;
  readonly pluginCenterPort: number | undefined;
  readonly token: string | undefined;
  readonly pid: number | undefined;
  readonly database: string | undefined;
  readonly gateways: number;
  readonly first: number;
  readonly sockets: number;
  readonly processes: number;
  readonly stored: boolean;
  readonly resumed: boolean;
  readonly arrive: number;
  readonly patience: number;
  readonly for: number;
  readonly heartbeat: number;
  readonly jitter: number;
  readonly rebind: number;
  readonly channels: number;
  readonly commands: number;
  readonly apps: number;
  readonly appCalls: number;
  readonly every: number;
  readonly json: string | undefined;
  readonly compare: string | undefined;
}

/** What `--help` prints. */
export const HELP =
  `Simulated gateways by the hundred thousand against a platform, over real UDP, TCP and HTTP.

  deno run -A scripts/load.ts [OPTIONS]

It starts a platform of its own from source (and says what that costs), presets the gateways, has them
come up, keeps them there with heartbeats, asks things of them, and prints what it saw.

A first look:        load.ts --gateways 1000 --for 30
200,000 at rest:     load.ts --gateways 200000 --arrive 120 --for 180
Everybody at once:   load.ts --gateways 100000 --processes 6 --sockets 17000 --arrive 1 --for 0 --patience 600
Channels, commands:  load.ts --gateways 10000 --channels 10000 --commands 500 --for 60
A soak:              load.ts --gateways 20000 --channels 1000 --commands 50 --apps 10 --app-calls 5 \\
                             --rebind 60 --for 1800 --every 30 --json today.json
Better or worse:     load.ts --gateways 1000 --for 30 --json b.json --compare a.json

The platform
  --platform URL           one that runs already; then also --access-port, --distribution-port,
                           --plugin-center-port, --token (or GATEHOUSE_ADMIN_TOKEN), and for its cost --pid
  --database URL           of the platform that is started (default: SQLite in a folder that goes with it)
  --heartbeat SECONDS      between heartbeats, for the platform that is started (default 60)
The fleet
  --gateways N             how many (default 1000), numbered from --first N (default 0)
  --sockets N              sockets of each process (default 4000, at most one a gateway). Gateways that share one
                           are behind one NAT: they register one after the other, and a lost heartbeat may be
                           charged to a neighbour (the number lost is right). One each is the real thing, as far
                           as the limit of open files goes (ulimit -n)
  --processes N            processes that simulate (default 1: this one)
  --stored                 gateways know their operations platform: no distribution
  --resumed                they have registered in an earlier life of the platform that is started (SQLite, one
                           process): they begin with heartbeats
  --arrive SECONDS         time over which they come (default: 1 for each 1,000; 0: all in the same moment)
  --patience SECONDS       how long the last one may take to register after that (default 120)
  --jitter SHARE           of the interval, by which each heartbeat is early or late (default 0.05)
  --rebind N               sockets a minute that move to another port, as NATs do (default 0)
The traffic, once they are there
  --for SECONDS            how long (default 30)
  --channels N             gateways that hold a plug-in channel open (default 0)
  --commands RATE          operators' commands a second, waited for, over HTTP; to gateways with a channel where
                           --channels is given, else to all (they are called first)
  --apps N, --app-calls RATE   phone apps that have bound a gateway, and what they ask a second together
The report
  --every SECONDS          a line while it runs (default 10)
  --json FILE              everything as JSON
  --compare FILE           ratios to an earlier --json

What the figures mean: "lost" are heartbeats without an answer in 3 s. "deferred" are registrations that the
platform put off with an interval. Latencies include this tool's own queueing: its share of a processor is
printed beside them, and near 1.0 for one process they are no longer the platform's. Quantiles are right to
a tenth.
`;

/** Reads the command line; throws with what is wrong with it. */
export function readOptions(args: readonly string[]): LoadOptions | "help" {
  const numbers = {
    gateways: 1000,
    first: 0,
    sockets: 4000,
    processes: 1,
    arrive: NaN,
    patience: 120,
    for: 30,
    heartbeat: 60,
    jitter: 0.05,
    rebind: 0,
    channels: 0,
    commands: 0,
    apps: 0,
    "app-calls": 0,
    every: 10,
    pid: NaN,
    "access-port": NaN,
    "distribution-port": NaN,
    "plugin-center-port": NaN,
  };
  const texts = ["platform", "token", "database", "json", "compare"] as const;
  const parsed = parseArgs([...args], {
    string: [...texts, ...Object.keys(numbers)],
    boolean: ["help", "stored", "resumed"],
    unknown: (arg: string) => {
      throw new Error(`unknown option "${arg}": see --help`);
    },
  }) as unknown as Readonly<Record<string, unknown>>;
  if (parsed["help"]) return "help";
  const number = (name: keyof typeof numbers): number => {
    const text = parsed[name];
    if (text === undefined) return numbers[name];
    const value = text === "" ? NaN : Number(text);
    if (!(value >= 0)) throw new Error(`--${name} must be a number from 0 on: "${text}"`);
    return value;
  };
  const some = (name: keyof typeof numbers) => {
    const value = number(name);
    return Number.isNaN(value) ? undefined : value;
  };
  const text = (name: typeof texts[number]) => parsed[name] as string | undefined;
  const gateways = number("gateways");
  if (gateways < 1 || gateways + number("first") > 16_777_216) {
    throw new Error("--gateways must be from 1 on, and numbers end at 16777216");
  }
  const platform = text("platform");
  if (platform !== undefined && some("access-port") === undefined) {
    throw new Error("with --platform its --access-port is needed");
  }
  if (number("apps") > 0 && number("processes") > 1) {
    throw new Error(
      "--apps needs --processes 1: an app proves itself by what a gateway of this process knows",
    );
  }
  if (parsed["resumed"] && (platform !== undefined || text("database") !== undefined)) {
    throw new Error("--resumed is for a platform that is started here, on SQLite");
  }
  return {
    platform,
    distributionPort: some("distribution-port"),
    accessPort: some("access-port"),
    pluginCenterPort: some("plugin-center-port"),
    token: text("token"),
    pid: some("pid"),
    database: text("database"),
    gateways,
    first: number("first"),
    sockets: Math.max(1, number("sockets")),
    processes: Math.max(1, number("processes")),
    stored: parsed["stored"] === true,
    resumed: parsed["resumed"] === true,
    arrive: some("arrive") ?? gateways / 1000,
    patience: number("patience"),
    for: number("for"),
    heartbeat: number("heartbeat"),
    jitter: number("jitter"),
    rebind: number("rebind"),
    channels: Math.min(gateways, number("channels")),
    commands: number("commands"),
    apps: Math.min(gateways, number("apps")),
    appCalls: number("app-calls"),
    every: Math.max(1, number("every")),
    json: text("json"),
    compare: text("compare"),
  };
}
