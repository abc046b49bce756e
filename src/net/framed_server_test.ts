import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, silentLog, systemClock } from "../base/mod.ts";
import { connectFramed } from "./connect_framed.ts";
import { NetError } from "./errors.ts";
import type { CloseReason, FramedConnection } from "./framed_connection.ts";
import { FramedServer, type FramedServerOptions } from "./framed_server.ts";
import { decode, encode, frame, readAll, tinyFraming } from "./framed_testing.ts";
import { MemoryNetwork } from "./memory_network.ts";
import { systemNetwork } from "./network.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0 };
const deps = { clock: systemClock, log: silentLog };
const network = systemNetwork(deps);
const client = { framing: tinyFraming, ...deps };

/** An echo server on a real port. */
function echo(options: Partial<FramedServerOptions> = {}) {
  const reasons: CloseReason[] = [];
  const server = new FramedServer(network.listen(LOOPBACK), {
    ...client,
    onConnection: (connection) => (bytes) => void connection.send(bytes.slice()),
    onClosed: (_, reason) => reasons.push(reason),
    ...options,
  });
  return { server, reasons };
}

async function ask(connection: FramedConnection, frames: AsyncIterator<Uint8Array>, text: string) {
  connection.send(encode(text));
  const { value } = await frames.next();
  return value && decode(value);
}

Deno.test("a server answers many clients over TCP", async () => {
  const { server } = echo();
  const answers = await Promise.all(Array.from({ length: 50 }, async (_, i) => {
    await using connection = await connectFramed(network, server.address, client);
    return await ask(connection, connection.frames(), `hello ${i}`);
  }));
  assertEquals(answers, Array.from({ length: 50 }, (_, i) => `hello ${i}`));
  await server.stop();
});

Deno.test("the sixth connection is closed at once, and a place that gets free is given away again", async () => {
  const { server } = echo({ maxConnections: 5 });
  const first = await Promise.all(
    Array.from({ length: 5 }, () => connectFramed(network, server.address, client)),
  );
  const loops = first.map((connection) => connection.frames());
  assertEquals(await ask(first[4]!, loops[4]!, "fifth"), "fifth");
  const sixth = await connectFramed(network, server.address, client);
  const { code } = await sixth.run(() => {});
  assert(code === "peer_closed" || code === "reset", code);
  assertEquals(server.counts, { accepted: 5, refused: 1 });
  const [leaving] = server.connections;
  first[0]!.close();
  await leaving!.closed;
  await using seventh = await connectFramed(network, server.address, client);
  assertEquals(await ask(seventh, seventh.frames(), "in"), "in");
  for (const connection of first) connection.close();
  await server.stop();
});

Deno.test("one address can't take all places", async () => {
  const memory = new MemoryNetwork({ clock: new FakeClock() });
  const server = new FramedServer(memory.listen({ host: "10.0.0.1", port: 1 }), {
    ...client,
    maxConnections: 10,
    maxPerAddress: 2,
    onConnection: (connection) => (bytes) => void connection.send(bytes.slice()),
  });
  const greedy = await Promise.all(
    [1, 2, 3].map(() => memory.connect(server.address, { from: "10.6.6.6" })),
  );
  assertEquals(await greedy[2]!.read(new Uint8Array(1)), null);
  const other = await memory.connect(server.address, { from: "10.0.0.7" });
  await other.write(frame("x"));
  const buffer = new Uint8Array(9);
  assertEquals(await other.read(buffer), 2);
  assertEquals(server.counts, { accepted: 3, refused: 1 });
  for (const stream of [...greedy, other]) stream.close();
  await server.stop();
});

Deno.test("a client that is not admitted is closed at once, before anything is set up for it", async () => {
  let greeted = 0;
  const { server } = echo({
    admit: ({ host }) => host !== "127.0.0.1",
    onConnection: () => (greeted++, () => {}),
  });
  const connection = await connectFramed(network, server.address, client);
  await connection.run(() => {});
  assertEquals([greeted, server.counts.refused], [0, 1]);
  await server.stop();
});

Deno.test("a slow-loris and a flood of garbage are cut off while another client is served", async () => {
  const { server, reasons } = echo({ limits: { frameMs: 50 } });
  const loris = await network.connect(server.address);
  await loris.write(new Uint8Array([100, 1]));
  const garbage = await network.connect(server.address);
  await garbage.write(new Uint8Array(1000).fill(255));
  await using honest = await connectFramed(network, server.address, client);
  assertEquals(await ask(honest, honest.frames(), "served"), "served");
  assertEquals(await loris.read(new Uint8Array(1)), null);
  await assertEnd(garbage);
  assertEquals(reasons.map(({ code }) => code).sort(), ["bad_frame", "slow_frame"]);
  loris.close();
  garbage.close();
  await server.stop();
});

/** The peer closed or reset: which of them depends on what it had read. */
async function assertEnd(stream: { read(buffer: Uint8Array): Promise<number | null> }) {
  assertEquals(await stream.read(new Uint8Array(1)).catch(() => null), null);
}

Deno.test("a client that asks and never reads is cut off once its answers pile up", async () => {
  const { server, reasons } = echo({ limits: { maxQueuedBytes: 64 * 1024, writeMs: 60_000 } });
  const greedy = await network.connect(server.address);
  const many = new Uint8Array(Array.from({ length: 200 }, () => [...frame("x".repeat(250))]).flat());
  await assertRejects(async () => {
    while (true) await greedy.write(many);
  });
  assertEquals(reasons.map(({ code }) => code), ["slow_peer"]);
  greedy.close();
  await server.stop();
});

Deno.test("a client that half-closes gets its answers, then the end", async () => {
  const { server } = echo();
  const stream = await network.connect(server.address);
  await stream.write(frame("question"));
  await stream.closeWrite();
  assertEquals(await readAll(stream), "\bquestion");
  stream.close();
  await server.stop();
});

Deno.test("a last answer is not lost when the server ends the connection while the client still sends", async () => {
  const { server } = echo({
    onConnection: (connection) => (bytes) => {
      connection.send(bytes.slice());
      connection.end();
    },
  });
  for (let i = 0; i < 20; i++) {
    const stream = await network.connect(server.address);
    await stream.write(frame("question"));
    await stream.write(frame("and another")).catch(() => {});
    assertEquals((await readAll(stream)).slice(0, 9), "\bquestion");
    stream.close();
  }
  await server.stop();
});

Deno.test("stopping lets answers go out, cuts off who stays, and frees the port", async () => {
  const { server, reasons } = echo({ limits: { lingerMs: 60_000 } });
  const stays = await network.connect(server.address);
  await stays.write(frame("x"));
  await stays.read(new Uint8Array(2));
  await server.stop(20);
  assertEquals(reasons, [{ code: "local" }]);
  assertEquals(server.connections.size, 0);
  const error = await assertRejects(() => network.connect(server.address), NetError);
  assertEquals(error.code, "refused");
  network.listen(server.address).close();
  stays.close();
});

Deno.test("a greeting that throws refuses that client only", async () => {
  let first = true;
  const { server } = echo({
    onConnection: (connection) => {
      if (first) {
        first = false;
        throw new Error("on purpose");
      }
      return (bytes) => void connection.send(bytes.slice());
    },
  });
  const refused = await connectFramed(network, server.address, client);
  await refused.run(() => {});
  await using served = await connectFramed(network, server.address, client);
  assertEquals(await ask(served, served.frames(), "x"), "x");
  await served[Symbol.asyncDispose]();
  await server.stop();
});
