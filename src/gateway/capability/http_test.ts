import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FakeClock, systemClock } from "../../base/mod.ts";
import type { Json } from "../../sandbox/mod.ts";
import { isPublic } from "../driver/mod.ts";
import { type HttpPorts, plainHttp } from "./http.ts";

const HOSTS = ["api.example.com", "*.wild.example.com:8080", "plain.example.com:81"];
const never = new AbortController().signal;

/** A server on loopback that answers each connection with `answer`, and what it was sent. */
function serve(answer: string | ((conn: Deno.Conn) => Promise<void>)) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const requests: string[] = [], asked: string[] = [];
  const serving = (async () => {
    for await (const conn of listener) {
      let text = "";
      const buffer = new Uint8Array(65536);
      while (!text.includes("\r\n\r\n")) {
        const read = await conn.read(buffer);
        if (read === null) break;
        text += new TextDecoder().decode(buffer.subarray(0, read));
      }
      requests.push(text);
      try {
        if (typeof answer === "string") await conn.write(new TextEncoder().encode(answer));
        else await answer(conn);
      } catch {
        // the client went away
      }
      try {
        conn.close();
      } catch {
        // closed already
      }
    }
  })();
  const { port } = listener.addr as Deno.NetAddr;
  const ports: HttpPorts = {
    clock: systemClock,
    lookup: (name, type) => {
      asked.push(`${type} ${name}`);
      return Promise.resolve(type === "A" ? ["127.0.0.1"] : []);
    },
    mayReach: () => true,
    connect: () => Deno.connect({ hostname: "127.0.0.1", port }),
    startTls: () => Promise.reject(new Error("no TLS here")),
  };
  const fetch = (url: Json, options: Json = {}, more: Partial<HttpPorts> = {}, signal = never) =>
    plainHttp({ ...ports, ...more }, HOSTS, [url, options], signal);
  return {
    requests,
    asked,
    fetch,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

Deno.test("a request goes out as it was asked for, and its answer comes back", async () => {
  await using server = serve(
    "HTTP/1.1 103 Early\r\nx: y\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 5\r\nX-A: 1\r\nx-a: 2\r\n__proto__: z\r\n\r\nжук and what is too much",
  );
  const reply = await server.fetch("http://api.example.com/a/../b?q=1#f", {
    method: "POST",
    headers: { "X-Token": "t" },
    body: "жук",
  });
  assertEquals(reply["status"], 201);
  assertEquals(reply["headers"], { "content-length": "5", "x-a": "1, 2" });
  assertEquals(server.requests, [
    "POST /b?q=1 HTTP/1.1\r\nhost: api.example.com\r\nconnection: close\r\nX-Token: t\r\ncontent-length: 6\r\n\r\nжук",
  ]);
  assertEquals(server.asked, ["A api.example.com", "AAAA api.example.com"]);
});

Deno.test("bodies come in chunks, by their length, until the end, or not at all", async () => {
  const table: [string, string, string?][] = [
    [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
      "hello world",
    ],
    ["HTTP/1.0 200\r\n\r\nall of it", "all of it"],
    ["HTTP/1.1 204 None\r\nContent-Length: 4\r\n\r\n", ""],
    ["HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n", "", "HEAD"],
  ];
  for (const [answer, body, method = "GET"] of table) {
    await using server = serve(answer);
    assertEquals((await server.fetch("http://api.example.com/", { method }))["body"], body);
  }
});

Deno.test("only hosts of the manifest are spoken to, on their ports", async () => {
  await using server = serve("HTTP/1.1 200 OK\r\n\r\n");
  for (
    const url of ["http://api.example.com", "http://x.wild.example.com:8080/", "http://plain.example.com:81"]
  ) {
    assertEquals((await server.fetch(url))["status"], 200, url);
  }
  const asked = server.asked.length;
  for (
    const url of [
      "http://example.com/",
      "http://evil-api.example.com/",
      "http://api.example.com.evil.example/",
      "http://api.example.com:8081/",
      "http://wild.example.com:8080/",
      "http://x.wild.example.com/",
      "http://plain.example.com/",
      "http://127.0.0.1/",
      "http://[::1]/",
      "http://0x7f000001/",
      "http://2130706433/",
      "http://api.example.com@127.0.0.1/",
      "http://user:pass@api.example.com/",
      "ftp://api.example.com/",
      "file:///etc/passwd",
      "data:text/plain,x",
      "//api.example.com/",
      "",
      5,
      null,
      `http://api.example.com/${"x".repeat(5000)}`,
    ]
  ) await assertRejects(() => server.fetch(url), Error, "http:", String(url));
  assertEquals([server.asked.length, server.requests.length], [asked, 3], "nothing left the gateway");
});

Deno.test("a name that leads into the home or to the gateway is not followed", async () => {
  await using server = serve("HTTP/1.1 200 OK\r\n\r\n");
  const inside = [
    ...["127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"],
    ...[
      "224.0.0.1",
      "255.255.255.255",
      "192.0.0.170",
      "198.18.0.1",
      "::1",
      "::",
      "fe80::1",
      "fd00::1",
      "ff02::1",
    ],
    ...[
      "::ffff:8.8.8.8",
      "::ffff:127.0.0.1",
      "64:ff9b::7f00:1",
      "2002:7f00:1::",
      "2001:0:1::1",
      "2001:db8::1",
    ],
    ...["fe80::1%eth0", "no address"],
  ];
  for (const address of inside) {
    assertEquals(isPublic(address), false, address);
    // Also where a harmless address stands before it.
    const lookup = (_: string, type: string) => Promise.resolve(type === "A" ? ["8.8.8.8"] : [address]);
    await assertRejects(
      () => server.fetch("http://api.example.com/", {}, { lookup, mayReach: isPublic }),
      Error,
      "not on the internet",
    );
  }
  for (const address of ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "172.32.0.1", "100.128.0.1"]) {
    assertEquals(isPublic(address), true, address);
  }
  assertEquals(server.requests, []);
});

