import { assertEquals } from "@std/assert";
import { Gateways } from "./peer/testing_gateways.ts";

Deno.test("a caller that says nothing, or never finishes what it says, is closed at every port of the short messages", async () => {
  await using stage = new Gateways();
  const node = await stage.add("001001");
  const server = await stage.add("000001", { gns: true, gateway: false });
  for (
    const [host, port] of [[node.host, 7890], [node.host, 7900], [node.host, 7930], [
      server.host,
      9168,
    ]] as const
  ) {
    for (const bytes of [[], [0, 0, 0, 40], [0, 0, 0, 40, 0, 0, 0, 1]]) {
      const caller = await stage.dial({ host, port });
      caller.run(() => {});
      if (bytes.length > 0) caller.send(new Uint8Array(bytes));
      await stage.settle();
      assertEquals(caller.open, true, `${port}: nothing is wrong yet`);
      for (let step = 0; caller.open && step < 12; step++) {
        await stage.clock.advance(10_000);
        await stage.settle(1);
      }
      assertEquals(caller.open, false, `${port}, after ${bytes.length} octets`);
    }
  }
});
