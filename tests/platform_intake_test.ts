/**
 * What operators hand in: plug-ins in a file and in a package, and lists of gateways as CSV.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeKeys, packPlugin, readPrivateKey } from "../src/sandbox/package/mod.ts";
import { gzipped, rawPackage } from "../src/sandbox/package/testing.ts";
import { testPlatform } from "./support/platform.ts";

Deno.test("plug-ins are taken in once a version, read without being run, and downloaded by digest", async () => {
  await using p = await testPlatform();
  const source = (body: string, version = "1.0") =>
    new TextEncoder().encode(`export const manifest = { name: "com.example.a", version: "${version}",
      apiVersion: "2026-11-01", commands: { A: { right: "remote" } } };
      export const commands = { A() { ${body} } };`);
  const added = await p.call("POST", "/api/v1/plugins", source("return {}"));
  assertEquals([added.status, added.body.name, added.body.version], [201, "com.example.a", "1.0"]);
  assertEquals((await p.call("POST", "/api/v1/plugins", source("return {}"))).status, 200);
  assertEquals(
    (await p.call("POST", "/api/v1/plugins", source("return {x:1}"))).body.code,
    "plugin_version_exists",
  );
  const bad = await p.call(
    "POST",
    "/api/v1/plugins",
    new TextEncoder().encode("export const manifest = make();"),
  );
  assertEquals([bad.status, bad.body.code], [422, "invalid_plugin"]);
  const file = await fetch(`${p.url}/downloads/${added.body.sha256}.js`);
  assertEquals(new Uint8Array(await file.arrayBuffer()), source("return {}"));
  const rest = await fetch(`${p.url}/downloads/${added.body.sha256}.js`, { headers: { range: "bytes=10-" } });
  assertEquals([rest.status, new Uint8Array(await rest.arrayBuffer())], [206, source("return {}").slice(10)]);
  const beyond = await fetch(`${p.url}/downloads/${added.body.sha256}.js`, {
    headers: { range: "bytes=99999-" },
  });
  assertEquals([beyond.status, (await beyond.json()).code], [416, "no_such_range"]);
  assertEquals(
    await fetch(`${p.url}/downloads/${"0".repeat(64)}.js`).then(async (r) => (await r.text(), r.status)),
    404,
  );
  assertEquals((await p.call("DELETE", "/api/v1/plugins/com.example.a/1.0")).status, 204);
});

Deno.test("a package is taken in by its content, with who signed it, and downloaded as it is", async () => {
  await using p = await testPlatform();
  const key = await readPrivateKey((await makeKeys("author")).privateFile);
  const text = `export const manifest = { name: "com.example.p", version: "1.0",
    apiVersion: "2026-11-01", commands: { A: { right: "remote" } } };
    import { a } from "./lib/a.js"; export const commands = { A: () => ({ a }) };`;
  const files = { "plugin.js": text, "lib/a.js": `export const a = "1";` };
  const encoded = new Map(Object.entries(files).map(([path, one]) => [path, new TextEncoder().encode(one)]));
  const { bytes } = await packPlugin(encoded, { keys: [key] });
  const added = await p.call("POST", "/api/v1/plugins", bytes);
  assertEquals([added.status, added.body.name, added.body.format, added.body.signedBy], [
    201,
    "com.example.p",
    "package",
    [key.id],
  ]);
  assertEquals((await p.call("POST", "/api/v1/plugins", bytes)).status, 200);
  const file = await fetch(`${p.url}/downloads/${added.body.sha256}.ghp`);
  assertEquals(file.headers.get("content-type"), "application/gzip");
  assertEquals(new Uint8Array(await file.arrayBuffer()), bytes);

  // The code says other than the file that stands for it: packed by hand, not by "plugin pack".
  const forged = rawPackage([
    {
      path: "manifest.json",
      content: `{"name":"com.example.p","version":"2","apiVersion":"2026-11-01","commands":{}}`,
    },
    { path: "plugin.js", content: text.replace(`import { a } from "./lib/a.js";`, "const a = 1;") },
  ]);
  const bad = await p.call("POST", "/api/v1/plugins", forged);
  assertEquals([bad.status, bad.body.code], [422, "invalid_plugin"]);
  assertEquals((bad.body.faults as string[]).map((fault) => fault.split(":")[0]), [
    "manifest.version",
    "manifest.commands.A",
  ]);
  const bomb = gzipped(new Uint8Array(100 << 20));
  assertEquals((await p.call("POST", "/api/v1/plugins", bomb)).status, 422);
  assertEquals((await p.call("POST", "/api/v1/plugins", bytes.slice(0, -9))).status, 422);
});

Deno.test("CSV presets are taken line by line and faults are told by line", async () => {
  await using p = await testPlatform();
  const csv =
    "mac,sn,loid,region\n64d954000001,64D954-A1,L1,north\nnonsense,64D954-A2,L2,\n64D954000003,64D954-A3,L3,\n";
  const response = await fetch(`${p.url}/api/v1/gateways`, {
    method: "POST",
    headers: { authorization: "Bearer administrator-of-the-tests", "content-type": "text/csv" },
    body: csv,
  });
  const report = await response.json();
  assertEquals([report.created, report.taken, report.faults.map((f: { line: number }) => f.line)], [2, [], [
    3,
  ]]);
  const listed = await p.call("GET", "/api/v1/gateways?region=north");
  assertEquals((listed.body.items as { mac: string }[]).map((g) => g.mac), ["64D954000001"]);
  const first = await p.call("GET", "/api/v1/gateways?limit=1");
  const second = await p.call("GET", `/api/v1/gateways?limit=1&cursor=${first.body.next}`);
  assertEquals((second.body.items as { mac: string }[])[0]?.mac, "64D954000003");
  assertEquals(second.body.next, undefined);
});

Deno.test("CSV that a spreadsheet wrote its own way is refused with what to do about it", async () => {
  await using p = await testPlatform();
  const detail = async (body: BodyInit) => {
    const headers = { authorization: "Bearer administrator-of-the-tests", "content-type": "text/csv" };
    const response = await fetch(`${p.url}/api/v1/gateways`, { method: "POST", headers, body });
    return (await response.json()).detail as string;
  };
  assertStringIncludes(await detail("mac;sn;loid\n"), "region, with commas between them; missing: mac");
  const gbk = new Uint8Array([0xca, 0xbe, 0xc0, 0xfd]);
  assertStringIncludes(await detail(gbk), 'not UTF-8: save it as that, in a spreadsheet as "CSV UTF-8"');
  const missing = await p.call("POST", "/api/v1/gateways", { mac: "64D954000001" });
  assertEquals(missing.body.detail, "body $.sn: is missing (and 1 more)");
});

Deno.test("an import tells of every line what became of it and why, as JSON and as CSV", async () => {
  await using p = await testPlatform();
  const send = (body: string | unknown[], accept = "*/*") =>
    fetch(`${p.url}/api/v1/gateways`, {
      method: "POST",
      headers: {
        authorization: "Bearer administrator-of-the-tests",
        "content-type": typeof body === "string" ? "text/csv" : "application/json",
        accept,
      },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  await p.call("POST", "/api/v1/gateways", {
    mac: "64D954000001",
    sn: "64D954-A1",
    loid: "L1",
    region: "north",
  });
  const csv = [
    "mac,sn,loid,region",
    "64D954000001,64D954-A1,L1,", // 2: the very same
    "", // 3: nothing at all
    "64D954000001,64D954-A9,L9,", // 4: a MAC that line 2 has
    "64D954000002,64D954-A2,L2,south", // 5
    "64D954000003,64D954-A2,L3,", // 6: the SN of line 5
    "64D954000004,64D954-A1,L4,", // 7: the SN of line 2
    '64D954000005,64D954-A5,"L5', // 8: an open quote spoils one line
    "64D954000006,64D954-A6,L6,=1+1", // 9
    "=nonsense,64D954-A7,L7,", // 10
    "64D954000007,64D954-A7,L7,a,b", // 11
  ].join("\r\n");
  const report = await (await send(csv)).json();
  const outcomes = (lines: { line: number; outcome: string; message: string }[]) =>
    lines.map(({ line, outcome, message }) => [line, outcome, message.slice(0, 24)]);
  assertEquals(
    outcomes(report.lines),
    [
      [2, "unchanged", ""],
      [4, "refused", "the MAC is that of line "],
      [5, "created", ""],
      [6, "refused", "the SN is that of line 5"],
      [7, "refused", "the SN is that of line 2"],
      [8, "refused", "it is no line of CSV: a "],
      [9, "created", ""],
      [10, "refused", "mac: must be 12 hex digit"],
      [11, "refused", "it has more cells than t"],
    ].map(([line, outcome, message]) => line === 10 ? outcomes(report.lines)[7]! : [line, outcome, message]),
  );
  assertEquals([report.created, report.unchanged, report.refused], [2, 1, 6]);
  assertEquals(report.faults.map((fault: { line: number }) => fault.line), [8, 10, 11]);

  const again = await send(
    "mac,sn,loid,region\n64D954000001,64D954-B1,L1,west\n64D954000008,64D954-A2,L8,\n=x,64D954-A7,L7,\n",
    "text/csv",
  );
  assertEquals(again.headers.get("content-type"), "text/csv; charset=utf-8");
  const [header, first, second, third] = (await again.text()).split("\r\n");
  assertEquals(header, "line,mac,outcome,message");
  assertEquals(
    first,
    '2,64D954000001,refused,"the MAC is preset already with another SN (""64D954-A1""), region (""north"")"',
  );
  assertEquals(second, "3,64D954000008,refused,the SN is that of gateway 64D954000002");
  assert(third!.startsWith("4,'=x,refused,mac: "), third);

  const list = [{ mac: "64D954000009", sn: "64D954-A9", loid: "L" }, {
    mac: "64D954000009",
    sn: "64D954-A8",
    loid: "L",
  }];
  const { lines, taken } = await (await send(list)).json();
  assertEquals([outcomes(lines)[1]!.slice(0, 2), taken], [[2, "refused"], ["64D954000009"]]);
});

