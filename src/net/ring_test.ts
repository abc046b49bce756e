import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { DatagramRing, ringMemory } from "./ring.ts";

const pair = (bytes: number) => {
  const memory = ringMemory(bytes);
  return { writer: new DatagramRing(memory), reader: new DatagramRing(memory) };
};
const take = (reader: DatagramRing, buffer = new Uint8Array(256)) => {
  const taken = reader.read(buffer);
  return taken && { bytes: [...buffer.subarray(0, taken.length)], from: taken.from };
};

Deno.test("whatever is written and read in whatever order, what comes out is what went in and had room", () => {
  const datagram = fc.record({
    bytes: fc.uint8Array({ maxLength: 60 }),
    host: fc.oneof(fc.ipV4(), fc.ipV6()),
    port: fc.integer({ min: 0, max: 65_535 }),
  });
  fc.assert(fc.property(
    fc.integer({ min: 150, max: 400 }),
    fc.array(fc.oneof(datagram, fc.constant("read" as const)), { maxLength: 200 }),
    (size, steps) => {
      const { writer, reader } = pair(size), expected: unknown[] = [];
      let dropped = 0;
      for (const step of steps) {
        if (step === "read") assertEquals(take(reader), expected.shift());
        else if (writer.write(step.bytes, step)) {
          expected.push({ bytes: [...step.bytes], from: { host: step.host, port: step.port } });
        } else {
          dropped++;
          // An empty ring has room for anything that is less than half of it.
          assert(expected.length > 0 || step.bytes.length + step.host.length + 5 > size / 2 - 1);
        }
      }
      for (const each of expected) assertEquals(take(reader), each);
      assertEquals([reader.empty, take(reader), reader.dropped], [true, undefined, dropped]);
    },
  ));
});

Deno.test("whoever waits for a datagram is woken by one, or by the end, and does not wait where there is one", async () => {
  const { writer, reader } = pair(1000), from = { host: "127.0.0.1", port: 7 };
  const alive = setInterval(() => {}, 1000); // a thread that only waits for another one has nothing left to do
  const waiting = reader.filled();
  writer.write(new Uint8Array([1]), from);
  await waiting;
  await reader.filled(); // it is still there
  assertEquals(take(reader), { bytes: [1], from });
  const again = reader.filled();
  writer.close();
  await again;
  await reader.filled();
  assertEquals([reader.closed, reader.empty], [true, true]);
  clearInterval(alive);
});

Deno.test("a datagram that is longer than the buffer is cut off, and the next one is whole", () => {
  const { writer, reader } = pair(1000), from = { host: "::1", port: 65_535 };
  writer.write(new Uint8Array(100).fill(1), from);
  writer.write(new Uint8Array([2, 3]), from);
  assertEquals(take(reader, new Uint8Array(10))?.bytes.length, 10);
  assertEquals(take(reader)?.bytes, [2, 3]);
});
