/**
 * What may be asked of a diagnosis, on every machine alike.
 *
 * @module
 */
import { isIpAddress } from "../../../net/mod.ts";
import { DriverError } from "../errors.ts";
import type { PingOptions, TracerouteOptions } from "./diagnosis.ts";

const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*\.?$/;
const QUESTION =
  /^(?=.{1,253}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.?$/;

/** @throws {DriverError} `invalid`. */
export function checkPing(destination: string, { count, size }: Pick<PingOptions, "count" | "size">): void {
  checkDestination(destination);
  if (!Number.isInteger(count) || count < 1 || count > 20) {
    throw new DriverError("invalid", "count is not 1 to 20");
  }
  if (!Number.isInteger(size) || size < 0 || size > 1472) {
    throw new DriverError("invalid", "size is not 0 to 1472");
  }
}

/** @throws {DriverError} `invalid`. */
export function checkTraceroute(destination: string, { maxHops }: Pick<TracerouteOptions, "maxHops">): void {
  checkDestination(destination);
  if (!Number.isInteger(maxHops) || maxHops < 1 || maxHops > 30) {
    throw new DriverError("invalid", "maxHops is not 1 to 30");
  }
}

/** What is asked of a name server. @throws {DriverError} `invalid`. */
export function checkQuestion(name: string): void {
  if (!QUESTION.test(name)) throw new DriverError("invalid", `not a host name: "${name.slice(0, 64)}"`);
}

function checkDestination(destination: string): void {
  if (!isIpAddress(destination) && !HOST_NAME.test(destination)) {
    throw new DriverError("invalid", `not a host name or IP address: "${destination.slice(0, 64)}"`);
  }
}
