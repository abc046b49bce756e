import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type CapabilityReply,
  decodeCapabilityReply,
  decodeCapabilityRequest,
  encodeCapabilityReply,
  encodeCapabilityRequest,
} from "./capability.ts";
import { ProtocolError } from "./errors.ts";
import type { JsonValue } from "./json.ts";
import { anyText } from "./testing.ts";

const names = ["CmdType", "SequenceId", "Status", "FailReason"];
const anyFields = fc.dictionary(
  fc.string().filter((name) => !names.includes(name)),
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>,
);

function base64(value: unknown): string {
  return new TextEncoder().encode(JSON.stringify(value)).toBase64();
}

Deno.test("inner requests and replies come back as they went out", () => {
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value));
  const anyRequest = fc.record({ cmdType: anyText, sequenceId: anyText, fields: anyFields });
  fc.assert(fc.property(anyRequest, (request) => {
    assertEquals(plain(decodeCapabilityRequest(encodeCapabilityRequest(request))), plain(request));
  }));
  const anyReply: fc.Arbitrary<CapabilityReply> = fc.oneof(
    fc.record({
      cmdType: anyText,
      sequenceId: anyText,
      status: fc.constant("0" as const),
      fields: anyFields,
    }),
    fc.record({
      cmdType: anyText,
      sequenceId: anyText,
      status: fc.constant("1" as const),
      failReason: anyText,
      fields: anyFields,
    }),
  );
  fc.assert(fc.property(anyReply, (reply) => {
    assertEquals(plain(decodeCapabilityReply(encodeCapabilityReply(reply))), plain(reply));
  }));
});

Deno.test("a request is base64 of JSON on one line", () => {
  const text = encodeCapabilityRequest({ cmdType: "QUERY_CPU_INFO", sequenceId: "0000000A", fields: {} });
  assertEquals(atob(text), '{"CmdType":"QUERY_CPU_INFO","SequenceId":"0000000A"}');
});

Deno.test("a field can't pose as CmdType, Status or a prototype", () => {
  const reply = encodeCapabilityReply({
    cmdType: "A",
    sequenceId: "1",
    status: "1",
    failReason: "no\nway",
    fields: JSON.parse('{"Status":"0","CmdType":"B","__proto__":"own","Percent":"1"}'),
  });
  assertEquals(
    atob(reply),
    '{"CmdType":"A","SequenceId":"1","Status":"1","FailReason":"no way","__proto__":"own","Percent":"1"}',
  );
  const { fields } = decodeCapabilityRequest(base64(JSON.parse('{"CmdType":"A","__proto__":{"x":1}}')));
  assertEquals(fields["x"], undefined);
  assert(Object.hasOwn(fields, "__proto__"));
});

Deno.test("any Status but 0 is a failure, and line breaks inside base64 are forgiven", () => {
  const reply = decodeCapabilityReply(
    base64({ CmdType: "A", SequenceId: 5, Status: 1 }).replace(/.{8}/g, "$&\r\n"),
  );
  assertEquals([reply.status, reply.sequenceId], ["1", "5"]);
});

Deno.test("broken inner messages are ProtocolErrors", () => {
  for (const text of ["*", "e30", base64([]), base64({}), base64({ CmdType: 1e3, SequenceId: [] }), ""]) {
    assertThrows(() => decodeCapabilityRequest(text), ProtocolError);
  }
  fc.assert(fc.property(fc.string(), fc.json(), (text, json) => {
    for (const candidate of [text, new TextEncoder().encode(json).toBase64()]) {
      for (const decode of [decodeCapabilityRequest, decodeCapabilityReply]) {
        try {
          decode(candidate);
        } catch (error) {
          assert(error instanceof ProtocolError);
        }
      }
    }
  }));
});

Deno.test("a reply that is too deep or too long to send is refused", () => {
  let deep: JsonValue = "x";
  for (let i = 0; i < 100_000; i++) deep = [deep];
  const head = { cmdType: "A", sequenceId: "1", status: "0" } as const;
  assertEquals(
    assertThrows(() => encodeCapabilityReply({ ...head, fields: { deep } }), ProtocolError).code,
    "depth",
  );
  assertEquals(
    assertThrows(
      () => encodeCapabilityReply({ ...head, fields: { long: "x".repeat(300_000) } }),
      ProtocolError,
    ).code,
    "oversize",
  );
});
