/**
 * Floor 0: time, randomness, ids, errors, logging, metrics and limits. Knows nothing of the rest of the house.
 *
 * @module
 */
export { type Clock, sleep, systemClock, type Timer, withTimeout } from "./clock.ts";
export { GatehouseError, messageOf } from "./errors.ts";
export { FakeClock } from "./fake_clock.ts";
export { formatHostPort, type HostPort, parseHostPort } from "./host_port.ts";
export { hourly } from "./hourly.ts";
export { newId } from "./ids.ts";
export { KeyedRate, TokenBucket } from "./limits.ts";
export { calmLog } from "./log_calm.ts";
export {
  createLog,
  type Log,
  LOG_LEVELS,
  type LogFields,
  type LogFormat,
  type LogLevel,
  type LogOptions,
  silentLog,
} from "./log.ts";
export {
  type Counter,
  type Distribution,
  type Histogram,
  type Labels,
  LATENCY_BUCKETS,
  Metrics,
} from "./metrics.ts";
export { type Random, seededRandom, systemRandom } from "./random.ts";
export { faultOf, type SchemaIssue } from "./schema_fault.ts";
export type { Deps, Health, Service } from "./service.ts";
export { nextTurn } from "./turn.ts";
