/**
 * What each kind of command says to the gateway, and what the answers mean.
 *
 * @module
 */
import { type Clock, parseHostPort, sleep } from "../../base/mod.ts";
import { isPluginSuccess, ProtocolError } from "../../protocol/smart_gateway/mod.ts";
import type { CommandRow } from "../registry/mod.ts";
import type { ChannelOutcome, ChannelReply, ChannelRequest, TriggerOutcome } from "../subjects.ts";
import { type FailureCode, failureOf } from "./errors.ts";

/** How a command went, as far as one try can tell. */
export type Verdict =
  | { readonly kind: "succeeded"; readonly result: number; readonly reply?: unknown }
  | {
    readonly kind: "failed";
    readonly code: FailureCode;
    readonly error: string;
    readonly result?: number;
    readonly reply?: unknown;
  }
  /** Nothing was sent: try again when there is a channel. */
  | { readonly kind: "not_sent" }
  /** It was sent and the answer was lost. */
  | { readonly kind: "lost"; readonly reason: string }
  | { readonly kind: "timeout" }
  /** The gateway gave it up when it was asked to. */
  | { readonly kind: "cancelled" };

/** A package for an Install. */
export interface PackageSource {
  readonly url: string;
  readonly size: number;
  readonly sha256: string;
}

/** Why the repository does not hand a package out. */
export interface PackageRefusal {
  readonly refused: string;
}

/** Finds packages: undefined where the repository has no such version. */
export type PackageFinder = (
  plugin: string,
  version: string,
) => Promise<PackageSource | PackageRefusal | undefined>;

/** What a command needs while it runs. */
export interface Performance {
  readonly clock: Clock;
  /** Asks over the channel; the time left until the deadline bounds it. */
  exchange(message: ChannelRequest): Promise<ChannelOutcome>;
  /** Sends the gateway to another platform (RequestDistri). */
  move(mode: number, host: string, port: number): Promise<TriggerOutcome>;
  /** Where the gateway can fetch a plug-in. */
  readonly packageOf: PackageFinder;
  /** The gateway has taken the work on. */
  acked(): void;
  /** Percent of an installation. */
  progress(percent: number): void;
  /** Whether somebody wants it given up. */
  unwanted(): boolean;
}

/** Pauses between looks at an installation, in milliseconds: short at first, since most plug-ins are small. */
const FIRST_LOOK_MS = 15;
const LAST_LOOK_MS = 1000;

