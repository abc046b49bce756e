/**
 * A name server and gateways that ask it, in both versions of the protocol.
 *
 * @module
 */
import { CODE } from "../testing_stage.ts";
import { type Gateways, type Node, type NodeOptions, PEER_SECRET } from "../peer/testing_gateways.ts";

/** The name server. */
export const GNS = { code: "000001", host: "10.0.0.1" };
/** Settings of a gateway that asks it. */
export const SERVER = { gnsServer: { host: GNS.host, port: 9168 } };
/** What a way to phones is unless said otherwise. */
export const MT = { kind: "mt", gatewayPort: 7930, areaCode: "0791", userType: 0 };

/** The name server itself, which is no gateway. */
export const nameServer = (stage: Gateways, options: NodeOptions = {}): Promise<Node> =>
  stage.add(GNS.code, { gns: true, gateway: false, ...options });

/** How the name server knows a gateway: `tell` it what changes, believe it where it is `trusted`. */
export interface Known {
  readonly tell?: boolean;
  readonly trusted?: boolean;
  readonly version?: "2.0" | "3.0";
}

/** A gateway that the name server knows, and that does not ask it yet. */
export async function knownGateway(
  stage: Gateways,
  server: Node,
  code: string,
  { tell = true, ...more }: Known = {},
): Promise<Node> {
  const node = await stage.add(code, { settings: SERVER });
  const address = tell ? { address: `${node.host}:9168` } : {};
  await server.ask("POST", "/api/v1/gns/gateways", { code, secret: PEER_SECRET, ...more, ...address });
  return node;
}

/** Has a gateway ask the name server; how it does. */
export const useNameServer = (node: Node, changes: object = {}) =>
  node.ask("PUT", "/api/v1/sms/name-server", { code: GNS.code, secret: PEER_SECRET, ...changes });

/** A gateway that asks the name server. */
export async function gateway(stage: Gateways, server: Node, code: string, known?: Known): Promise<Node> {
  const node = await knownGateway(stage, server, code, known);
  await useNameServer(node);
  await stage.settle();
  return node;
}

/** A way to phones from `first` to `last`. */
export const mtRoute = (server: Node, first: string, to: Pick<Node, "code" | "host">, last = first) =>
  server.ask("POST", "/api/v1/gns/routes", {
    ...MT,
    startId: first,
    endId: last,
    destinationId: to.code,
    gatewayIp: to.host,
  });

/** A way to a provider. */
export const moRoute = (server: Node, spCode: string, to: Pick<Node, "code" | "host">) =>
  server.ask("POST", "/api/v1/gns/routes", {
    kind: "mo",
    spCode,
    destinationId: to.code,
    gatewayIp: to.host,
    gatewayPort: 7930,
  });

/** An update of a way to a provider that nothing is wrong with. */
export const MO_ROUTE_UPDATE = {
  command: "MO_ROUTE_UPDATE",
  Update_type: 0,
  Route_Id: 0,
  Destination_Id: "002001",
  Gateway_IP: "10.0.0.2",
  Gateway_port: 7930,
  SP_Id: "900001",
  SP_Code: CODE,
  SP_AcessType: 0,
  Service_Id: "",
  Start_code: 0,
  End_code: 0,
} as const;
