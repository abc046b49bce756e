/**
 * The manifest of a plug-in: what it says about itself, checked before anything in it is believed.
 *
 * @module
 */
import * as v from "valibot";
import { faultOf } from "../base/mod.ts";
import { PluginError } from "./errors.ts";

/** From where a command may be called. */
export type Right = "local" | "remote" | "both" | "none";
/** Every {@linkcode Right}. */
export const RIGHTS = ["local", "remote", "both", "none"] as const satisfies readonly Right[];
/** What a caller has to show beside its right: `local`: from the local side, the local password. */
export const AUTHS = ["local"] as const;
/** One of {@linkcode AUTHS}. */
export type Auth = typeof AUTHS[number];
/** A field of a command's request, for pages that offer a form. What callers send is the plug-in's to check. */
export interface ManifestField {
  readonly name: string;
  readonly label?: { readonly en?: string | undefined; readonly zh?: string | undefined } | undefined;
  readonly required?: boolean | undefined;
  /** A regular expression for the whole value, as HTML's `pattern`. */
  readonly pattern?: string | undefined;
  /** The values that there are, where there are few. */
  readonly values?: readonly string[] | undefined;
}

/** A command, as a manifest declares it. */
export interface ManifestCommand {
  readonly right: Right;
  readonly auth?: Auth | undefined;
  /** The fields that it takes; undefined: not said. */
  readonly fields?: readonly ManifestField[] | undefined;
}
/** The host API versions that this program serves, oldest first. */
export const API_VERSIONS: readonly string[] = ["2026-11-01"];

/** What a plug-in may use; see {@linkcode DEFAULT_LIMITS} and {@linkcode DEFAULT_CEILINGS}. */
export interface PluginLimits {
  /** Its whole memory in MiB, engine included; at least 16. */
  readonly memoryMb: number;
  /** The longest time to an answer, waiting included, in milliseconds. */
  readonly callMs: number;
  /** The longest that it may hold the processor without awaiting anything, in milliseconds. */
  readonly cpuMs: number;
  /** Calls in flight. */
  readonly calls: number;
  /** Calls that wait for others to end where so many are in flight; one more is answered `busy`. */
  readonly queue: number;
  /** What it may keep in its storage, in KiB. */
  readonly storageKb: number;
  /** Lines for the log a second, on average; five times as many at once. */
  readonly logsPerSecond: number;
  /** Timers that are set at one time. */
  readonly timers: number;
  /** Messages that it may push a minute. */
  readonly messagesPerMinute: number;
}

/** What a manifest that names no limit gets. */
export const DEFAULT_LIMITS: PluginLimits = {
  memoryMb: 16,
  callMs: 5_000,
  cpuMs: 200,
  calls: 32,
  queue: 0,
  storageKb: 64,
  logsPerSecond: 20,
  timers: 8,
  messagesPerMinute: 30,
};
/** The most that a manifest may ask for. */
export const DEFAULT_CEILINGS: PluginLimits = {
  memoryMb: 64,
  callMs: 60_000,
  cpuMs: 500,
  calls: 256,
  queue: 256,
  storageKb: 1024,
  logsPerSecond: 100,
  timers: 32,
  messagesPerMinute: 600,
};

/** Paths that a plug-in declares: names, or what begins with a path that ends with a dot. */
export interface DeclaredPaths {
  readonly read?: readonly string[] | undefined;
  /** May be read, too. */
  readonly write?: readonly string[] | undefined;
}

/** A manifest that was found good, with its defaults filled in. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly description?: string | undefined;
  readonly author?: string | undefined;
  readonly commands: Readonly<Record<string, ManifestCommand>>;
  readonly capabilities: readonly string[];
  /** Plug-ins whose commands it may call, by `plugins.call`. */
  readonly peers: readonly string[];
  /** Hosts that it may speak to over HTTP: `api.example.com`, `*.example.com`, each perhaps with `:port`. */
  readonly hosts: readonly string[];
  /** What it may read and write of what its host keeps under dotted names. */
  readonly parameters?: DeclaredPaths | undefined;
  readonly limits: PluginLimits;
}

