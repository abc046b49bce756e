import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  decodeDistributionReply,
  decodeDistributionRequest,
  type DistributionReply,
  type DistributionRequest,
  encodeDistributionReply,
  encodeDistributionRequest,
} from "./distribution.ts";
import { ProtocolError } from "./errors.ts";
import { anyHex32, anyMac, anyPort, anyResult, anyText, assertHardened, json } from "./testing.ts";

const anyRequest: fc.Arbitrary<DistributionRequest> = fc.oneof(
  fc.record({
    method: fc.constant("BootFirst" as const),
    vendor: anyText,
    model: anyText,
    firmwareVer: anyText,
    hardwareVer: anyText,
    mac: anyMac,
    ipAddr: anyText,
    platformId: fc.constantFrom("OSGI" as const, "OTHER" as const),
  }),
  fc.record({ method: fc.constant("RegisterFirst" as const), checkSn: anyHex32, mac: anyMac }),
  fc.record({ method: fc.constant("RegisterFirst" as const), checkSn: anyHex32 }),
);
const anyReply: fc.Arbitrary<DistributionReply> = fc.record({
  result: anyResult,
  challengeCode: anyHex32,
  interval: fc.nat(86400),
  serverIp: anyText,
  serverAddr: anyText,
  serverPort: anyPort,
}, { requiredKeys: ["result"] });

Deno.test("BootFirst goes out with the names and the order of the reference", () => {
  const bytes = encodeDistributionRequest({
    method: "BootFirst",
    vendor: "V",
    model: "M",
    firmwareVer: "1",
    hardwareVer: "2",
    mac: "64D95420214B",
    ipAddr: "10.0.0.2",
    platformId: "OTHER",
  });
  assertEquals(
    new TextDecoder().decode(bytes),
    '{"RPCMethod":"BootFirst","Vendor":"V","Model":"M","FirmwareVer":"1","HardwareVer":"2",' +
      '"MAC":"64D95420214B","IPAddr":"10.0.0.2","PlatformID":"OTHER"}',
  );
});

Deno.test("every request and every answer comes back as it went out", () => {
  fc.assert(fc.property(anyRequest, (message) => {
    assertEquals(decodeDistributionRequest(encodeDistributionRequest(message)), message);
  }));
  fc.assert(fc.property(anyReply, (message) => {
    assertEquals(decodeDistributionReply(encodeDistributionReply(message)), message);
  }));
});

Deno.test("a method is known in any case", () => {
  const message = decodeDistributionRequest(json({ RPCMethod: "BOOTFIRST", MAC: "64:d9:54:20:21:4b" }));
  assertEquals(message.method, "BootFirst");
  assertEquals(message.mac, "64D95420214B");
});

Deno.test("RegisterFirst is read without a MAC, and ServerPort as a number or a text", () => {
  assertEquals(decodeDistributionRequest(json({ RPCMethod: "RegisterFirst", CheckSN: "x" })), {
    method: "RegisterFirst",
    checkSn: "x",
  });
  for (const ServerPort of [12113, "12113"]) {
    assertEquals(decodeDistributionReply(json({ Result: 2, ServerAddr: "a", ServerPort })).serverPort, 12113);
  }
});

Deno.test("what is wrong is named with its code and field", () => {
  const cases: [unknown, string, string | undefined][] = [
    [{ RPCMethod: "BootFirst" }, "missing_field", "MAC"],
    [{ RPCMethod: "BootFirst", MAC: 1 }, "wrong_type", "MAC"],
    [{ RPCMethod: "BootFirst", MAC: "zz" }, "bad_value", "MAC"],
    [{ RPCMethod: "BootFirst", MAC: "64D95420214B", Vendor: "a\u0000" }, "bad_value", "Vendor"],
    [{ RPCMethod: "BootFirst", MAC: "64D95420214B", Vendor: "a".repeat(257) }, "too_long", "Vendor"],
    [{ RPCMethod: "BootFirst", MAC: "64D95420214B", Vendor: {} }, "wrong_type", "Vendor"],
    [{ RPCMethod: "Nothing" }, "unknown_method", "RPCMethod"],
    [{ RPCMethod: ["BootFirst"] }, "wrong_type", "RPCMethod"],
    [{}, "missing_field", "RPCMethod"],
    [[], "json", undefined],
    ["text", "json", undefined],
    [{ RPCMethod: "constructor" }, "unknown_method", "RPCMethod"],
  ];
  for (const [value, code, field] of cases) {
    const error = assertThrows(() => decodeDistributionRequest(json(value)), ProtocolError);
    assertEquals([error.code, error.field], [code, field], JSON.stringify(value));
  }
});

Deno.test("long, deep and broken datagrams are refused by name", () => {
  const code = (bytes: Uint8Array) =>
    assertThrows(() => decodeDistributionRequest(bytes), ProtocolError).code;
  assertEquals(code(new Uint8Array(4097)), "oversize");
  assertEquals(code(new Uint8Array([0x7b, 0xff, 0x7d])), "utf8");
  assertEquals(code(new TextEncoder().encode("{")), "json");
  assertEquals(code(new TextEncoder().encode('{"a":' + "[".repeat(2000) + "]".repeat(2000) + "}")), "depth");
  assertEquals(code(new TextEncoder().encode('{"a":"' + "[".repeat(100) + '"}')), "missing_field");
});

Deno.test("what may not be sent is not sent", () => {
  const boot = {
    method: "BootFirst",
    vendor: "",
    model: "",
    firmwareVer: "",
    hardwareVer: "",
    ipAddr: "",
  } as const;
  assertThrows(
    () => encodeDistributionRequest({ ...boot, mac: "64d95420214b", platformId: "OTHER" }),
    ProtocolError,
  );
  assertThrows(() => encodeDistributionReply({ result: 0, serverPort: 65536 }), ProtocolError);
  assertThrows(() => encodeDistributionReply({ result: 0.5 }), ProtocolError);
});

Deno.test("no bytes make the distribution codecs throw anything but ProtocolError", () => {
  const names = ["MAC", "CheckSN", "Vendor", "PlatformID", "Result", "ServerPort", "Interval"];
  assertHardened(decodeDistributionRequest, anyRequest.map(encodeDistributionRequest), names, [
    "BootFirst",
    "RegisterFirst",
  ]);
  assertHardened(decodeDistributionReply, anyReply.map(encodeDistributionReply), names, ["BootFirst"]);
});
