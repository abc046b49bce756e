import { assert, assertEquals, assertRejects } from "@std/assert";
import { fetchFrom, type Outgoing } from "./fetch_from.ts";

/** Of `hooks.example`, and of who signed it; good for a hundred years, and for nothing but this test. */
const AUTHORITY = `-----BEGIN CERTIFICATE-----
MIIBlDCCATmgAwIBAgIUEGlt9EOixg0H1/DBfUuzWlScegwwCgYIKoZIzj0EAwIw
HjEcMBoGA1UEAwwTYXV0aG9yaXR5IG9mIGEgdGVzdDAgFw0yNjExMjkxMTM3NTda
GA8yMTI2MTEwNTExMzc1N1owHjEcMBoGA1UEAwwTYXV0aG9yaXR5IG9mIGEgdGVz
dDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHP5jIAvQs+PyzrRg2v42quQx9jb
7SH0dffOWGUuCrHEte2GsAzJeijQfqD3lDk7ZYeXdJtZuaR9nkFOJhJxF+qjUzBR
MB0GA1UdDgQWBBThP8ty3znJ6lxR0bqf3dadWGRq0TAfBgNVHSMEGDAWgBThP8ty
3znJ6lxR0bqf3dadWGRq0TAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kA
MEYCIQCT9Bpz9SyIsfXj0Y9UacIVSoOC4kDtamABswPde71NlgIhALw9+vlFJI2z
jardVG4vkCBCySPhJcikoFF6DRlhQTYj
-----END CERTIFICATE-----`;
const CERT = `-----BEGIN CERTIFICATE-----
MIIBoTCCAUegAwIBAgIUMulw297M+7EJfUBRjWO5g7JbtxowCgYIKoZIzj0EAwIw
HjEcMBoGA1UEAwwTYXV0aG9yaXR5IG9mIGEgdGVzdDAgFw0yNjExMjkxMTM3NTda
GA8yMTI2MTEwNTExMzc1N1owGDEWMBQGA1UEAwwNaG9va3MuZXhhbXBsZTBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABCg6Cifbzupb2jiwDcn36inc4Jyc0K+V+ec3
2hf/SbtQBvKqVem/MzQn+IIvQK+xKC4HAR4uXkyqK1vTZ4gVhmqjZzBlMBgGA1Ud
EQQRMA+CDWhvb2tzLmV4YW1wbGUwCQYDVR0TBAIwADAdBgNVHQ4EFgQUhoswWIfv
4v+hOYX/lagdmtMeIYQwHwYDVR0jBBgwFoAU4T/Lct85yepcUdG6n93WnVhkatEw
CgYIKoZIzj0EAwIDSAAwRQIgDuDx6ll5LLg6K4OWdJ/qBADiXSvl0vacS3oydzvV
kTICIQDM2X4NOIZTAYYvrjdBpdkug1H2W+1XnH5G5Qvx2zYBBg==
-----END CERTIFICATE-----`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/BLChkB5IV0xK3q0
vA1PKn9wTfAdDtNI2vSH0o44a7ChRANCAAQoOgon287qW9o4sA3J9+op3OCcnNCv
lfnnN9oX/0m7UAbyqlXpvzM0J/iCL0CvsSguBwEeLl5Mqitb02eIFYZq
-----END PRIVATE KEY-----`;

type Handler = (request: Request) => Response | Promise<Response>;
const local = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
const textOf = (response: Response) => response.text();
const ask = (url: string, init: Outgoing = {}) => fetchFrom("127.0.0.1", url, init, textOf);

/** A server of bytes, which tells what it was sent first. */
function wire(answer: string) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const first = (async () => {
    using conn = await listener.accept();
    const buffer = new Uint8Array(65_536), read = await conn.read(buffer);
    await conn.write(new TextEncoder().encode(answer));
    return buffer.subarray(0, read ?? 0);
  })();
  return { port: listener.addr.port, first, [Symbol.dispose]: () => listener.close() };
}

Deno.test("the URL's host is asked for at the address that was given, with method, headers and body", async () => {
  const handler: Handler = async (request) => {
    const { pathname, search } = new URL(request.url), { headers, method } = request;
    return new Response(
      `${method} ${headers.get("host")} ${pathname}${search} ${headers.get("x-a")} ${await request.text()}`,
      { status: 202, headers: { "x-b": "c" } },
    );
  };
  await using server = Deno.serve(local, handler);
  const host = `nowhere.example:${server.addr.port}`;
  const init = { method: "POST", headers: { "x-a": "1" }, body: "péng" };
  await fetchFrom("127.0.0.1", `http://${host}/in?q=1#part`, init, async (response) => {
    assertEquals([response.status, response.headers.get("x-b")], [202, "c"]);
    assertEquals(await response.text(), `POST ${host} /in?q=1 1 péng`);
  });
  assertEquals(await ask(`http://${host}/`), `GET ${host} / null `);
});