Deno.test("an import says which other gateway has a line's LOID, in the file or before, and takes the line", async () => {
  await using p = await testPlatform();
  const send = (body: string, accept = "application/json") =>
    fetch(`${p.url}/api/v1/gateways`, {
      method: "POST",
      headers: { authorization: "Bearer administrator-of-the-tests", "content-type": "text/csv", accept },
      body,
    });
  for (const n of [1, 2]) {
    await p.call("POST", "/api/v1/gateways", { mac: `64D95400000${n}`, sn: `64D954-${n}`, loid: `L${n}` });
  }
  await p.call("DELETE", "/api/v1/gateways/64D954000002");
  // More than one chunk of rows lies between the two of L5.
  const others = Array.from({ length: 600 }, (_, n) => {
    const id = (0x100 + n).toString(16).toUpperCase().padStart(6, "0");
    return `64D954${id},64D954-${id},M${n}`;
  });
  const csv = [
    "mac,sn,loid",
    "64D954000003,64D954-3,L1", // the LOID of a gateway that is there
    "64D954000004,64D954-4,L2", // of one that was removed
    "64D954000005,64D954-5,L5",
    "64D954000006,64D954-1,L1", // refused: that is what there is to say
    ...others,
    "64D954000007,64D954-7,L5", // of another line
  ].join("\n");
  const { created, lines } = await (await send(csv)).json() as {
    created: number;
    lines: { mac: string; outcome: string; message: string }[];
  };
  assertEquals(created, 604);
  const told = lines.filter(({ message }) => message !== "");
  assertEquals(told.map(({ mac, outcome, message }) => [mac, outcome, message]), [
    ["64D954000003", "created", "another gateway has this LOID too: 64D954000001"],
    ["64D954000005", "created", "another gateway has this LOID too: 64D954000007"],
    ["64D954000006", "refused", "the SN is that of gateway 64D954000001"],
    ["64D954000007", "created", "another gateway has this LOID too: 64D954000005"],
  ]);
  const again = await (await send("mac,sn,loid\n64D954000007,64D954-7,L5", "text/csv")).text();
  assertEquals(
    again.split("\r\n")[1],
    "2,64D954000007,unchanged,another gateway has this LOID too: 64D954000005",
  );
});

Deno.test("no fault of an import is left out, however many there are", async () => {
  await using p = await testPlatform();
  const csv = "mac,sn,loid\n" + Array.from({ length: 5000 }, (_, n) => `m${n},s,l`).join("\n");
  const response = await fetch(`${p.url}/api/v1/gateways`, {
    method: "POST",
    headers: { authorization: "Bearer administrator-of-the-tests", "content-type": "text/csv" },
    body: csv,
  });
  const { refused, lines } = await response.json();
  assertEquals([refused, lines.length, lines.at(-1).line, lines.at(-1).mac], [5000, 5000, 5001, "m4999"]);
});
