/**
 * Message push, the gateway's side: what plug-ins and the gateway itself send to the platform unasked.
 *
 * @module
 */
export { type AgentMemory, AgentMessages, type Remembered, type Severity } from "./agent_messages.ts";
export { PushError, type PushErrorCode } from "./errors.ts";
export { pushFunctions } from "./host_functions.ts";
export { AGENT_NAME, MAX_PUSH_BYTES, MessagePush, type PushOptions, type PushStatus } from "./push.ts";
export { pushStatusRoutes } from "./routes.ts";
export type { SenderStatus } from "./sender.ts";
export { DEFAULT_SPOOL_LIMITS, type SpoolLimits } from "./spool.ts";
export { DEFAULT_PUSH_TIMING, type PushTiming } from "./timing.ts";
