/**
 * What the sandbox shows to those who use it.
 *
 * @module
 */
import type { Figures } from "./figures.ts";
import type { PluginContent } from "./content.ts";
import type { Program } from "./engine.ts";
import type { HostCommand } from "./host_process.ts";
import type { Json, JsonObject } from "./json.ts";
import type { LogQuery, PluginLogLine } from "./log_lines.ts";
import type { Auth, Manifest, PluginLimits, Right } from "./manifest.ts";

/** What a host function learns of its caller. */
export interface HostCall {
  /** The plug-in's name and version. */
  readonly plugin: string;
  readonly version: string;
  /** The very instance that calls: another one after a restart or an upgrade. */
  readonly guest: number;
  readonly manifest: Manifest;
  /**
   * On whose behalf: the {@linkcode PluginCall.caller} of its calls that are under way. Undefined where it does so of its
   * own accord, and where callers differ: which of them it works for only it could say, and it is not trusted.
   */
  readonly caller?: string | undefined;
  /** Aborted when nobody waits for the answer any more: the plug-in is gone, or the function took too long. */
  readonly signal: AbortSignal;
}

/** A function that plug-ins may call. What it throws reaches the plug-in as an Error with the same message. */
export interface HostFunction {
  (args: Json[], call: HostCall): Json | undefined | Promise<Json | undefined>;
  /** How long it may take, in milliseconds, where that is not what the manager allows in general. */
  readonly maxMs?: number;
  /** Set where each call sends a message to somebody: counted against `limits.messagesPerMinute`. */
  readonly message?: boolean;
  /**
   * The date of the host API that brought it in this form. Plug-ins that name an earlier `apiVersion` get `before`
   * instead, and where that is missing nothing of this name. Default: it was always there.
   */
  readonly since?: string;
  readonly before?: HostFunction;
}

/**
 * The host functions, by the capability that a manifest must ask for to get them. The function
 * `system.cpuPercent` is `host.system.cpuPercent` to the plug-in.
 */
export type Capabilities = Readonly<Record<string, Readonly<Record<string, HostFunction>>>>;

/**
 * Where a plug-in is in its life. `errored`: it failed, and is started again after a pause unless its package is
 * at fault; `broken`: it failed three times within an hour and stays down until it is run by hand.
 */
export type PluginState =
  | "installed"
  | "loading"
  | "running"
  | "stopping"
  | "stopped"
  | "errored"
  | "broken";

/** A plug-in as it is now. */
export interface PluginStatus {
  /** From its manifest; where none could be read, from its file. */
  readonly name: string;
  readonly version: string | undefined;
  readonly description: string | undefined;
  readonly author: string | undefined;
  readonly state: PluginState;
  /** What was asked for. */
  readonly desired: "running" | "stopped";
  readonly commands: readonly { readonly name: string; readonly right: Right }[];
  readonly capabilities: readonly string[];
  readonly limits: PluginLimits | undefined;
  /** How far it is trusted, where {@linkcode PluginManagerOptions.admit} says so. */
  readonly tier: string | undefined;
  /** The latest fault. It may be that of a new version that could not take over from the one that runs. */
  readonly error: string | undefined;
  /** How often it was started again after a failure of its own or of its host process. */
  readonly restarts: number;
  /** Failures within the last hour. */
  readonly failures: number;
  readonly calls: number;
  /** Calls that ended with an error. */
  readonly errors: number;
  readonly inFlight: number;
  /** Bytes in use inside its engine, measured now and then; undefined while it is not running. */
  readonly memoryBytes: number | undefined;
  /** Its file or folder, relative to the plug-ins folder. */
  readonly source: string;
  /** Errors by kind and times, since the gateway was started; an upgrade does not begin them anew. */
  readonly figures: Figures;
}

/** A call of a plug-in's command. */
export interface PluginCall {
  /** Which plug-in; absent or empty: the command chooses it. */
  readonly plugin?: string;
  /** Absent or empty: any version. */
  readonly version?: string;
  readonly command: string;
  readonly request: JsonObject;
  /**
   * `peer`: another plug-in, which declares this one in its manifest; it may call what has any right but `none`, and
   * nothing that asks for an `auth`: it has no user's password to show.
   */
  readonly origin: "local" | "remote" | "peer";
  /** On whose behalf, in whatever words the host functions know. */
  readonly caller?: string | undefined;
  /**
   * Asked before the call of a command whose manifest names an `auth`, whatever the origin: resolves with the request
   * to call it with, or rejects with what the call is to reject with. Absent: such commands are called like others.
   */
  readonly authorize?: (auth: Auth) => Promise<JsonObject>;
  /** Milliseconds to wait; the manifest's `callMs` if that is less. */
  readonly timeoutMs?: number;
}

/** How far a program is trusted. */
export interface PluginAdmission {
  readonly tier: string;
  /** Throws PluginError `untrusted` where a manifest asks for more than it may have. */
  check(manifest: Manifest): void;
  /** Whether its calls may go to this plug-in, which its manifest names as a peer. Default: to any. */
  mayCall?(peer: { readonly name: string; readonly tier: string | undefined }): boolean;
}

