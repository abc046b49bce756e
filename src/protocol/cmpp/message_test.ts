import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeHex, encodeHex } from "@std/encoding";
import fc from "fast-check";
import {
  CmppError,
  commandIdOf,
  type CommandName,
  commandsOf,
  decodeMessage,
  type Dialect,
  encodeMessage,
  type Message,
  type Submit,
} from "./mod.ts";
import { anyLong, pduOf, TOTALS, VARIABLE } from "./testing.ts";

const DIALECTS: readonly Dialect[] = [2, 3];

Deno.test("the codec has every message of each version and no other", () => {
  for (const dialect of DIALECTS) {
    assertEquals([...commandsOf(dialect)].sort(), Object.keys(TOTALS[dialect]).sort());
  }
});

Deno.test("a message of fixed length decodes at exactly the length that the standard states", () => {
  for (const dialect of DIALECTS) {
    for (const [name, total] of Object.entries(TOTALS[dialect])) {
      const id = commandIdOf(name as CommandName);
      if (VARIABLE.includes(name as CommandName)) continue;
      const message = decodeMessage(pduOf(id, total), dialect);
      assertEquals([message.command, message.sequence], [name, 0x0102_0304]);
      assertEquals(encodeMessage(message, dialect), pduOf(id, total), name);
      for (const wrong of [total - 1, total + 1].filter((length) => length >= 12)) {
        // CONNECT_RESP alone is read in the widths of either version; 30 and 33 are not neighbours.
        const error = assertThrows(() => decodeMessage(pduOf(id, wrong), dialect), CmppError);
        assertEquals([error.code, error.commandId, error.sequence], ["length", id, 0x0102_0304], name);
      }
    }
  }
});

Deno.test("messages of variable length have the totals of the standard with one number and no content", () => {
  fc.assert(fc.property(anyLong(3), anyLong(2), (three, two) => {
    for (const [message, dialect] of [[three, 3], [two, 2]] as const) {
      const numbers = message.command === "SUBMIT"
        ? message.Dest_terminal_Id.length * (dialect === 3 ? 32 : 21)
        : message.command === "FWD"
        ? message.Dest_Id.length * 21
        : 0;
      const one = message.command === "SUBMIT"
        ? (dialect === 3 ? 32 : 21)
        : message.command === "FWD"
        ? 21
        : 0;
      const content = "Msg_Content" in message ? message.Msg_Content.length : 0;
      assertEquals(
        encodeMessage(message, dialect).length,
        TOTALS[dialect][message.command]! - one + numbers + content,
      );
    }
  }));
});

Deno.test("SUBMIT, DELIVER and FWD read back as they were written, in both versions", () => {
  for (const dialect of DIALECTS) {
    fc.assert(fc.property(anyLong(dialect), (message) => {
      const read = decodeMessage(encodeMessage(message, dialect), dialect);
      assertEquals(plain(read), plain(message));
    }));
  }
});

Deno.test("every message of fixed length reads back what any octets in its fields meant", () => {
  for (const dialect of DIALECTS) {
    const names = commandsOf(dialect).filter((name) => !VARIABLE.includes(name));
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.array(fc.nat(255), { minLength: 1, maxLength: 120 }),
        (name, fill) => {
          const pdu = pduOf(commandIdOf(name), TOTALS[dialect][name]!, fill);
          const message = decodeMessage(pdu, dialect);
          assertEquals(plain(decodeMessage(encodeMessage(message, dialect), dialect)), plain(message));
        },
      ),
      { numRuns: 500 },
    );
  }
});

Deno.test("any octets decode to a message or to a CmppError", () => {
  const anyOctets = fc.uint8Array({ maxLength: 600 });
  fc.assert(
    fc.property(
      anyOctets,
      fc.constantFrom(...DIALECTS),
      (octets, dialect) => onlyCmppErrors(octets, dialect),
    ),
    { numRuns: 1000 },
  );
});

Deno.test("a mutated message decodes to a message or to a CmppError", () => {
  const change = fc.record({ at: fc.nat(4000), octet: fc.nat(255), cut: fc.boolean() });
  for (const dialect of DIALECTS) {
    fc.assert(
      fc.property(anyLong(dialect), fc.array(change, { minLength: 1, maxLength: 4 }), (message, changes) => {
        let pdu: Uint8Array = encodeMessage(message, dialect);
        for (const { at, octet, cut } of changes) {
          if (cut) pdu = pdu.slice(0, 12 + at % (pdu.length - 11));
          pdu[at % pdu.length] = octet;
          if (octet % 2 === 0) new DataView(pdu.buffer, pdu.byteOffset).setUint32(0, pdu.length);
          onlyCmppErrors(pdu, dialect);
          onlyCmppErrors(pdu, dialect === 3 ? 2 : 3);
        }
      }),
      { numRuns: 300 },
    );
  }
});

