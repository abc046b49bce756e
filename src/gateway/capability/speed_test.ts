import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, systemClock } from "../../base/mod.ts";
import type { HttpPorts } from "./http.ts";
import { measureDownload } from "./speed.ts";

const { signal } = new AbortController();

/** Serves one connection with `serve`, and measures it. */
async function measured(
  serve: (conn: Deno.Conn) => Promise<void>,
  { clock = systemClock, seconds = 2, onRequest = () => {} }: {
    clock?: HttpPorts["clock"];
    seconds?: number;
    onRequest?: (head: string) => void;
  } = {},
) {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    using conn = await listener.accept();
    const buffer = new Uint8Array(4096), read = await conn.read(buffer);
    onRequest(new TextDecoder().decode(buffer.subarray(0, read ?? 0)));
    await serve(conn).catch(() => {}); // it went away
  })();
  const ports: HttpPorts = {
    clock,
    lookup: (_name, type) => Promise.resolve(type === "A" ? ["203.0.113.1"] : []),
    mayReach: (address) => address === "203.0.113.1",
    connect: () => Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    startTls: () => Promise.reject(new Error("no TLS here")),
  };
  try {
    return await measureDownload(ports, "http://speed.example/big?x=1", seconds, signal);
  } finally {
    await serving;
  }
}

const text = (conn: Deno.Conn, text: string) => conn.write(new TextEncoder().encode(text));

Deno.test("a whole body is counted, also what came with the head", async () => {
  let head = "";
  const report = await measured(
    async (conn) => void await text(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    { onRequest: (request) => head = request },
  );
  assertEquals([report.bytes, report.whole], [5, true]);
  assertEquals(head, "GET /big?x=1 HTTP/1.1\r\nhost: speed.example\r\nconnection: close\r\n\r\n");
  const open = await measured(async (conn) => void await text(conn, "HTTP/1.0 200\r\n\r\n123"));
  assertEquals([open.bytes, open.whole], [3, true], "until the server closes");
});

Deno.test("a body without end is measured for as long as was asked", async () => {
  const report = await measured(async (conn) => {
    await text(conn, "HTTP/1.1 200 OK\r\n\r\n");
    const piece = new Uint8Array(64 * 1024);
    // Not as fast as it can: a gigabyte is enough for nobody, and there is an end to what is fetched.
    for (;;) {
      await conn.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }, { seconds: 1 });
  assert(report.bytes > 0 && !report.whole && report.seconds >= 0.9, JSON.stringify(report));
  assert(Math.abs(report.rate / (8 * report.bytes / report.seconds) - 1) < 0.01);
});

Deno.test("an answer that is none, moved, endless in its head or cut off is a reason", async () => {
  for (
    const [answer, reason] of [
      ["SSH-2.0-OpenSSH\r\n\r\n", "no HTTP"],
      ["HTTP/1.1 302 Found\r\nlocation: http://192.168.1.1/\r\n\r\n", "answered 302"],
      [`HTTP/1.1 200 OK\r\nx: ${"y".repeat(40_000)}`, "too long"],
      ["HTTP/1.1 200 OK\r\n", "cut off"],
      ["", "cut off"],
      ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "cut off"],
    ] as const
  ) {
    await assertRejects(() => measured(async (conn) => void await text(conn, answer)), Error, reason);
  }
});

Deno.test("a server that says nothing is left after ten seconds", async () => {
  const clock = new FakeClock(), connected = Promise.withResolvers<void>();
  const waiting = measured(async (conn) => void await conn.read(new Uint8Array(1)), {
    clock,
    onRequest: () => connected.resolve(),
  });
  const refused = assertRejects(() => waiting, Error, "no answer within 10 s");
  await connected.promise;
  await clock.advance(10_000);
  await refused;
});

Deno.test("what is no address on the internet is not fetched", async () => {
  const ports = { clock: systemClock, lookup: () => Promise.resolve(["192.168.1.1"]), mayReach: () => false };
  const measure = (url: string, seconds = 5) =>
    measureDownload(ports as unknown as HttpPorts, url, seconds, signal);
  for (const url of ["", "ftp://a/", "file:///etc/passwd", "http://u:p@a/", `http://a/${"x".repeat(3000)}`]) {
    await assertRejects(() => measure(url), Error, "address", url.slice(0, 30));
  }
  await assertRejects(() => measure("http://router.home/"), Error, "not on the internet");
  for (const seconds of [0, 31, 1.5, NaN]) await assertRejects(() => measure("http://a.example/", seconds));
});
