import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { silentLog, systemClock } from "../base/mod.ts";
import { NetError } from "./errors.ts";
import { systemNetwork } from "./network.ts";
import { connectTcp } from "./tcp.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0 };
const network = systemNetwork({ clock: systemClock, log: silentLog });

Deno.test("connecting to a port nobody listens on is refused", async () => {
  const listener = network.listen(LOOPBACK);
  listener.close();
  const error = await assertRejects(() => network.connect(listener.address), NetError, "connect to");
  assertEquals(error.code, "refused");
});

Deno.test("connecting by an aborted signal, or past the time limit, is given up", async () => {
  const listener = network.listen(LOOPBACK);
  const aborted = AbortSignal.abort("enough");
  const first = await assertRejects(() => network.connect(listener.address, { signal: aborted }), NetError);
  assertEquals([first.code, first.cause], ["aborted", "enough"]);
  // A clock whose timers fire at once: the limit passes before the connection is there.
  const hasty = { ...systemClock, setTimer: (fire: () => void) => (fire(), { cancel() {} }) };
  const late = await assertRejects(() => connectTcp(listener.address, hasty, { timeoutMs: 1 }), NetError);
  assertEquals(late.code, "timeout");
  listener.close();
});

Deno.test("a taken port is an error that says so, and a closed listener gives no more connections", async () => {
  const listener = network.listen(LOOPBACK);
  assertEquals(assertThrows(() => network.listen(listener.address), NetError).code, "address_in_use");
  const accepting = listener.accept();
  listener.close();
  listener.close();
  assertEquals(await accepting, undefined);
  assertEquals(await listener.accept(), undefined);
});

Deno.test("both ends know each other's address", async () => {
  const listener = network.listen(LOOPBACK);
  const client = await network.connect(listener.address);
  const server = (await listener.accept())!;
  assertEquals([client.local, client.remote], [server.remote, server.local]);
  client.close();
  client.close();
  assertEquals(await server.read(new Uint8Array(1)), null);
  server.close();
  listener.close();
});
