import { assert, assertEquals } from "@std/assert";
import {
  DEFAULT_HTTP_FORM_LIMITS,
  HttpFormFraming,
  type HttpFormRequest,
  httpResponse,
} from "./http_form.ts";

const JSON_TEXT = '{"RPCMethod":"Post1","ID":"1","Parameter":"e30+/w=="}';
const FORM = `jsonCfg=${encodeURIComponent(JSON_TEXT)}`;

function head(
  body: string,
  changes: Record<string, string | undefined> = {},
  line = "POST /gatewayManage.cmd HTTP/1.1",
) {
  const headers: Record<string, string | undefined> = {
    "Host": "192.168.1.1:8088",
    "Content-Type": "application/x-www-form-urlencoded",
    "Content-Length": String(new TextEncoder().encode(body).length),
    ...changes,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`]
  );
  return [line, ...lines, "", ""].join("\r\n");
}

/** Feeds bytes in pieces; what came out of them. */
function read(bytes: Uint8Array | string, piece = 1_000_000): HttpFormRequest | undefined {
  const framing = new HttpFormFraming(), decoder = framing.decoder();
  const all = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  for (let at = 0; at < all.length; at += piece) {
    const [frame] = decoder.push(all.subarray(at, at + piece));
    if (frame) return framing.request(frame);
  }
  return undefined;
}

function jsonOf(request: HttpFormRequest | undefined): string | undefined {
  return request?.ok ? new TextDecoder().decode(request.json) : undefined;
}

function status(bytes: Uint8Array | string): number | undefined {
  const request = read(bytes);
  return request && (request.ok ? 200 : request.status);
}

Deno.test("a form is read however its bytes are cut", () => {
  for (const piece of [1, 2, 3, 7, 64, 10_000]) {
    assertEquals(jsonOf(read(head(FORM) + FORM, piece)), JSON_TEXT, String(piece));
  }
});

Deno.test("jsonCfg is taken encoded, bare, and among other fields", () => {
  for (
    const body of [
      FORM,
      `jsonCfg=${JSON_TEXT}`,
      `a=b&${FORM}&c=d`,
      `jsonCfg= ${JSON_TEXT}\n`,
      `x=&jsonCfg=${JSON_TEXT}`,
    ]
  ) {
    assertEquals(jsonOf(read(head(body) + body)), JSON_TEXT, body);
  }
});

Deno.test("what clients add is no matter: a time stamp in the query, no Content-Type, an own Origin, HTTP/1.0", () => {
  const fine: [Record<string, string | undefined>, string?][] = [
    [{}, "POST /gatewayManage.cmd?timeStamp=1527350400 HTTP/1.1"],
    [{ "Content-Type": undefined }],
    [{ "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8" }],
    [{ Origin: "http://192.168.1.1:8088" }],
    [{ Host: undefined }, "POST /gatewayManage.cmd HTTP/1.0"],
    [{ Host: "[fe80::1]:8088" }],
    [{ "X-Requested-With": "XMLHttpRequest", "Sec-Fetch-Site": "same-origin" }],
  ];
  for (const [changes, line] of fine) {
    assertEquals(status(head(FORM, changes, line) + FORM), 200, JSON.stringify([changes, line]));
  }
});

Deno.test("everything else is refused with a status, before its body is waited for", () => {
  const table: [number, string][] = [
    [405, head("", {}, "GET /gatewayManage.cmd HTTP/1.1")],
    [405, head("", {}, "PUT /gatewayManage.cmd HTTP/1.1")],
    [404, head("", {}, "POST / HTTP/1.1")],
    [404, head("", {}, "POST /gatewayManage.cmd/../x HTTP/1.1")],
    [400, head("", {}, "POST http://192.168.1.1/gatewayManage.cmd HTTP/1.1")],
    [400, head("", {}, "POST /gatewayManage.cmd HTTP/2.0")],
    [400, head("", {}, "POST  /gatewayManage.cmd HTTP/1.1")],
    [400, head("", { Host: undefined })],
    [400, head("", { " Folded": "x" })],
    [400, head("", { "Bad Name": "x" })],
    [400, head("", { "X": "caf\u00e9" })],
    [400, head("", { "X": "a\nContent-Length: 5" })],
    [400, head("", { "content-length": "5" })],
    [400, head("", { "Content-Length": "-1" })],
    [400, head("", { "Content-Length": "0x10" })],
    [400, head("", { "Content-Length": "5, 5" })],
    [411, head("", { "Content-Length": undefined })],
    [411, head("", { "Transfer-Encoding": "chunked" })],
    [413, head("", { "Content-Length": String(DEFAULT_HTTP_FORM_LIMITS.maxBodyBytes + 1) })],
    [413, head("", { "Content-Length": "999999999999999" })],
    [415, head("", { "Content-Type": "text/plain" })],
    [415, head("", { "Content-Type": "multipart/form-data; boundary=x" })],
    // A page in a browser of the LAN may only make requests like these.
    [403, head("", { Origin: "http://evil.example" })],
    [403, head("", { Origin: "null" })],
    [403, head("", { "Sec-Fetch-Site": "cross-site" })],
    [403, head("", { Host: "evil.example:8088" })],
    [403, head("", { Host: "gateway" })],
    [431, head("", { X: "x".repeat(5000) })],
    [431, "POST /gatewayManage.cmd HTTP/1.1\r\n" + "x".repeat(5000)],
    [431, head("", Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`X-${i}`, "y"])))],
  ];
  for (const [expected, text] of table) assertEquals(status(text), expected, text.slice(0, 200));
});

Deno.test("forms that are none are refused", () => {
  for (const body of ["", "x=1", "jsoncfg={}", "jsonCfg=%ZZ", "jsonCfg=%ff%fe", "notjsonCfg={}"]) {
    assertEquals(status(head(body) + body), 400, body);
  }
  const bytes = new Uint8Array([
    ...new TextEncoder().encode(head("", { "Content-Length": "9" }) + "jsonCfg="),
    0xff,
  ]);
  assertEquals(status(bytes), 400);
});

Deno.test("one request a connection: what follows is not looked at, and nothing is held", () => {
  const framing = new HttpFormFraming(), decoder = framing.decoder();
  const twice = new TextEncoder().encode((head(FORM) + FORM).repeat(2));
  assertEquals([...decoder.push(twice)].length, 1);
  assertEquals([[...decoder.push(twice)].length, decoder.pending], [0, 0]);
});

Deno.test("a response names its length and closes", () => {
  const text = new TextDecoder().decode(httpResponse(405, new TextEncoder().encode("{}")));
  assert(text.startsWith("HTTP/1.1 405 Method Not Allowed\r\n") && text.endsWith("\r\n\r\n{}"));
  assert(
    text.includes("Content-Length: 2\r\n") && text.includes("Connection: close\r\n") &&
      text.includes("Allow: POST"),
  );
});