/** Performs a command once. */
export async function perform(row: CommandRow, on: Performance): Promise<Verdict> {
  const { plugin, version } = row;
  try {
    switch (row.kind) {
      case "post": {
        const parameter = JSON.parse(row.parameter) as Record<string, unknown>;
        return ofPost(await on.exchange({ method: "Post", plugin, version, parameter }));
      }
      case "install":
        return await install(row, on);
      case "uninstall":
        return ofManagement(await on.exchange({ method: "UnInstall", plugin, version }));
      case "run":
        return ofManagement(await on.exchange({ method: "Run", plugin, version }));
      case "stop":
        return ofManagement(await on.exchange({ method: "Stop", plugin, version }));
      case "factory":
        return ofManagement(await on.exchange({ method: "FactoryPlugin", plugin, version }));
      case "configure": {
        const parameter = JSON.parse(row.parameter) as Record<string, unknown>;
        return ofManagement(
          await on.exchange({ method: "SetPlug-inParameterValues", plugin, version, parameter }),
        );
      }
      case "redistribute":
        return await redistribute(row, on);
      case "list":
        return ofManagement(await on.exchange({ method: "ListPlugin" }), (reply) => ({
          plugins: reply.plugins ?? [],
        }));
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { kind: "failed", code: "bad_request", error: error.message };
  }
}

async function redistribute({ parameter }: CommandRow, on: Performance): Promise<Verdict> {
  const { mode, address } = JSON.parse(parameter) as { mode: number; address: string };
  const to = parseHostPort(address);
  if (!to) return { kind: "failed", code: "bad_request", error: `"${address}" is not host:port` };
  const outcome = await on.move(mode, to.host, to.port);
  switch (outcome) {
    case "accepted":
      return { kind: "succeeded", result: 0 };
    case "unanswered":
      return { kind: "lost", reason: "the gateway did not answer" };
    case "offline":
      return { kind: "failed", code: "gateway_offline", error: "the gateway is offline" };
    default:
      return {
        kind: "failed",
        code: "gateway_refused",
        error: `the gateway answered: ${outcome.replaceAll("_", " ")}`,
      };
  }
}

/** Where an installation was given an address of its own: its command's parameter. */
function addressOf({ parameter }: CommandRow): PackageSource | undefined {
  const { url, size, sha256 } = JSON.parse(parameter) as Partial<PackageSource>;
  return url === undefined || size === undefined || sha256 === undefined ? undefined : { url, size, sha256 };
}

async function install(row: CommandRow, on: Performance): Promise<Verdict> {
  const { plugin, version } = row, source = addressOf(row) ?? await on.packageOf(plugin, version);
  if (!source) {
    return {
      kind: "failed",
      code: "bad_version",
      error: `the repository has no plug-in "${plugin}" ${version}`,
    };
  }
  if ("refused" in source) return { kind: "failed", code: "untrusted", error: source.refused };
  const begun = ofManagement(await on.exchange({ method: "Install", plugin, version, ...source }));
  if (begun.kind !== "succeeded") return begun;
  on.acked();
  for (let pause = FIRST_LOOK_MS;; pause = Math.min(pause * 2, LAST_LOOK_MS)) {
    await sleep(on.clock, pause);
    if (on.unwanted()) {
      const given = ofManagement(await on.exchange({ method: "Install_cancel", plugin, version }));
      // One that is too late to give up is seen to its end.
      if (given.kind === "succeeded") return { kind: "cancelled" };
    }
    const looked = await on.exchange({ method: "Install_query", plugin, version });
    if (looked.kind !== "reply") return withoutReply(looked);
    const { result } = looked.reply;
    if (result < 0) return refused(looked.reply);
    on.progress(Math.min(result, 100));
    if (result >= 100) break;
  }
  return ofManagement(await on.exchange({ method: "Run", plugin, version }));
}

function ofPost(outcome: ChannelOutcome): Verdict {
  if (outcome.kind !== "reply") return withoutReply(outcome);
  const { reply } = outcome;
  if (reply.result !== 0) return refused(reply);
  if (reply.malformed !== undefined) {
    return { kind: "failed", code: "bad_reply", error: reply.malformed, result: reply.result };
  }
  if (reply.parameter && reply.parameter.Status !== "0") {
    return {
      kind: "failed",
      code: "capability_failed",
      error: String(reply.parameter.FailReason ?? ""),
      result: reply.result,
      reply: reply.parameter,
    };
  }
  return { kind: "succeeded", result: reply.result, reply: reply.parameter };
}

function ofManagement(outcome: ChannelOutcome, answer?: (reply: ChannelReply) => unknown): Verdict {
  if (outcome.kind !== "reply") return withoutReply(outcome);
  const { reply } = outcome;
  if (!isPluginSuccess(reply.result)) return refused(reply);
  return { kind: "succeeded", result: reply.result, ...(answer ? { reply: answer(reply) } : {}) };
}

function refused(reply: ChannelReply): Verdict {
  const code = failureOf(reply.result);
  return {
    kind: "failed",
    code,
    error: `the gateway answered ${reply.result}: ${code.replaceAll("_", " ")}`,
    result: reply.result,
    ...(reply.parameter ? { reply: reply.parameter } : {}),
  };
}

function withoutReply(outcome: Exclude<ChannelOutcome, { kind: "reply" }>): Verdict {
  return outcome.kind === "closed" ? { kind: "not_sent" } : outcome;
}
