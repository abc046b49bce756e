/**
 * Asking a gateway something over HTTP: what such requests have in common.
 *
 * @module
 */
import * as v from "valibot";
import {
  actorOf,
  type BodySpec,
  type Call,
  documented,
  problem,
  type Schema,
  waitSeconds,
} from "../../control/mod.ts";
import { isVersion } from "../../protocol/smart_gateway/mod.ts";
import type { Commander, CommandRequest } from "../commands/mod.ts";
import type { PlatformDeps } from "../deps.ts";
import { type CommandRow, isFinal } from "../registry/mod.ts";
import { CommandView, commandView } from "./views.ts";

const DAY = 86_400_000;
/** Time that a command has where its request says none. */
export const DEFAULT_TIMEOUT_MS = 60_000;

/** A plug-in's name; what is asked for says whether it may be empty. */
export const PluginName = v.pipe(v.string(), v.maxLength(128));
/** A plug-in's version; empty: any. */
export const Version = v.pipe(
  documented(v.string(), { type: "string", examples: ["1.0"] }),
  v.check((text) => text === "" || isVersion(text), 'must look like "1.0"'),
);
/** Time that a command has, in milliseconds. */
export const TimeoutMs = v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(7 * DAY));
/** How long the caller waits. */
export const Wait = v.object({ wait: waitSeconds() });

/** What is answered to whoever asks. */
export const answers = {
  200: { description: "It has ended", schema: CommandView },
  202: { description: "Taken; it has not ended yet", schema: CommandView },
  404: { description: "Not preset" },
  429: { description: "Too many commands wait for that gateway" },
} as const;

/** Who asks, for how long they wait, and their place in the audit. */
export type Asking = Pick<
  Call<readonly string[], Schema, Schema, BodySpec>,
  "principal" | "signal" | "changed"
>;

/** Creates a command and waits as long as the caller likes, in seconds: 200 if it has ended by then, else 202. */
export async function issue(
  { fleet }: Pick<PlatformDeps, "fleet">,
  commander: Commander,
  request: Omit<CommandRequest, "actor">,
  waitFor: number,
  { principal, signal, changed }: Asking,
) {
  await fleet.gateway(principal, request.mac);
  const created = await commander.create({ ...request, actor: actorOf(principal) });
  // Its parameter may hold passwords: what was asked is on the command itself.
  const { mac, kind, plugin, version, parameter } = request;
  changed(undefined, { id: created.id, mac, kind, plugin, version, cmdType: parameter?.["CmdType"] });
  const row = waitFor > 0 ? await commander.wait(created.id, waitFor * 1000, signal) ?? created : created;
  const status = isFinal(row.status) ? 200 : 202;
  return { status, body: commandView(row), headers: { location: `/api/v1/commands/${row.id}` } } as const;
}

/** The row of a command that was asked for by its id. @throws {ProblemError} 404 */
export function known(row: CommandRow | undefined, id: string): CommandRow {
  if (!row) throw problem(404, "command_not_found", `there is no command "${id}"`);
  return row;
}