Deno.test("a name that can't be looked up is told from one without an address", async () => {
  await using server = serve("HTTP/1.1 200 OK\r\n\r\n");
  const to = (lookup: HttpPorts["lookup"]) => () => server.fetch("http://api.example.com/", {}, { lookup });
  const away = () => Promise.reject(new Error('"api.example.com" can\'t be looked up: no name server'));
  await assertRejects(to(away), Error, 'http: "api.example.com" can\'t be looked up: no name server');
  await assertRejects(to(() => Promise.resolve([])), Error, 'http: "api.example.com" has no address');
});

Deno.test("the connection goes to the address that was checked, whatever a name server says later", async () => {
  await using server = serve("HTTP/1.1 200 OK\r\n\r\n");
  let asked = 0;
  const connected: [string, number][] = [];
  await assertRejects(
    () =>
      server.fetch("https://api.example.com/", {}, {
        lookup: (_, type) =>
          Promise.resolve(type === "AAAA" ? [] : [++asked === 1 ? "8.8.4.4" : "127.0.0.1"]),
        mayReach: isPublic,
        connect: (address, port) => {
          connected.push([address, port]);
          return Promise.reject(new Error("far enough"));
        },
      }),
    Error,
    "far enough",
  );
  assertEquals([connected, asked], [[["8.8.4.4", 443]], 1]);
});

Deno.test("redirections are handed to the plug-in and not followed", async () => {
  await using server = serve(
    "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
  );
  const { status, headers } = await server.fetch("http://api.example.com/");
  assertEquals([status, headers, server.requests.length], [
    302,
    { location: "http://127.0.0.1/", "content-length": "0" },
    1,
  ]);
});