/** How a {@linkcode PluginManager} is made. */
export interface PluginManagerOptions {
  /** The plug-ins folder: watched, made if missing. */
  readonly dir: string;
  /** Where the desired states are kept. */
  readonly stateDir: string;
  /**
   * Where plug-ins run. `process`: each tier in a host process of its own; `shared`: all in one host process; `inline`:
   * in this process.
   */
  readonly isolation: "process" | "shared" | "inline";
  readonly capabilities: Capabilities;
  /** How to start a plug-in host; needed unless they run in this process. */
  readonly hostCommand?: HostCommand;
  /** The most that a manifest may ask for. */
  readonly ceilings?: Partial<PluginLimits>;
  /**
   * Asked before each load whether a program may run. Rejects with PluginError `untrusted` where it may not.
   */
  readonly admit?: (program: Program) => Promise<PluginAdmission>;
  /** The dates of the host API that are served, the oldest first. Default: `API_VERSIONS`. */
  readonly apiVersions?: readonly string[];
  /** How many plug-ins there may be. Default 100. */
  readonly maxPlugins?: number;
  /** How many versions of a plug-in that was installed stay on disk beside the active one. Default 2. */
  readonly keepVersions?: number;
  /** Told before each step on the disk of an installation: lets a test cut the power there. */
  readonly onStep?: (step: string) => void;
  /** How long a host function may take, in milliseconds. Default 60,000. */
  readonly hostCallMs?: number;
  /** Told whenever a plug-in's state changes, or it is removed (then without a status). */
  readonly onEvent?: (event: PluginEvent) => void;
}

/** Something happened to a plug-in. */
export interface PluginEvent {
  readonly plugin: string;
  readonly status: PluginStatus | undefined;
}

/**
 * Loads, runs and calls plug-ins. All methods reject with PluginError: `absent` where there is no such plug-in.
 * Disposing stops every plug-in and the plug-in host; desired states stay.
 */
export interface PluginManager extends AsyncDisposable {
  list(): PluginStatus[];
  get(name: string): PluginStatus | undefined;
  /** The manifest of an installed plug-in, if it could be read. */
  manifest(name: string): Manifest | undefined;
  /**
   * Puts a plug-in into the folder and runs it (unless it was stopped before: then it stays so), beside the version
   * that is there: that one goes on until the new one has loaded and, where it exports `health`, said that it is
   * well; then it finishes its calls. `files`: a package, the source of a single module, or sources by path, `plugin.js` among
   * them. Otherwise nothing changes, and it rejects with `invalid`, `limit`, `timeout`, `crashed` or `failed`,
   * or with `version` where `expected` names another version than its manifest.
   */
  install(
    name: string,
    files: PluginContent,
    expected?: { readonly version?: string },
  ): Promise<PluginStatus>;
  /** Runs it, also from `broken`, and remembers that it is to run. */
  run(name: string): Promise<PluginStatus>;
  /** Lets its calls finish, stops it, and remembers that it is to be stopped. */
  stop(name: string): Promise<PluginStatus>;
  /**
   * Goes back to the version that was active before. Rejects with `version` where none is kept, or as `install` does
   * where it does not load any more: then the present one goes on.
   */
  rollBack(name: string): Promise<PluginStatus>;
  /** Reads it again from the folder; the version that runs goes on if that fails. */
  reload(name: string): Promise<PluginStatus>;
  /** Stops it and deletes it from the folder. */
  remove(name: string): Promise<void>;
  /** The last lines of its log, within bounds of number and size; a removed plug-in's are gone. Throws `absent`. */
  logs(name: string, query?: LogQuery): PluginLogLine[];
  /** Calls a command: the fields that it returned. */
  call(call: PluginCall): Promise<JsonObject>;
  /** Sets from where a command may be called, against its manifest; undefined: as its manifest says. Survives restarts. */
  setRight(name: string, command: string, right: Right | undefined): Promise<void>;
  /**
   * Asks {@linkcode PluginManagerOptions.admit} again about every plug-in: those that may not run any more are stopped
   * at once, those that may again are started.
   */
  recheck(): Promise<void>;
  /** Looks at the folder now, without waiting for word from the file system. */
  rescan(): Promise<void>;
  /** The processes that hold plug-ins, one a tier; none where they run in this process. */
  hosts(): PluginHost[];
  /** Resident bytes of all of them, by their own account; undefined where there is none. */
  hostMemoryBytes(): Promise<number | undefined>;
}

/** A plug-in host process that runs. */
export interface PluginHost {
  /** The tier whose plug-ins it holds; `any` where nobody tells tiers apart. */
  readonly tier: string;
  readonly pid: number;
  /** Plug-ins in it, counting old versions that still finish their calls. */
  readonly plugins: number;
}