Deno.test("a Command_Id that a version does not have is refused with the header that it came in", () => {
  for (
    const [id, dialect] of [[0x03, 3], [0x17, 2], [0x8000_0017, 2], [0x99, 3], [0xffff_ffff, 2]] as const
  ) {
    const error = assertThrows(() => decodeMessage(pduOf(id, 26), dialect), CmppError);
    assertEquals([error.code, error.commandId, error.sequence], ["command", id, 0x0102_0304]);
  }
  assertThrows(
    () =>
      encodeMessage({
        command: "GET_MO_ROUTE",
        sequence: 1,
        Source_Id: "001001",
        Route_type: "MO",
        Last_route_Id: -1,
      }, 2),
    CmppError,
    "no message",
  );
});

Deno.test("SUBMIT with no number or a hundred, and contents that overrun the PDU, are refused", () => {
  const [submit] = fc.sample(anyLong(3).filter((m) => m.command === "SUBMIT"), { numRuns: 1, seed: 1 });
  const pdu = encodeMessage({ ...submit as Submit, Dest_terminal_Id: ["1"] }, 3);
  for (const count of [0, 100, 255]) {
    const changed = pdu.slice();
    changed[12 + 128] = count;
    assertEquals(assertThrows(() => decodeMessage(changed, 3), CmppError).code, "value");
  }
  const many = pdu.slice();
  many[12 + 128] = 99;
  assertEquals(assertThrows(() => decodeMessage(many, 3), CmppError).code, "length");
  for (const Dest_terminal_Id of [[], Array(100).fill("1")]) {
    assertThrows(() => encodeMessage({ ...submit as Submit, Dest_terminal_Id }, 3), CmppError, "DestUsr_tl");
  }
});

Deno.test("a value that does not fit its field is refused with the field's name, never cut", () => {
  const [sample] = fc.sample(anyLong(3).filter((m) => m.command === "SUBMIT"), { numRuns: 1, seed: 2 });
  const submit = sample as Submit;
  for (
    const wrong of [
      { Service_Id: "x".repeat(11) },
      { Msg_src: "汉" },
      { FeeCode: "1\0" },
      { Pk_total: 256 },
      { Pk_number: -1 },
      { Msg_Fmt: 1.5 },
      { Msg_Id: 1n << 64n },
      { Msg_Content: new Uint8Array(256) },
    ]
  ) {
    const [field] = Object.keys(wrong);
    const error = assertThrows(() => encodeMessage({ ...submit, ...wrong }, 3), CmppError);
    assertEquals(error.code, "value");
    assert(error.message.includes(field === "Msg_Content" ? "Msg_Length" : field!), error.message);
  }
});

Deno.test("a CONNECT of a real 2.1 client reads as its fields", () => {
  const pdu = decodeHex(
    "000000270000000100000017" + "393030303031" + "90d00c1d517abd0b4f65f6bcf8535d16" + "21" + "3cdc73be",
  );
  const message = decodeMessage(pdu, 2);
  if (message.command !== "CONNECT") throw new Error(message.command);
  assertEquals(
    [message.sequence, message.Source_Addr, message.Version, message.Timestamp],
    [0x17, "900001", 0x21, 1021080510],
  );
  assertEquals(encodeHex(encodeMessage(message, 3)), encodeHex(pdu));
});

Deno.test("CONNECT_RESP is read in the widths of either version, whichever is spoken", () => {
  const AuthenticatorISMG = new Uint8Array(16).fill(7);
  const answer = {
    command: "CONNECT_RESP",
    sequence: 1,
    Status: 4,
    AuthenticatorISMG,
    Version: 0x20,
  } as const;
  for (const spoken of DIALECTS) {
    for (const heard of DIALECTS) {
      const read = decodeMessage(encodeMessage(answer, spoken), heard);
      assertEquals(plain(read), { ...plain(answer), statusOctets: spoken === 3 ? 4 : 1 });
    }
  }
});

function onlyCmppErrors(octets: Uint8Array, dialect: Dialect): void {
  try {
    decodeMessage(octets, dialect);
  } catch (error) {
    assert(error instanceof CmppError, String(error));
  }
}

/** With views as plain lists, so that they compare by what they hold. */
function plain(message: Message): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(message).map(([name, value]) => [name, value instanceof Uint8Array ? [...value] : value]),
  );
}
