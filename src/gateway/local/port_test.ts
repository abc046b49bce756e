import { assertEquals, assertThrows } from "@std/assert";
import { silentLog } from "../../base/mod.ts";
import { type LocalListener, LocalPort } from "./port.ts";

/** Listeners that are open, by port. */
function stage() {
  const open = new Map<number, LocalListener>(), ended: number[] = [];
  const listen = (port: number): LocalListener => {
    const taken = port === 0 ? 40_000 : port;
    if (open.has(taken) || taken === 666) throw new Error(`port ${taken} can't be had`);
    const listener = {
      address: { host: "0.0.0.0", port: taken },
      connections: 1,
      [Symbol.asyncDispose]: () => {
        open.delete(taken);
        ended.push(taken);
        return Promise.resolve();
      },
    };
    open.set(taken, listener);
    return listener;
  };
  return { open, ended, port: new LocalPort({ host: "0.0.0.0", port: 17998 }, listen, silentLog) };
}

Deno.test("the local port closes and opens again, and says where it was meanwhile", async () => {
  const { open, port } = stage();
  await using _ = port;
  assertEquals([port.open, port.address.port, port.connections], [false, 17998, 0]);
  port.place({ port: 0, open: true });
  assertEquals([[...open.keys()], port.address.port, port.connections], [[40_000], 40_000, 1]);
  port.place({ port: 0, open: false });
  assertEquals([[...open.keys()], port.address.port, port.open, port.connections], [[], 40_000, false, 0]);
  port.place({ port: 17998, open: true });
  assertEquals([...open.keys()], [17998]);
});

Deno.test("it stays where it is when the new port can't be had", async () => {
  const { open, ended, port } = stage();
  await using _ = port;
  port.place({ port: 1, open: true });
  assertThrows(() => port.place({ port: 666, open: true }), Error, "can't be had");
  assertEquals([[...open.keys()], ended, port.address.port], [[1], [], 1]);
  port.place({ port: 1, open: true });
  assertEquals(ended, []);
  port.place({ port: 2, open: true });
  assertEquals([[...open.keys()], ended], [[2], [1]]);
});

Deno.test("disposing waits for what is still ending", async () => {
  const ended = Promise.withResolvers<void>();
  const port = new LocalPort({ host: "h", port: 1 }, (port) => ({
    address: { host: "h", port },
    connections: 0,
    [Symbol.asyncDispose]: () => ended.promise,
  }), silentLog);
  port.place({ port: 1, open: true });
  port.place({ port: 1, open: false });
  let disposed = false;
  const disposing = port[Symbol.asyncDispose]().then(() => disposed = true);
  await Promise.resolve();
  assertEquals(disposed, false);
  ended.resolve();
  await disposing;
});