/** What a manifest is checked against. */
export interface ManifestRules {
  readonly ceilings: PluginLimits;
  /** Names of the capabilities that there are. */
  readonly capabilities: readonly string[];
  /** The dates of the host API that are served, the oldest first. Default: {@linkcode API_VERSIONS}. */
  readonly apiVersions?: readonly string[] | undefined;
}

/** Names of plug-ins: they become file names, so they hold nothing that a path could trip over. */
export const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$/;
const VERSION = /^[A-Za-z0-9](?:[A-Za-z0-9.+_-]{0,30}[A-Za-z0-9])?$/;
const COMMAND = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const HOST =
  /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z][a-z0-9-]{0,61}[a-z0-9](?::[1-9]\d{0,4})?$/;
const PATH = /^[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*\.?$/;
const MOST_COMMANDS = 256;
const MOST_PEERS = 32;

/** Names of other plug-ins. */
export const PEERS = v.pipe(
  v.array(v.pipe(v.string(), v.regex(NAME, "a plug-in's name"))),
  v.maxLength(MOST_PEERS),
);
/** Hosts that may be spoken to. */
export const HOSTS = v.pipe(
  v.array(
    v.pipe(
      v.string(),
      v.maxLength(260),
      v.regex(
        HOST,
        "a host name in lower case, as in 'api.example.com', '*.example.com', 'example.com:8443'",
      ),
    ),
  ),
  v.maxLength(MOST_PEERS),
);
/** Paths of parameters, as a manifest declares them. */
export const PATHS = v.pipe(
  v.array(
    v.pipe(
      v.string(),
      v.maxLength(256),
      v.regex(PATH, "a name as in 'Device.Time.Enable', or what names begin with as in 'Device.Time.'"),
    ),
  ),
  v.maxLength(MOST_PEERS),
);

const LABEL = v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(100)));
/** The `fields` of a command. */
export const FIELDS = v.pipe(
  v.array(v.strictObject({
    name: v.pipe(
      v.string(),
      v.regex(
        /^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/,
        "a field's name is letters, digits, '.', '_', '-', up to 64",
      ),
      v.check((name) => name !== "CmdType" && name !== "SequenceId", "is in every request by itself"),
    ),
    label: v.optional(v.strictObject({ en: LABEL, zh: LABEL })),
    required: v.optional(v.boolean()),
    pattern: v.optional(v.pipe(v.string(), v.maxLength(200), v.check(isPattern, "no regular expression"))),
    values: v.optional(
      v.pipe(v.array(v.pipe(v.string(), v.maxLength(100))), v.minLength(1), v.maxLength(64)),
    ),
  })),
  v.maxLength(32, "at most 32 fields"),
);

/** Whether browsers can check with it. */
function isPattern(text: string): boolean {
  try {
    new RegExp(`^(?:${text})$`, "v");
    return true;
  } catch {
    return false;
  }
}

function schemaOf({ ceilings, capabilities, apiVersions = API_VERSIONS }: ManifestRules) {
  const limit = (least: number, most: number, usual: number) =>
    v.optional(
      v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most, `may be ${most} at most here`)),
      Math.min(usual, most),
    );
  const there = capabilities.length > 0 ? capabilities.join(", ") : "none";
  return v.strictObject({
    name: v.pipe(
      v.string(),
      v.regex(NAME, "letters, digits, '.', '_', '-', up to 100, as in 'com.example.cpu'"),
    ),
    version: v.pipe(
      v.string(),
      v.regex(VERSION, "letters, digits, '.', '+', '_', '-', up to 32, as in '1.0'"),
    ),
    apiVersion: v.picklist(apiVersions, ({ input }) => wrongDate(input, apiVersions)),
    description: v.optional(v.pipe(v.string(), v.maxLength(1000))),
    author: v.optional(v.pipe(v.string(), v.maxLength(200))),
    commands: v.pipe(
      v.record(
        v.pipe(v.string(), v.regex(COMMAND, "a command's name is letters, digits, '.', '_', '-', up to 64")),
        v.strictObject({
          right: v.picklist(RIGHTS, `one of ${RIGHTS.join(", ")}`),
          auth: v.optional(v.picklist(AUTHS, `one of ${AUTHS.join(", ")}`)),
          fields: v.optional(FIELDS),
        }),
      ),
      v.check(
        (commands) => Object.keys(commands).length <= MOST_COMMANDS,
        `at most ${MOST_COMMANDS} commands`,
      ),
    ),
    capabilities: v.optional(
      v.array(v.picklist(capabilities, (issue) => `no capability ${issue.received}: there are ${there}`)),
      [],
    ),
    peers: v.optional(PEERS, []),
    hosts: v.optional(HOSTS, []),
    parameters: v.optional(v.strictObject({ read: v.optional(PATHS), write: v.optional(PATHS) })),
    limits: v.optional(
      v.strictObject({
        memoryMb: limit(16, ceilings.memoryMb, DEFAULT_LIMITS.memoryMb),
        callMs: limit(1, ceilings.callMs, DEFAULT_LIMITS.callMs),
        cpuMs: limit(1, ceilings.cpuMs, DEFAULT_LIMITS.cpuMs),
        calls: limit(1, ceilings.calls, DEFAULT_LIMITS.calls),
        queue: limit(0, ceilings.queue, DEFAULT_LIMITS.queue),
        storageKb: limit(0, ceilings.storageKb, DEFAULT_LIMITS.storageKb),
        logsPerSecond: limit(1, ceilings.logsPerSecond, DEFAULT_LIMITS.logsPerSecond),
        timers: limit(0, ceilings.timers, DEFAULT_LIMITS.timers),
        messagesPerMinute: limit(0, ceilings.messagesPerMinute, DEFAULT_LIMITS.messagesPerMinute),
      }),
      {},
    ),
  });
}

