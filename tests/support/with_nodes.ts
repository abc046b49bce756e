/**
 * Tests of a cluster's nodes, and what they ask of them.
 *
 * @module
 */
import { ClusterGateway, type Nodes, startNodes, there, why } from "./nodes.ts";
import { identity } from "./scripted_gateway.ts";

/** A test of a cluster; ignored where its servers are not there. */
export function withNodes(name: string, test: (nodes: Nodes) => Promise<void>, count = 2): void {
  Deno.test({
    name: name + why,
    ignore: !there,
    async fn() {
      await using nodes = await startNodes({ count });
      await test(nodes);
    },
  });
}

type Json = Record<string, unknown>;

/** A command that a gateway answers with its tag. */
export const asked = (tag: string, timeoutMs = 30_000) => ({
  parameter: { CmdType: "ASK", Tag: tag },
  timeoutMs,
});
export const commandsOf = (gateway: ClusterGateway) => `/api/v1/gateways/${gateway.me.mac}/commands`;
/** Why a command failed. */
export const codeOf = (body: Json) => (body.error as { code?: string } | null)?.code;

/** A gateway that has registered at node `i`, and whose channel is there. */
export async function gatewayAt(nodes: Nodes, i: number, n = 1): Promise<ClusterGateway> {
  const gateway = new ClusterGateway(identity(n));
  await nodes.preset(gateway.me);
  await gateway.register(nodes.node(i));
  await gateway.connect(nodes.node(i));
  return gateway;
}
