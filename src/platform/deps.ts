/**
 * What the platform's services are handed: the house's dependencies, the network, and what they share.
 *
 * @module
 */
import type { Deps, HostPort } from "../base/mod.ts";
import type { DatagramSocket, Framing, Network } from "../net/mod.ts";
import { encodeFrame, FrameDecoder } from "../protocol/smart_gateway/mod.ts";
import type { Fleet } from "./fleet/mod.ts";
import type { Owners } from "./nodes/mod.ts";
import type { CommandStore, DocumentStore, GatewayStore, PresenceTable } from "./registry/mod.ts";
import type { Receiver } from "./settings.ts";
import type { PlatformBus } from "./subjects.ts";

/** Given to each service when it starts. */
export interface PlatformDeps extends Deps {
  readonly network: Network;
  readonly bus: PlatformBus;
  readonly gateways: GatewayStore;
  readonly presence: PresenceTable;
  readonly commands: CommandStore;
  readonly documents: DocumentStore;
  readonly fleet: Fleet;
  /** Where there are several nodes: which gateways are this one's. */
  readonly owners?: Owners | undefined;
}

/** The smart gateway protocol's framing on TCP (reference §1). */
export const SMART_GATEWAY_FRAMING: Framing = {
  decoder: () => new FrameDecoder(),
  encode: (body) => encodeFrame(body),
};

/** Binds a service's UDP port. @throws {NetError} where it can't be had */
export async function bindDatagrams(
  network: Network,
  at: HostPort,
  receiver: Receiver = "inline",
): Promise<DatagramSocket> {
  return receiver === "thread" ? await network.datagramOnThread(at) : network.datagram(at);
}
