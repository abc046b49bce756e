/**
 * From an inner request to a plug-in and back: which plug-in error becomes which outer result or FailReason
 * (reference §4, §7) is decided here and nowhere else.
 *
 * @module
 */
import { messageOf, type Metrics } from "../../base/mod.ts";
import {
  type CapabilityFields,
  type CapabilityReply,
  type CapabilityRequest,
  decodeCapabilityRequest,
  encodeCapabilityReply,
  FailReason,
  type JsonValue,
  PostResult,
  ProtocolError,
  REPLY_NAMES,
} from "../../protocol/smart_gateway/mod.ts";
import { type JsonObject, PluginError, type PluginManager } from "../../sandbox/mod.ts";
import type { Caller } from "../parameters/mod.ts";
import type { PasswordGuard } from "../state/mod.ts";
import { chosen } from "./chosen.ts";

/** From where a call comes; decides with the command's right whether it is let in. */
export type Origin = "local" | "remote";

/** A Post or Post1. */
export interface CapabilityCall {
  readonly origin: Origin;
  /** Empty: the CmdType chooses. */
  readonly pluginName: string;
  /** Empty: any. */
  readonly version: string;
  /** Base64 of the inner request. */
  readonly parameter: string;
}

/** Its answer. */
export interface CapabilityAnswer {
  readonly result: number;
  /** Base64 of the inner reply; with a negative result, one of Status "1" that says why. */
  readonly returnParameter: string;
}

/** An answer before it is encoded. */
export interface CapabilityOutcome {
  readonly result: number;
  readonly reply: CapabilityReply;
}

/** The longest that a call may take, whatever the manifest allows, in milliseconds. */
const CALL_MS = 30_000;

/** Calls plug-ins on behalf of those who know only CmdTypes. */
export class Dispatcher {
  readonly #plugins: Pick<PluginManager, "call" | "list">;
  readonly #passwords: Pick<PasswordGuard, "check"> | undefined;
  readonly #seconds;
  readonly #metrics: Metrics;
  readonly #clock: { monotonic(): number };

  constructor(
    deps: { clock: { monotonic(): number }; metrics: Metrics },
    plugins: Pick<PluginManager, "call" | "list">,
    /** Checks the passwords of local calls that need one; without it there are no such calls. */
    passwords?: Pick<PasswordGuard, "check">,
  ) {
    this.#plugins = plugins;
    this.#passwords = passwords;
    this.#clock = deps.clock;
    this.#metrics = deps.metrics;
    this.#seconds = deps.metrics.histogram(
      "gatehouse_gateway_command_seconds",
      "Time to answer a capability command",
    );
  }

  /** Answers a Post or Post1. Never rejects. */
  async dispatch(call: CapabilityCall): Promise<CapabilityAnswer> {
    let request: CapabilityRequest;
    try {
      request = decodeCapabilityRequest(call.parameter);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return encoded(failed(PostResult.OK, NAMELESS, FailReason.UNRECOGNIZE_REQUEST));
    }
    return encoded(await this.call(call.origin, call.pluginName, call.version, request));
  }

  /** Calls a command. `caller`: in whose name what it writes is written. Never rejects. */
  async call(
    origin: Origin,
    plugin: string,
    version: string,
    request: CapabilityRequest,
    caller: Caller = origin === "local" ? "local" : "platform",
  ): Promise<CapabilityOutcome> {
    const started = this.#clock.monotonic();
    let outcome: CapabilityOutcome;
    try {
      const full = { ...request.fields, CmdType: request.cmdType, SequenceId: request.sequenceId };
      const fields = await this.#plugins.call({
        plugin: plugin !== "" ? plugin : chosen(this.#plugins, request.cmdType) ?? "",
        version,
        command: request.cmdType,
        request: full,
        origin,
        caller,
        authorize: () => origin === "local" ? this.#authorized(full) : Promise.resolve(full),
        timeoutMs: CALL_MS,
      });
      const { cmdType, sequenceId } = request;
      outcome = {
        result: PostResult.OK,
        reply: { cmdType, sequenceId, status: "0", fields: texts(fields) },
      };
    } catch (error) {
      outcome = outcomeOf(error, request);
    }
    this.#seconds.observe((this.#clock.monotonic() - started) / 1000);
    this.#metrics.counter("gatehouse_gateway_commands_total", "Capability commands answered", {
      origin,
      result: String(outcome.result),
    }).inc();
    return outcome;
  }

  /** The request without USER and PASSWORD, where they are right (reference §7, †). The password decides. */
  async #authorized(request: JsonObject): Promise<JsonObject> {
    const shown = new Map<string, unknown>(), rest: JsonObject = {};
    for (const [name, value] of Object.entries(request)) {
      const key = name.toUpperCase();
      if (key === "USER" || key === "PASSWORD") shown.set(key, value);
      else rest[name] = value;
    }
    const user = shown.get("USER"), password = shown.get("PASSWORD");
    if (typeof user !== "string" || user === "" || typeof password !== "string") {
      throw new Error(FailReason.LOCAL_AUTH_FAIL);
    }
    try {
      if (!this.#passwords) throw new Error("there are no passwords");
      await this.#passwords.check(password);
    } catch (cause) {
      throw new Error(FailReason.LOCAL_AUTH_FAIL, { cause });
    }
    return rest;
  }
}

const NAMELESS: CapabilityRequest = { cmdType: "", sequenceId: "", fields: {} };

function failed(
  result: number,
  { cmdType, sequenceId }: CapabilityRequest,
  failReason: string,
): CapabilityOutcome {
  return { result, reply: { cmdType, sequenceId, status: "1", failReason, fields: {} } };
}

function outcomeOf(error: unknown, request: CapabilityRequest): CapabilityOutcome {
  if (!(error instanceof PluginError)) return failed(PostResult.OK, request, messageOf(error));
  switch (error.code) {
    case "absent":
    case "version":
      return failed(PostResult.ABSENT, request, error.message);
    case "not_running":
    case "closed":
      return failed(PostResult.NOT_RUNNING, request, error.message);
    case "timeout":
      return failed(PostResult.TIMED_OUT, request, error.message);
    case "busy":
      return failed(PostResult.BUSY, request, FailReason.BUSY_REQUEST);
    case "unknown_command":
      return failed(PostResult.OK, request, FailReason.UNRECOGNIZE_REQUEST);
    case "no_right":
      return failed(PostResult.OK, request, FailReason.NO_RIGHT_ACCESS);
    case "failed":
    case "crashed":
    case "limit":
    case "invalid":
    case "untrusted":
      return failed(PostResult.OK, request, error.message);
  }
}

/** All values are strings (§7); lists and objects stay what they are. What every reply has is not a plug-in's to say. */
function texts(fields: CapabilityFields): CapabilityFields {
  const made: Record<string, JsonValue> = Object.create(null);
  for (const [name, value] of Object.entries(fields)) {
    if (value === null || REPLY_NAMES.has(name)) continue;
    made[name] = typeof value === "object" ? value : String(value);
  }
  return made;
}

function encoded({ result, reply }: CapabilityOutcome): CapabilityAnswer {
  try {
    return { result, returnParameter: encodeCapabilityReply(reply) };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const { cmdType, sequenceId } = reply;
    const shown = { cmdType, sequenceId, status: "1", failReason: error.message, fields: {} } as const;
    return { result, returnParameter: encodeCapabilityReply(shown) };
  }
}
