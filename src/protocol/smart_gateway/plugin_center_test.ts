import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ProtocolError } from "./errors.ts";
import {
  type ChannelMessage,
  type ChannelReply,
  type ChannelRequest,
  decodeChannelMessage,
  encodeChannelReply,
  encodeChannelRequest,
} from "./plugin_center.ts";
import { anyHex32, anyId, anyMac, anyResult, anyText, assertHardened, json } from "./testing.ts";

const named = { id: anyId, pluginName: anyText, version: anyText };
const base64 = fc.base64String({ maxLength: 400 });
const actions = ["Install_query", "Install_cancel", "UnInstall", "Run", "Stop", "FactoryPlugin"] as const;
const anyRequest: fc.Arbitrary<ChannelRequest> = fc.oneof(
  fc.record({
    method: fc.constant("Boot" as const),
    vendor: anyText,
    model: anyText,
    firmwareVer: anyText,
    hardwareVer: anyText,
    mac: anyMac,
    ipAddr: anyText,
    loid: anyText,
    card: anyText,
  }),
  fc.record({ method: fc.constant("Register" as const), checkSn: anyHex32 }),
  fc.record({ method: fc.constant("Heartbeat" as const), mac: anyMac, ipAddr: anyText }),
  fc.record({ method: fc.constant("Post" as const), ...named, parameter: base64 }),
  fc.record({ method: fc.constant("Disconnect" as const), id: anyId }),
  fc.record({
    method: fc.constant("Install" as const),
    ...named,
    downloadUrl: fc.webUrl(),
    pluginSize: fc.nat(),
    os: fc.nat(255),
    digest: anyText,
  }, { requiredKeys: ["method", "id", "pluginName", "version", "downloadUrl", "pluginSize", "os"] }),
  ...actions.map((method) =>
    fc.record({ method: fc.constant(method), ...named }) as fc.Arbitrary<ChannelRequest>
  ),
  fc.record({ method: fc.constant("ListPlugin" as const), id: anyId }),
  fc.record({ method: fc.constant("SetPlug-inParameterValues" as const), ...named, parameter: base64 }),
);
const anyReply: fc.Arbitrary<ChannelReply> = fc.record({
  result: anyResult,
  id: anyId,
  challengeCode: anyHex32,
  returnParameter: base64,
  plugins: fc.array(fc.record({ pluginName: anyText, version: anyText, run: fc.nat(1) })),
}, { requiredKeys: ["result"] });

Deno.test("every request and every answer of the plug-in channel comes back as it went out", () => {
  fc.assert(fc.property(anyRequest, (message) => {
    assertEquals<ChannelMessage>(decodeChannelMessage(encodeChannelRequest(message)), message);
  }));
  fc.assert(fc.property(anyReply, (message) => {
    assertEquals<ChannelMessage>(decodeChannelMessage(encodeChannelReply(message)), {
      method: "Reply",
      ...message,
    });
  }));
});

Deno.test("a Post goes out with the names of the wire", () => {
  const bytes = encodeChannelRequest({
    method: "Post",
    id: 7,
    pluginName: "p",
    version: "1.0",
    parameter: "e30=",
  });
  assertEquals(
    new TextDecoder().decode(bytes),
    '{"RPCMethod":"Post","Plugin_Name":"p","Version":"1.0","ID":7,"Parameter":"e30="}',
  );
});

Deno.test("an ID keeps its type", () => {
  for (const ID of [7, "7", 0, "", -1, 1.5]) {
    const message = decodeChannelMessage(json({ RPCMethod: "Disconnect", ID }));
    assertEquals(message.method === "Disconnect" && message.id, ID);
  }
  for (const ID of [null, true, [], {}, 2 ** 53, "x".repeat(65)]) {
    assertThrows(() => decodeChannelMessage(json({ RPCMethod: "Disconnect", ID })), ProtocolError);
  }
});

Deno.test("an error says the ID and the method where they could be read, so that it can be answered", () => {
  const unknown = assertThrows(
    () => decodeChannelMessage(json({ RPCMethod: "Dance", ID: "a" })),
    ProtocolError,
  );
  assertEquals([unknown.code, unknown.method, unknown.id], ["unknown_method", "Dance", "a"]);
  const broken = assertThrows(
    () => decodeChannelMessage(json({ RPCMethod: "post", ID: 3, Parameter: 1, Version: {} })),
    ProtocolError,
  );
  assertEquals([broken.code, broken.field, broken.method, broken.id], ["wrong_type", "Version", "Post", 3]);
});

Deno.test("a plug-in list forgives how Run is written, and is bounded", () => {
  const reply = decodeChannelMessage(
    json({
      Result: 0,
      Plugin: [{ Plugin_Name: "a", Version: "1.0", Run: "1" }, { Plugin_Name: "b", Run: true }, {
        Plugin_Name: "c",
      }],
    }),
  );
  assertEquals(reply.method === "Reply" && reply.plugins, [
    { pluginName: "a", version: "1.0", run: 1 },
    { pluginName: "b", version: "", run: 1 },
    { pluginName: "c", version: "", run: 0 },
  ]);
  for (const Plugin of [{}, [1], Array(1025).fill({ Plugin_Name: "a" })]) {
    assertThrows(() => decodeChannelMessage(json({ Result: 0, Plugin })), ProtocolError);
  }
});

Deno.test("no bytes make the channel codec throw anything but ProtocolError", () => {
  const valid = fc.oneof(anyRequest.map(encodeChannelRequest), anyReply.map(encodeChannelReply));
  assertHardened(decodeChannelMessage, valid, [
    "MAC",
    "ID",
    "Result",
    "Plugin",
    "Parameter",
    "Plugin_Name",
    "OS",
  ], [
    "Boot",
    "Post",
    "Install",
    "ListPlugin",
    "SetPlug-inParameterValues",
  ]);
});
