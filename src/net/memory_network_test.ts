import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeClock, seededRandom } from "../base/mod.ts";
import { NetError } from "./errors.ts";
import { MemoryNetwork, type MemoryNetworkOptions } from "./memory_network.ts";
import { memoryPair } from "./memory_stream.ts";

const A = { host: "10.0.0.1", port: 1 }, B = { host: "10.0.0.2", port: 2 };

function setUp(options: Partial<MemoryNetworkOptions> = {}) {
  const clock = new FakeClock();
  const network = new MemoryNetwork({ clock, random: seededRandom(1), ...options });
  const a = network.datagram(A), b = network.datagram(B);
  const seen: number[] = [];
  b.onDatagram((bytes) => seen.push(bytes[0]!));
  const sendAll = (count: number) => {
    for (let i = 0; i < count; i++) a.send(new Uint8Array([i]), B);
  };
  return { clock, network, a, b, seen, sendAll };
}

Deno.test("without conditions every datagram arrives once and in order", async () => {
  const { clock, seen, sendAll } = setUp();
  sendAll(5);
  await clock.advance(0);
  assertEquals(seen, [0, 1, 2, 3, 4]);
});

Deno.test("loss, duplicates and delay happen as often as asked for, and the same way with the same seed", async () => {
  const run = async () => {
    const { clock, seen, sendAll } = setUp({ loss: 0.2, duplicates: 0.1, delayMs: [0, 10] });
    for (let i = 0; i < 2; i++) sendAll(100);
    await clock.advance(100);
    return seen;
  };
  const first = await run();
  assert(first.length > 150 && first.length < 200, `${first.length} of about 176`);
  assert(first.some((value, i) => i > 0 && value < first[i - 1]!), "some overtake others");
  assertEquals(await run(), first);
});

Deno.test("a cut link loses everything until it is healed", async () => {
  const { clock, network, seen, sendAll } = setUp();
  network.cut(A.host, B.host);
  sendAll(3);
  await clock.advance(0);
  assertEquals(seen, []);
  network.heal();
  sendAll(1);
  await clock.advance(0);
  assertEquals(seen, [0]);
});

Deno.test("a view kept past the handler's call is overwritten, as with the real socket", async () => {
  const { clock, a, b } = setUp();
  let kept = new Uint8Array();
  b.onDatagram((bytes) => kept = bytes as Uint8Array<ArrayBuffer>);
  a.send(new Uint8Array([1, 2, 3]), B);
  await clock.advance(0);
  assertEquals([...kept], [0xee, 0xee, 0xee]);
});

Deno.test("a taken port, a port nobody listens on and an unknown name are errors as with the real network", async () => {
  const { network } = setUp();
  assertEquals(assertThrows(() => network.datagram(A), NetError).code, "address_in_use");
  assertEquals((await assertRejects(() => network.connect(A), NetError)).code, "refused");
  assertEquals((await assertRejects(() => network.lookup("nowhere"), NetError)).code, "not_found");
  network.names.set("189cube", "10.0.0.9");
  assertEquals(await network.lookup("189cube"), "10.0.0.9");
});

Deno.test("a pair's window holds the writer up until the reader reads", async () => {
  const [a, b] = memoryPair(A, B, 4);
  assertEquals(await a.write(new Uint8Array([1, 2, 3, 4, 5, 6])), 4);
  let more = 0;
  const writing = a.write(new Uint8Array([5, 6])).then((n) => more = n);
  await new FakeClock().advance(0);
  assertEquals(more, 0);
  const buffer = new Uint8Array(3);
  assertEquals(await b.read(buffer), 3);
  assertEquals([...buffer], [1, 2, 3]);
  await writing;
  assertEquals(more, 2);
});

Deno.test("closing an end lets the peer read what was sent, then tells it the end", async () => {
  const [a, b] = memoryPair(A, B);
  await a.write(new Uint8Array([7]));
  a.close();
  const buffer = new Uint8Array(3);
  assertEquals(await b.read(buffer), 1);
  assertEquals(await b.read(buffer), null);
  await assertRejects(() => b.write(new Uint8Array(1)));
  await assertRejects(() => a.read(buffer));
});