Deno.test("no header or method can smuggle another request in", async () => {
  await using server = serve("HTTP/1.1 200 OK\r\n\r\n");
  const bad: Json[] = [
    { headers: { "x": "a\r\nhost: other" } },
    { headers: { "x\r\ny": "a" } },
    { headers: { "Host": "other" } },
    { headers: { "content-length": "0" } },
    { headers: { "Transfer-Encoding": "chunked" } },
    { headers: { "x": 5 } },
    { headers: { "x": "ü" } },
    { headers: ["x"] },
    { headers: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`h${i}`, ""])) },
    { method: "GET / HTTP/1.1\r\n\r\nDELETE" },
    { method: "CONNECT" },
    { body: {} },
    { body: "x".repeat(300_000) },
  ];
  for (const options of bad) {
    await assertRejects(
      () => server.fetch("http://api.example.com/", options),
      Error,
      "http:",
      JSON.stringify(options).slice(0, 80),
    );
  }
  await server.fetch("http://api.example.com/%0d%0aevil?\r\nx: y");
  assertStringIncludes(server.requests[0]!, "GET /%0d%0aevil?x:%20y HTTP/1.1\r\nhost: api.example.com\r\n");
  assertEquals(server.requests.length, 1);
});

Deno.test("answers that are too long, endless or no HTTP end with an error", async () => {
  const flood = async (conn: Deno.Conn, first: string, chunk: Uint8Array) => {
    await conn.write(new TextEncoder().encode(first));
    for (;;) await conn.write(chunk);
  };
  const x = new Uint8Array(65536).fill(0x78);
  const bad: (string | ((conn: Deno.Conn) => Promise<void>))[] = [
    "SSH-2.0-x\r\n",
    "HTTP/1.1 abc\r\n\r\n",
    "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n".repeat(20),
    "",
    (conn) => flood(conn, "", x),
    (conn) => flood(conn, "HTTP/1.1 200 OK\r\nx: ", x),
    (conn) => flood(conn, "HTTP/1.1 200 OK\r\n\r\n", x),
  ];
  for (const answer of bad) {
    await using server = serve(answer);
    await assertRejects(() => server.fetch("http://api.example.com/"), Error, "http:", String(answer));
  }
});

Deno.test("a server that says nothing is given up in time, and so is one whose plug-in ended", async () => {
  const clock = new FakeClock(), reached = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  await using server = serve(() => {
    reached.resolve();
    return gone.promise;
  });
  const late = assertRejects(() => server.fetch("http://api.example.com/", {}, { clock }), Error);
  await reached.promise;
  await clock.advance(30_000);
  assertStringIncludes((await late).message, "no answer within 30000 ms");
  const plugin = new AbortController();
  const ended = assertRejects(() => server.fetch("http://api.example.com/", {}, {}, plugin.signal), Error);
  plugin.abort(new Error("the plug-in ended"));
  await ended;
  gone.resolve();
});

Deno.test("a request ends in time at whatever it waits for, and gives its place to the next", async () => {
  const clock = new FakeClock();
  const open = new Set<Deno.Conn>(), late = Promise.withResolvers<void>();
  const conn = () => {
    const made = { close: () => void open.delete(made) } as Deno.Conn;
    open.add(made);
    return made;
  };
  const ports: HttpPorts = {
    clock,
    lookup: (_, type) => Promise.resolve(type === "A" ? ["93.184.216.34"] : []),
    mayReach: () => true,
    connect: () => Promise.resolve(conn()),
    startTls: () => Promise.resolve(conn()),
  };
  const waits: Partial<HttpPorts>[] = [
    { lookup: () => new Promise(() => {}) },
    { connect: () => late.promise.then(conn) },
    { startTls: () => late.promise.then(conn) },
  ];
  for (const wait of waits) {
    const requests = Array.from({ length: 8 }, () =>
      assertRejects(
        () => plainHttp({ ...ports, ...wait }, HOSTS, ["https://api.example.com/"], never),
        Error,
        "no answer within 30000 ms",
      ));
    await clock.advance(29_999);
    await assertRejects(
      () => plainHttp({ ...ports, ...wait }, HOSTS, ["https://api.example.com/"], never),
      Error,
      "too many requests",
    );
    await clock.advance(1);
    await Promise.all(requests);
  }
  assertEquals([clock.pendingTimers, open.size], [0, 0]);
  late.resolve();
  await clock.advance(1);
  assertEquals(open.size, 0, "what opens too late is closed");
});
