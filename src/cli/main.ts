/**
 * The command line's program: reads the settings, starts the role, gives the exit code.
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };
import {
  calmLog,
  createLog,
  type Deps,
  type HostPort,
  type LogFields,
  messageOf,
  Metrics,
  type Service,
  systemClock,
  systemRandom,
} from "../base/mod.ts";
import { holdDataDir, prepareDataDir } from "./data_dir.ts";
import { readEnvironment, unknownVariables } from "./environment.ts";
import { EXIT, StartError, UsageError } from "./errors.ts";
import { pluginHostCommand } from "./plugin_host.ts";
import { readCommandLine } from "./flags.ts";
import { overview, roleHelp } from "./help.ts";
import { gatewayGivesUp, giveUp, PLATFORM_GIVES_UP } from "./permissions.ts";
import { Settings } from "./resolve.ts";
import { gatewaySettings, platformSettings } from "./role_settings.ts";
import { runRole, STOP_SIGNALS } from "./run_role.ts";
import { type Role, ROLES, type ValuesOf } from "./setting.ts";
import { type COMMON_SETTINGS, GATEWAY_SETTINGS, PLATFORM_SETTINGS } from "./settings_table.ts";
import { explainStart } from "./start_errors.ts";

/** This program's version. */
export const VERSION: string = config.version;

/** Runs the program; resolves with the exit code. What it can't do is told on standard error. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const { help, version, values: flags } = readCommandLine(args);
    if (version) return say(`gatehouse ${VERSION} (deno ${Deno.version.deno}, ${Deno.build.target})`);
    if (help) return say(helpFor(flags.get("role")));
    const settings = new Settings({ flags, env: readVariable });
    const role = settings.role();
    if (role === undefined) {
      throw new UsageError(`--role is needed: ${ROLES.join(" or ")} is allowed, see --help`);
    }
    return await (role === "platform" ? runPlatform(settings) : runGateway(settings));
  } catch (error) {
    if (error instanceof UsageError) return complain(error.message, EXIT.usage);
    if (error instanceof StartError) return complain(error.message, EXIT.failed);
    return complain(error instanceof Error ? error.stack ?? error.message : messageOf(error), EXIT.failed);
  }
}

const readVariable = (name: string) => Deno.env.get(name);

async function runPlatform(settings: Settings): Promise<number> {
  const values = settings.all("platform", PLATFORM_SETTINGS);
  const platform = platformSettings(values, Deno.networkInterfaces);
  const node = values.node === undefined ? {} : { node: values.node };
  return await run(
    "platform",
    values,
    node,
    ["http", "distribution", "access", "plugin-center", "push", "sms", "sms-short", "sms-peer", "gns"],
    async (deps) => {
      const { startPlatform } = await import("../platform/mod.ts");
      await giveUp(PLATFORM_GIVES_UP);
      return await startPlatform(deps, platform);
    },
  );
}

async function runGateway(settings: Settings): Promise<number> {
  const values = settings.all("gateway", GATEWAY_SETTINGS);
  const gateway = { ...gatewaySettings(values), pluginHost: pluginHostCommand(readVariable) };
  return await run("gateway", values, {}, ["control", "local"], async (deps) => {
    const { startGateway } = await import("../gateway/mod.ts");
    await giveUp(gatewayGivesUp(gateway));
    return await startGateway(deps, gateway);
  });
}

/** What both roles' starts have in common. `listen`: the settings that are addresses, the HTTP server's first. */
async function run<Name extends string>(
  role: Role,
  values: ValuesOf<typeof COMMON_SETTINGS> & Readonly<Record<Name, HostPort>>,
  fields: LogFields,
  listen: readonly Name[],
  start: (deps: Deps) => Promise<Service>,
): Promise<number> {
  const stderr = lineWriter(Deno.stderr);
  const metrics = new Metrics();
  const lines = createLog({
    level: values["log-level"],
    format: values["log-format"],
    clock: systemClock,
    write: stderr,
  }).with(fields);
  const log = calmLog(lines, { clock: systemClock, metrics });
  const deps: Deps = { clock: systemClock, random: systemRandom, log, metrics };
  const runner = { ...deps, print: lineWriter(Deno.stdout), onSignal, exit: Deno.exit };
  for (const fields of unknownVariables(readEnvironment())) {
    log.warn("an environment variable is no setting, and ignored", fields);
  }
  using held = new DisposableStack();
  return await runRole(role, runner, async () => {
    await prepareDataDir(values.data);
    held.use(await holdDataDir(systemClock, values.data, role));
    try {
      return await start(deps);
    } catch (error) {
      throw explainStart(error, new Map(listen.map((name) => [name, values[name]])));
    }
  });
}

function onSignal(handler: (signal: keyof typeof STOP_SIGNALS) => void): () => void {
  const listeners = Object.keys(STOP_SIGNALS).map((name) => {
    const signal = name as keyof typeof STOP_SIGNALS;
    const listener = () => handler(signal);
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  return () => listeners.forEach((remove) => remove());
}

function helpFor(role: string | undefined): string {
  const known = ROLES.find((name) => name === role);
  return known ? roleHelp(known, VERSION) : overview(VERSION);
}

function say(text: string): number {
  lineWriter(Deno.stdout)(text);
  return EXIT.ok;
}

function complain(message: string, code: number): number {
  lineWriter(Deno.stderr)(`gatehouse: ${message}`);
  return code;
}

/** Writes whole lines at once, so that they are out before the process ends. A reader that went away is no error. */
function lineWriter(to: { writeSync(bytes: Uint8Array): number }): (line: string) => void {
  const encoder = new TextEncoder();
  return (line) => {
    try {
      const bytes = encoder.encode(line + "\n");
      for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
    } catch {
      // Its reader is gone, or its disk is full: a line that can't be written must not end what it tells of.
    }
  };
}
