import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CmppError, encodeMessage, MAX_PDU_OCTETS, PduDecoder } from "./mod.ts";
import { anyLong, pduOf } from "./testing.ts";

Deno.test("PDUs come out whole however the stream was cut", () => {
  fc.assert(
    fc.property(
      fc.array(anyLong(3), { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 40 }),
      (messages, cuts) => {
        const pdus = messages.map((message) => encodeMessage(message, 3));
        const stream = new Uint8Array(pdus.flatMap((pdu) => [...pdu]));
        const decoder = new PduDecoder(), got: number[][] = [];
        for (let at = 0, i = 0; at < stream.length; i++) {
          const end = Math.min(stream.length, at + cuts[i % cuts.length]!);
          const chunk = stream.slice(at, end);
          for (const pdu of decoder.push(chunk)) got.push([...pdu]);
          chunk.fill(0xee); // the memory of a chunk is used again
          at = end;
        }
        assertEquals(got, pdus.map((pdu) => [...pdu]));
        assertEquals(decoder.pending, 0);
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("a PDU cut at every single octet comes out the same", () => {
  const pdu = pduOf(4, 195, [1, 2, 3]);
  for (let cut = 1; cut < pdu.length; cut++) {
    const decoder = new PduDecoder();
    assertEquals([...decoder.push(pdu.subarray(0, cut))].length, 0);
    assertEquals(decoder.pending, cut);
    assertEquals([...decoder.push(pdu.subarray(cut))], [pdu]);
  }
});

Deno.test("a Total_Length that can't be ends the stream after the PDUs before it, also when it comes in pieces", () => {
  for (const total of [0, 11, MAX_PDU_OCTETS + 1, 0x7fff_ffff, 0xffff_ffff]) {
    const wire = new Uint8Array(16);
    wire.set(pduOf(8, 12));
    new DataView(wire.buffer).setUint32(12, total);
    for (let cut = 1; cut <= 16; cut++) {
      const decoder = new PduDecoder(), got: Uint8Array[] = [];
      const error = assertThrows(() => {
        for (const part of [wire.subarray(0, cut), wire.subarray(cut)]) {
          for (const pdu of decoder.push(part)) got.push(pdu.slice());
        }
      }, CmppError);
      assertEquals([error.code, got], ["total_length", [wire.slice(0, 12)]]);
      assertThrows(() => [...decoder.push(pduOf(8, 12))], CmppError);
    }
  }
});

Deno.test("a Total_Length costs no more memory than the octets that came", () => {
  const head = pduOf(4, MAX_PDU_OCTETS).subarray(0, 100);
  const decoders = Array.from({ length: 10_000 }, () => {
    const decoder = new PduDecoder();
    assertEquals([...decoder.push(head)].length, 0);
    return decoder;
  });
  // 10,000 claims of 4096 octets each: what is held for them stays near what was sent.
  assert(decoders.every((decoder) => decoder.pending === 100));
});
