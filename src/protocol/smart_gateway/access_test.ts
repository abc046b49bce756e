import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type AccessMessage,
  type AccessReply,
  type AccessRequest,
  decodeAccessRequest,
  encodeAccessReply,
  encodeAccessRequest,
} from "./access.ts";
import { ProtocolError } from "./errors.ts";
import { decodeHeartbeat, encodeHeartbeat, HEARTBEAT_ACK } from "./heartbeat.ts";
import { anyHex32, anyMac, anyPort, anyResult, anyText, assertHardened, json } from "./testing.ts";

const host = fc.oneof(fc.domain(), fc.ipV4(), fc.constant("2001:db8::1"));
const anyRequest: fc.Arbitrary<AccessRequest> = fc.oneof(
  fc.record({
    method: fc.constant("Boot" as const),
    vendor: anyText,
    model: anyText,
    firmwareVer: anyText,
    hardwareVer: anyText,
    mac: anyMac,
    devRnd: anyHex32,
    platformId: fc.constantFrom("OSGI" as const, "OTHER" as const),
    loid: anyText,
    card: anyText,
    ipAddr: anyText,
    osVer: anyText,
    appVer: anyText,
  }),
  fc.record({
    method: fc.constant("Register" as const),
    mac: anyMac,
    checkSn: anyHex32,
    userId: anyHex32,
    pppoeName: anyText,
    flag: fc.constantFrom("0", "1"),
  }),
  fc.record({
    method: fc.constant("Hb" as const),
    mac: anyMac,
    flag: fc.constantFrom("0" as const, "1" as const),
    ipAddr: anyText,
  }, { requiredKeys: ["method", "mac", "flag"] }),
  fc.record({
    method: fc.constant("RequestPlug-in" as const),
    key: anyHex32,
    deviceSn: anyText,
    serverAddr: anyText,
    serverPort: anyPort,
  }),
  fc.record({
    method: fc.constant("RequestDistri" as const),
    key: anyHex32,
    mode: fc.constantFrom("0", "1"),
    serverAddr: anyText,
    serverPort: anyPort,
  }),
);
const anyReply: fc.Arbitrary<AccessReply> = fc.record({
  result: anyResult,
  challengeCode: anyHex32,
  heartbeatAddr: fc.record({ host, port: anyPort }),
  messageServer: fc.record({ host, port: anyPort }),
  updateServer: anyText,
  interval: fc.nat(86400),
  serverIp: anyText,
  devRnd: anyHex32,
}, { requiredKeys: ["result"] });

Deno.test("every request and every answer of the access link comes back as it went out", () => {
  fc.assert(fc.property(anyRequest, (message) => {
    assertEquals<AccessMessage>(decodeAccessRequest(encodeAccessRequest(message)), message);
  }));
  fc.assert(fc.property(anyReply, (message) => {
    assertEquals<AccessMessage>(decodeAccessRequest(encodeAccessReply(message)), {
      method: "Reply",
      ...message,
    });
  }));
});

Deno.test("a plain heartbeat is read by hand, and any other spelling of it reads the same", () => {
  const mac = "64D95420214B";
  const expected = { method: "Hb", mac, flag: "0" } as const;
  assertEquals(
    new TextDecoder().decode(encodeHeartbeat(mac)),
    `{"RPCMethod":"Hb","MAC":"${mac}","FLAG":"0"}`,
  );
  assertEquals(encodeAccessRequest(expected), encodeHeartbeat(mac));
  assertEquals(decodeHeartbeat(encodeHeartbeat(mac)), mac);
  const spellings = [
    `{"FLAG":"0","MAC":"${mac}","RPCMethod":"Hb"}`,
    `{ "RPCMethod": "HB", "MAC": "${mac}", "FLAG": 0 }`,
    `{"RPCMethod":"Hb","MAC":"${mac.toLowerCase()}","FLAG":"0"}`,
    `{"RPCMethod":"Hb","MAC":"${mac}"}`,
  ];
  for (const spelling of spellings) {
    const bytes = new TextEncoder().encode(spelling);
    assertEquals(decodeHeartbeat(bytes), undefined);
    assertEquals<AccessMessage>(decodeAccessRequest(bytes), expected);
  }
  assertThrows(() => encodeHeartbeat("64d95420214b"), ProtocolError);
});

Deno.test("reading by hand and reading as JSON never disagree", () => {
  const near = fc.tuple(anyMac, fc.nat(60), fc.integer({ min: 0, max: 255 })).map(([mac, at, byte]) => {
    const bytes = encodeHeartbeat(mac);
    bytes[at % bytes.length] = byte;
    return bytes;
  });
  fc.assert(
    fc.property(near, (bytes) => {
      const fast = decodeHeartbeat(bytes);
      if (fast === undefined) return;
      const object = JSON.parse(new TextDecoder().decode(bytes));
      assertEquals(object, { RPCMethod: "Hb", MAC: fast, FLAG: "0" });
    }),
    { numRuns: 2000 },
  );
});

Deno.test("the heartbeat's answer is the shortest there is", () => {
  assertEquals(new TextDecoder().decode(HEARTBEAT_ACK), '{"Result":0}');
  assertEquals<AccessMessage>(decodeAccessRequest(HEARTBEAT_ACK), { method: "Reply", result: 0 });
  assertEquals(encodeAccessReply({ result: 0 }), HEARTBEAT_ACK);
});

Deno.test("the first heartbeat says its address and flag 1", () => {
  assertEquals(
    new TextDecoder().decode(
      encodeAccessRequest({ method: "Hb", mac: "64D95420214B", flag: "1", ipAddr: "10.0.0.2" }),
    ),
    '{"RPCMethod":"Hb","IPAddr":"10.0.0.2","MAC":"64D95420214B","FLAG":"1"}',
  );
});

Deno.test("a Register ack without, with an empty or with a broken HeartbeatIPAddr leaves heartbeats where they are", () => {
  for (
    const extra of [{}, { HeartbeatIPAddr: "" }, { HeartbeatIPAddr: "nonsense" }, { HeartbeatIPAddr: null }]
  ) {
    assertEquals<AccessMessage>(decodeAccessRequest(json({ Result: 2, Interval: "30", ...extra })), {
      method: "Reply",
      result: 2,
      interval: 30,
    });
  }
});

Deno.test("Boot needs a MAC and a DevRND, and forgives the rest", () => {
  const boot = decodeAccessRequest(json({ RPCMethod: "Boot", MAC: "64D95420214B", DevRND: "ab".repeat(16) }));
  assertEquals(boot.method === "Boot" && [boot.devRnd, boot.loid, boot.platformId], [
    "AB".repeat(16),
    "",
    "OTHER",
  ]);
  const error = assertThrows(
    () => decodeAccessRequest(json({ RPCMethod: "Boot", MAC: "64D95420214B", DevRND: "ab" })),
    ProtocolError,
  );
  assertEquals([error.code, error.field, error.method], ["bad_value", "DevRND", "Boot"]);
});

Deno.test("no bytes make the access codec throw anything but ProtocolError", () => {
  const valid = fc.oneof(anyRequest.map(encodeAccessRequest), anyReply.map(encodeAccessReply));
  assertHardened(decodeAccessRequest, valid, ["MAC", "DevRND", "Result", "Key", "HeartbeatIPAddr", "FLAG"], [
    "Boot",
    "Register",
    "Hb",
    "RequestPlug-in",
    "RequestDistri",
  ]);
});
