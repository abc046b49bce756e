/**
 * Several nodes on one database, as processes of their own.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { startNodes, there, why } from "./support/nodes.ts";
import { identity } from "./support/scripted_gateway.ts";
import { ClusterGateway, until } from "./support/nodes.ts";

Deno.test({
  name:
    `a command asked of any node reaches a gateway that is on another, and everybody sees the gateway${why}`,
  ignore: !there,
  async fn() {
    await using nodes = await startNodes({ count: 2 });
    const me = identity(1);
    await nodes.preset(me);
    await using gateway = new ClusterGateway(me);
    await gateway.register(nodes.node(0));
    await until("seen on the other node", async () => {
      const { body } = await nodes.call(1, "GET", `/api/v1/gateways/${me.mac}`);
      return body.online === true;
    });
    const asked = nodes.call(1, "POST", `/api/v1/gateways/${me.mac}/commands?wait=20`, {
      parameter: { CmdType: "ASK", Tag: "one" },
    });
    // The node that has its UDP association sends the trigger, though the other one was asked.
    await gateway.triggered();
    await gateway.accept(nodes.node(0));
    await gateway.connect(nodes.node(0));
    const { status, body } = await asked;
    assertEquals([status, body.status, (body.reply as { Tag: string }).Tag], [200, "succeeded", "one"]);
    // Each node can be asked for how it ended, and the other's channel is used at once now.
    assertEquals((await nodes.call(0, "GET", `/api/v1/commands/${body.id}`)).body.status, "succeeded");
    const again = await nodes.call(1, "POST", `/api/v1/gateways/${me.mac}/commands?wait=20`, {
      parameter: { CmdType: "ASK", Tag: "two" },
    });
    assertEquals([again.body.status, gateway.done.get("one"), gateway.done.get("two")], ["succeeded", 1, 1]);
    // What happened is in its history once, whatever number of nodes heard of it.
    const history = await nodes.call(1, "GET", `/api/v1/gateways/${me.mac}/history`);
    const kinds = (history.body.items as { kind: string }[]).map(({ kind }) => kind).sort();
    assertEquals(kinds, ["online", "registered"], JSON.stringify(history.body));
  },
});
