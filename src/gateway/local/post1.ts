/**
 * From the bytes of a Post1 to the bytes of its answer, under the brake on passwords and with a line in the audit:
 * the same whichever way they came.
 *
 * @module
 */
import type { Metrics } from "../../base/mod.ts";
import {
  decodeCapabilityReply,
  decodeCapabilityRequest,
  decodePost1,
  encodePost1Reply,
  type Post1,
  PostResult,
  ProtocolError,
} from "../../protocol/smart_gateway/mod.ts";
import type { CapabilityAnswer, CapabilityCall } from "../capability/mod.ts";
import type { AuditEvent, LocalAudit } from "./audit.ts";
import type { GuardedAnswer, PasswordLock } from "./password_lock.ts";

/** What it works with. */
export interface Post1Options {
  readonly metrics: Metrics;
  readonly dispatch: (call: CapabilityCall) => Promise<CapabilityAnswer>;
  readonly lock: PasswordLock;
  readonly audit: LocalAudit;
}

/** Answers Post1s. */
export class Post1Service {
  readonly #options: Post1Options;
  readonly #counts;

  constructor(options: Post1Options) {
    this.#options = options;
    const { metrics } = options;
    this.#counts = {
      answered: metrics.counter(
        "gatehouse_gateway_local_requests_total",
        "Requests answered on the local port",
      ),
      bad: metrics.counter(
        "gatehouse_gateway_local_bad_requests_total",
        "Unreadable requests on the local port",
      ),
    };
  }

  /** Notes a request that was refused before anybody looked into it. */
  refused(from: string, via: AuditEvent["via"], reason: string): void {
    this.#counts.bad.inc();
    this.#options.audit.note({ from, via, outcome: "unreadable", reason });
  }

  /** The JSON of the answer to the JSON of a Post1. */
  async answer(bytes: Uint8Array, from: string, via: AuditEvent["via"]): Promise<Uint8Array> {
    let request: Post1;
    try {
      request = decodePost1(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.refused(from, via, error.code);
      return encodePost1Reply({
        result: PostResult.GENERAL,
        ...(error.id === undefined ? {} : { id: error.id }),
      });
    }
    const { id, pluginName, version } = request, { lock, dispatch } = this.#options;
    // Over HTTP it is the base64 of URLs that some apps write.
    const parameter = request.parameter.replaceAll("-", "+").replaceAll("_", "/");
    const answer = await lock.guard(
      from,
      parameter,
      () => dispatch({ origin: "local", pluginName, version, parameter }),
    );
    this.#counts.answered.inc();
    this.#options.audit.note({ from, via, plugin: pluginName, ...outcomeOf(parameter, answer) });
    const { result, returnParameter } = answer;
    return encodePost1Reply({ result, returnParameter, id });
  }
}

function outcomeOf(
  parameter: string,
  { result, returnParameter, locked }: GuardedAnswer,
): Pick<AuditEvent, "outcome" | "command" | "result" | "reason"> {
  const command = read(() => decodeCapabilityRequest(parameter).cmdType);
  const reply = read(() => decodeCapabilityReply(returnParameter));
  const reason = reply?.status === "1" ? reply.failReason : undefined;
  const done = result === PostResult.OK && reply?.status === "0";
  return {
    outcome: locked ? "locked" : done ? "done" : "failed",
    result,
    ...(command !== undefined && { command }),
    ...(reason !== undefined && { reason }),
  };
}

function read<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
