import { assert, assertEquals, assertThrows } from "@std/assert";
import { FakeClock, seededRandom, silentLog } from "../../../base/mod.ts";
import { openParameters, ParameterError } from "../mod.ts";
import { decodeJson, decodeXml, encodeJson, encodeXml, exported, LARGEST_DOCUMENT } from "./mod.ts";

const WIFI = "InternetGatewayDevice.X_GATEHOUSE_WiFiTimer.";
const SERVER = "InternetGatewayDevice.ManagementServer.";
const MGT = "InternetGatewayDevice.X_CT-COM_Mgt.";
const TERMINALS = "InternetGatewayDevice.X_GATEHOUSE_AttachedDevice.";
const FORMATS = [["json", encodeJson, decodeJson], ["xml", encodeXml, decodeXml]] as const;

const open = () => openParameters({ clock: new FakeClock(), log: silentLog }, undefined);

function refusedBy(decode: (text: string) => unknown, text: string, why?: string): void {
  const error = assertThrows(() => decode(text), ParameterError, why);
  assertEquals((error as ParameterError).code, "document");
}

for (const [format, encode, decode] of FORMATS) {
  Deno.test(`a configuration goes out as ${format} and comes into another gateway as it was`, async () => {
    const tree = await open(), other = await open();
    const odd = `a <b> & "c" 'd'\t\r\n]]> 名 😀`;
    await tree.set({ [`${SERVER}Username`]: odd, [`${SERVER}Password`]: "s3cret" }, "itms");
    await tree.set({ [`${WIFI}Enable`]: true, [`${MGT}Port`]: 999 }, "app");
    await tree.add(TERMINALS, "app");
    await tree.add(TERMINALS, "app", { values: { MACAddress: "64:D9:54:20:21:4B", UsBandwidth: 512 } });
    await tree.remove(`${TERMINALS}1.`, "app");
    const text = encode(await exported(tree));
    assert(!text.includes("X_CT-COM_Mgt") && !text.includes("s3cret"));
    await other.set({ [`${SERVER}Password`]: "its own" }, "itms");
    const report = await other.load(decode(text), "system");
    assertEquals(report.skipped, []);
    assertEquals(await exported(other), await exported(tree));
    assertEquals([other.peek(`${SERVER}Username`), other.peek(`${SERVER}Password`)], [odd, "its own"]);
    assertEquals([other.instances(TERMINALS), other.peek(`${TERMINALS}2.UsBandwidth`)], [[2], 512]);
    const withSecrets = encode(await exported(tree, { secrets: true, prefix: SERVER }));
    assert(withSecrets.includes("s3cret"));
  });

  Deno.test(`a configuration in ${format} writes what its writer may, tells what it left, and never Mgt`, async () => {
    const tree = await open();
    const values = {
      [`${SERVER}URL`]: "http://acs.example/",
      [`${WIFI}Enable`]: true,
      [`${MGT}MgtURL`]: "evil.example",
      [`${MGT}Version`]: "2.0",
    };
    const entries = Object.entries(values).map(([name, value]) => ({ name, value, type: "string" as const }));
    const { written, skipped } = await tree.load(decode(encode(entries)), "itms");
    assertEquals(written, 1);
    assertEquals(skipped.map(({ name, code }) => [name, code]), [
      [`${WIFI}Enable`, "no_right"],
      [`${MGT}MgtURL`, "no_right"],
      [`${MGT}Version`, "no_right"],
    ]);
    assertEquals([tree.peek(`${SERVER}URL`), tree.peek(`${MGT}MgtURL`)], ["http://acs.example/", "189cube"]);
    await tree.load(decode(encode(entries)), "system");
    assertEquals(tree.peek(`${MGT}MgtURL`), "189cube", "not even the gateway itself");
  });

  Deno.test(`documents that are no ${format} of ours are refused with a reason, however they end`, () => {
    const random = seededRandom(5);
    const good = encode([{ name: `${WIFI}Enable`, type: "boolean", value: true }]);
    for (let i = 0; i < good.trimEnd().length; i++) refusedBy(decode, good.slice(0, i));
    for (let i = 0; i < 500; i++) {
      const bytes = random.bytes(1 + i % 200);
      refusedBy(decode, new TextDecoder().decode(bytes));
    }
    refusedBy(decode, " ".repeat(LARGEST_DOCUMENT + 1), "larger");
    const many = Array.from(
      { length: 10_001 },
      (_, i) => ({ name: `A.${i}`, type: "string" as const, value: "" }),
    );
    refusedBy(decode, encode(many), "more than 10000 parameters");
  });
}

Deno.test("XML that would grow, reach out or go deep is refused", () => {
  const root = `<configuration format="gatehouse-parameters" version="1">`;
  const attacks = {
    "billion laughs":
      `<!DOCTYPE c [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>${root}<parameter name="A">&b;</parameter></configuration>`,
    "external entity":
      `<!DOCTYPE c [<!ENTITY x SYSTEM "file:///etc/passwd">]>${root}<parameter name="A">&x;</parameter></configuration>`,
    "external subset": `<!DOCTYPE c SYSTEM "http://198.51.100.1/x.dtd">${root}</configuration>`,
    "unknown entity": `${root}<parameter name="A">&x;</parameter></configuration>`,
    "depth": root + "<parameter name='A'>".repeat(50_000),
    "element": `${root}<other/></configuration>`,
    "no name": `${root}<parameter/></configuration>`,
    "text": `${root}text</configuration>`,
    "twice": `${root}<parameter name="A"/><parameter name="A"/></configuration>`,
    "two attributes": `${root}<parameter name="A" name="B"/></configuration>`,
    "another root": `<configuration version="1"/>`,
    "control character": `${root}<parameter name="A">&#1;</parameter></configuration>`,
  };
  for (const attack of Object.values(attacks)) refusedBy(decodeXml, attack);
});

Deno.test("JSON that goes deep, or means the objects' own insides, is refused or harmless", async () => {
  refusedBy(
    decodeJson,
    `{"format":"gatehouse-parameters","version":"1","parameters":${"[".repeat(100_000)}`,
    "deep",
  );
  const tree = await open();
  const document = `{"format":"gatehouse-parameters","version":"1","parameters":{"__proto__":"x"}}`;
  const error = await tree.load(decodeJson(document), "system").then(() => undefined, (error) => error);
  assertEquals([error?.code, ({} as Record<string, unknown>)["x"]], ["unknown", undefined]);
});