Deno.test("an https URL is spoken to over TLS only, by whoever can prove to be its host", async () => {
  const got: string[] = [];
  await using server = Deno.serve({ ...local, cert: CERT, key: KEY }, async (request) => {
    got.push(await request.text());
    return new Response("taken");
  });
  const { port } = server.addr, init = { method: "POST", body: "a secret", caCerts: [AUTHORITY] };
  assertEquals(await ask(`https://hooks.example:${port}/`, init), "taken");
  await assertRejects(() => ask(`https://other.example:${port}/`, init), Error, "certificate");
  await assertRejects(
    () => ask(`https://hooks.example:${port}/`, { ...init, caCerts: [] }),
    Error,
    "certificate",
  );
  assertEquals(got, ["a secret"]);
  using plain = wire("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  await assertRejects(() => ask(`https://hooks.example:${plain.port}/`, init));
  const first = await plain.first;
  assertEquals(first[0], 22, "a TLS handshake (RFC 8446 §5.1)");
  assert(!new TextDecoder("latin1").decode(first).includes("secret"));
});

Deno.test("bodies come whole: by length, in chunks, until the end; and what is cut off is an error", async () => {
  const cases: readonly (readonly [answer: string, body: string | RegExp])[] = [
    ["HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd", "abc"],
    ["HTTP/1.0 200\r\n\r\nabc", "abc"],
    ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", "abc"],
    ["HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na", "a"],
    ["HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\n", ""],
    ["HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc", /cut off/],
    ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc", /cut off/],
    ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", /chunk is malformed/],
    ["HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n", /Transfer-Encoding/],
    ["HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", /Content-Length is malformed/],
    ["HTTP/1.1 200 OK\r\nno colon\r\n\r\n", /header is malformed/],
    [`HTTP/1.1 200 OK\r\nx: ${"y".repeat(40_000)}\r\n\r\n`, /head is too long/],
    ["HTTP/1.1 100 Continue\r\n\r\n".repeat(9), /no end of interim answers/],
    ["220 mail.example ESMTP\r\n", /not HTTP/],
    ["", /cut off/],
  ];
  for (const [answer, body] of cases) {
    using server = wire(answer);
    const url = `http://a.example:${server.port}/`;
    const said = await ask(url).catch((error) => error as Error);
    if (body instanceof RegExp) {
      assert(said instanceof Error && body.test(said.message), `${answer.slice(0, 80)}: ${said}`);
    } else assertEquals(said, body, answer);
    await server.first;
  }
});

Deno.test("an answer without an end is read as far as somebody wants to, and then its connection is closed", async () => {
  const closed = Promise.withResolvers<void>();
  await using server = Deno.serve(local, () =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
        cancel: () => closed.resolve(),
      }),
    ));
  const read = await fetchFrom("127.0.0.1", `http://a.example:${server.addr.port}/`, {}, async ({ body }) => {
    const reader = body!.getReader();
    let bytes = 0;
    while (bytes < 200_000) bytes += (await reader.read()).value!.length;
    await reader.cancel();
    return bytes;
  });
  assert(read < 300_000);
  await closed.promise;
});

Deno.test("whoever breaks it off gets their own reason, before, while and after it is answered", async () => {
  const hang = Promise.withResolvers<Response>(), asked = Promise.withResolvers<void>();
  await using server = Deno.serve(local, (request) => {
    if (!request.url.endsWith("/slow")) return new Response(new ReadableStream({ start() {} }));
    asked.resolve();
    return hang.promise;
  });
  const url = `http://a.example:${server.addr.port}`, reason = new Error("enough");
  await assertRejects(() => ask(`${url}/`, { signal: AbortSignal.abort(reason) }), Error, "enough");
  for (const path of ["/slow", "/body"]) {
    const stop = new AbortController();
    const asking = fetchFrom("127.0.0.1", url + path, { signal: stop.signal }, (response) => {
      asked.resolve();
      return response.text();
    });
    await asked.promise;
    stop.abort(reason);
    await assertRejects(() => asking, Error, "enough");
  }
  hang.resolve(new Response());
});

Deno.test("no header and no method of the caller's begins another line", async () => {
  for (
    const init of [{ headers: { "x": "a\r\ny: b" } }, { headers: { "x\r\n": "a" } }, {
      method: "GET / HTTP/1.1\r\nx: y",
    }]
  ) {
    await assertRejects(() => ask("http://a.example:1/", init), TypeError);
  }
  await assertRejects(() => ask("ftp://a.example:1/"), TypeError, "not http or https");
});
