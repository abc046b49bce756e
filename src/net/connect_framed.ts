/**
 * The client's side of a framed connection.
 *
 * @module
 */
import type { HostPort } from "../base/mod.ts";
import { FramedConnection, type FramedOptions } from "./framed_connection.ts";
import type { ConnectOptions, Network } from "./network.ts";

/** Connects to `to`; read the result with `run` or `frames`. @throws {NetError} */
export async function connectFramed(
  network: Pick<Network, "connect">,
  to: HostPort,
  options: FramedOptions & ConnectOptions,
): Promise<FramedConnection> {
  return new FramedConnection(await network.connect(to, options), options);
}