/** Why a date of the host API is not served, and what to do. */
function wrongDate(date: unknown, served: readonly string[]): string {
  const all = served.join(", ");
  if (typeof date !== "string" || !/^\d{4}-\d\d-\d\d$/.test(date)) return `one of ${all}`;
  if (date > served.at(-1)!) {
    return `"${date}" is newer than this program, which serves ${all}: update the program, or name an earlier date`;
  }
  return `there is no host API of "${date}": there are ${all}`;
}

/** What `Isolate.load` tells about a program. */
export interface ProgramFacts {
  readonly manifest: unknown;
  /** Names of the functions in its exported `commands`. */
  readonly commands: readonly string[];
  readonly start: boolean;
  readonly stop: boolean;
  readonly health: boolean;
}

const FACTS = v.object({
  manifest: v.unknown(),
  commands: v.array(v.string()),
  start: v.boolean(),
  stop: v.boolean(),
  health: v.boolean(),
});

/** Reads the description that a guest gave of itself. Throws PluginError `invalid` with every fault and its path. */
export function readFacts(text: string, rules: ManifestRules): { manifest: Manifest; facts: ProgramFacts } {
  let facts: ProgramFacts;
  try {
    facts = v.parse(FACTS, JSON.parse(text));
  } catch (error) {
    throw new PluginError("invalid", "the plug-in's description of itself can't be read", { cause: error });
  }
  if (facts.manifest === null) throw new PluginError("invalid", `the plug-in exports no "manifest"`);
  const result = v.safeParse(schemaOf(rules), facts.manifest);
  const faults = (result.issues ?? []).map((issue) => `${pathOf(issue)}: ${faultOf(issue)}`);
  if (result.success) {
    for (const name of Object.keys(result.output.commands)) {
      if (!facts.commands.includes(name)) {
        faults.push(`manifest.commands.${name}: no function of this name in "commands"`);
      }
    }
  }
  if (!result.success || faults.length > 0) {
    throw new PluginError("invalid", `faults in the manifest: ${faults.slice(0, 20).join("; ")}`, {}, faults);
  }
  return { manifest: result.output, facts };
}

function pathOf(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  return path === null ? "manifest" : `manifest.${path}`;
}

/** The declared path that covers a name; undefined where none does. */
export function declaredFor(
  paths: DeclaredPaths | undefined,
  access: "read" | "write",
  name: string,
): string | undefined {
  const declared = [...(paths?.write ?? []), ...(access === "read" ? paths?.read ?? [] : [])];
  return declared.find((path) => path.endsWith(".") ? name.startsWith(path) : name === path);
}

/** Whether all that a declared path stands for is within what `paths` declare. */
export function coversPath(paths: DeclaredPaths, access: "read" | "write", path: string): boolean {
  return declaredFor(paths, access, path) !== undefined;
}
