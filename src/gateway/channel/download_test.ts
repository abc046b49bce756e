import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, systemClock } from "../../base/mod.ts";
import { type Download, download, DownloadError } from "./download.ts";

const BYTES = new TextEncoder().encode("a package".repeat(1000));

/** Serves what `answer` gives while `test` runs. */
async function serving(
  answer: (request: Request) => Response,
  test: (url: string) => Promise<void>,
): Promise<void> {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  try {
    await test(`http://127.0.0.1:${server.addr.port}/p.js`);
  } finally {
    await server.shutdown();
  }
}

/** Where in the package the rest of it begins. */
function placeOf(from: number) {
  return { "content-range": `bytes ${from}-${BYTES.length - 1}/${BYTES.length}` };
}

function of(url: string, more: Partial<Download> = {}): Download {
  return {
    url,
    size: 0,
    digest: undefined,
    maxBytes: 100_000,
    timeoutMs: 10_000,
    onProgress: () => {},
    signal: new AbortController().signal,
    ...more,
  };
}

Deno.test("a package of the right size and digest is taken, with its progress", () =>
  serving(() => new Response(BYTES), async (url) => {
    const digest = `sha256:${new Uint8Array(await crypto.subtle.digest("SHA-256", BYTES)).toHex()}`;
    const progress: number[] = [];
    const request = of(url, { size: BYTES.length, digest, onProgress: (bytes) => void progress.push(bytes) });
    assertEquals(await download(systemClock, request), BYTES);
    assertEquals([progress[0], progress.at(-1)], [0, BYTES.length]);
    assertEquals(
      await download(systemClock, { ...request, digest: digest.toUpperCase().replace("SHA256", "sha256") }),
      BYTES,
    );
  }));

Deno.test("a download that is cut goes on where it was, or from the start where the server can't do that", async () => {
  for (const ranges of [true, false]) {
    const asked: (string | null)[] = [];
    const answer = (request: Request) => {
      const range = request.headers.get("range");
      asked.push(range);
      const from = ranges && range ? Number(/\d+/.exec(range)![0]) : 0;
      const rest = BYTES.slice(from);
      const headers = { "content-length": String(rest.length), ...range && ranges && placeOf(from) };
      if (asked.length === 3) return new Response(rest, { status: ranges ? 206 : 200, headers });
      const cut = new ReadableStream({
        start: (controller) => controller.enqueue(rest.subarray(0, 1000)),
        // Less than was announced: the server breaks the connection off.
        pull: (controller) => controller.close(),
      });
      return new Response(cut, { status: range && ranges ? 206 : 200, headers });
    };
    const clock = new FakeClock();
    await serving(answer, async (url) => {
      let done = false;
      const loading = download(clock, of(url, { size: BYTES.length, timeoutMs: 60_000 })).finally(() =>
        done = true
      );
      while (!done) await clock.advance(500);
      assertEquals(await loading, BYTES);
      assertEquals(asked, [null, "bytes=1000-", ranges ? "bytes=2000-" : "bytes=1000-"]);
    });
  }
});

Deno.test("a wrong address, size, digest or answer is told by its code", () =>
  serving(
    (request) =>
      request.url.endsWith("/moved")
        ? new Response(null, { status: 302, headers: { location: "/p.js" } })
        : request.url.endsWith("/none")
        ? new Response("gone", { status: 404 })
        : new Response(BYTES),
    async (url) => {
      const cases: [Partial<Download>, string][] = [
        [{ url: "file:///etc/passwd" }, "bad_url"],
        [{ url: "ftp://127.0.0.1/" }, "bad_url"],
        [{ url: "nonsense" }, "bad_url"],
        [{ url: url.replace("/p.js", "/moved") }, "unreachable"],
        [{ url: url.replace("/p.js", "/none") }, "unreachable"],
        [{ url: "http://127.0.0.1:1/" }, "unreachable"],
        [{ size: BYTES.length + 1 }, "wrong_size"],
        [{ size: BYTES.length - 1 }, "wrong_size"],
        [{ size: 100_001 }, "too_large"],
        [{ maxBytes: 10 }, "too_large"],
        [{ digest: `sha256:${"0".repeat(64)}` }, "wrong_digest"],
        [{ digest: "0".repeat(64) }, "wrong_digest"],
      ];
      for (const [more, code] of cases) {
        const error = await assertRejects(() => download(systemClock, of(url, more)), DownloadError);
        assertEquals(error.code, code, JSON.stringify(more));
      }
    },
  ));

Deno.test("a server that sends without end is cut off at the limit", async () => {
  let sent = 0;
  await serving(() =>
    new Response(
      new ReadableStream({
        pull(controller) {
          sent += 1000;
          controller.enqueue(new Uint8Array(1000));
        },
      }),
    ), async (url) => {
    const error = await assertRejects(() => download(systemClock, of(url)), DownloadError);
    assertEquals(error.code, "too_large");
  });
  assertEquals(sent < 10_000_000, true);
});

Deno.test("a server that stalls is given up after the time allowed, or when nobody wants it any more", async () => {
  const stall = () =>
    new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) }));
  await serving(stall, async (url) => {
    const clock = new FakeClock();
    const begun = Promise.withResolvers<void>();
    const late = assertRejects(
      () => download(clock, of(url, { onProgress: (bytes) => bytes > 0 && begun.resolve() })),
      DownloadError,
    );
    await begun.promise;
    await clock.advance(10_000);
    assertEquals((await late).code, "too_slow");
    assertEquals(clock.pendingTimers, 0);

    const cancel = new AbortController();
    const again = Promise.withResolvers<void>();
    const cancelled = assertRejects(
      () =>
        download(
          clock,
          of(url, { signal: cancel.signal, onProgress: (bytes) => bytes > 0 && again.resolve() }),
        ),
      DOMException,
    );
    await again.promise;
    cancel.abort();
    await cancelled;
  });
});

Deno.test("a package that swells while it is unpacked on the way is dropped at the limit", async () => {
  const bomb = new Response(new Uint8Array(64 << 20)).body!.pipeThrough(new CompressionStream("gzip"));
  const packed = new Uint8Array(await new Response(bomb).arrayBuffer());
  assert(packed.length < 100_000, `${packed.length} bytes`);
  let most = 0;
  await serving(
    () => new Response(packed, { headers: { "content-encoding": "gzip" } }),
    async (url) => {
      const request = of(url, {
        maxBytes: 100_000,
        onProgress: (bytes) => void (most = Math.max(most, bytes)),
      });
      assertEquals(
        (await assertRejects(() => download(systemClock, request), DownloadError)).code,
        "too_large",
      );
    },
  );
  assert(most <= 100_000, `${most} bytes were kept`);
});

/** A body that gives its bytes and then breaks off, or says nothing any more until `end`. */
function broken(
  bytes: Uint8Array<ArrayBuffer>,
  end?: Promise<void>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(bytes),
    pull: async (controller) => {
      await end;
      try {
        controller.close();
      } catch {
        // nobody reads it any more
      }
    },
  });
}

/** Downloads by a clock that is turned on until it is over. */
async function bySteps(url: string, more: Partial<Download> = {}): Promise<Uint8Array | DownloadError> {
  const clock = new FakeClock();
  let over = false;
  const loading = download(clock, of(url, { size: BYTES.length, timeoutMs: 600_000, ...more }))
    .catch((error) => error).finally(() => over = true);
  while (!over) await clock.advance(250);
  assertEquals(clock.pendingTimers, 0);
  return await loading;
}

Deno.test("a connection that falls silent is taken up again, long before the time is over", async () => {
  const end = Promise.withResolvers<void>(), asked: (string | null)[] = [];
  const length = { "content-length": String(BYTES.length) };
  await serving((request) => {
    const range = request.headers.get("range");
    asked.push(range);
    return range === null
      ? new Response(broken(BYTES.slice(0, 1000), end.promise), { headers: length })
      : new Response(BYTES.slice(1000), { status: 206, headers: placeOf(1000) });
  }, async (url) => {
    assertEquals(await bySteps(url, { timeoutMs: 20_000 }), BYTES);
    end.resolve();
  });
  assertEquals(asked, [null, "bytes=1000-"]);
});

Deno.test("a server that fails while a download is taken up again is asked once more, and one that refuses is not", async () => {
  for (const [status, result] of [[503, "whole"], [429, "whole"], [404, "unreachable"]] as const) {
    let asked = 0;
    const headers = { "content-length": String(BYTES.length) };
    await serving(() => {
      asked++;
      if (asked === 1) return new Response(broken(BYTES.slice(0, 1000)), { headers });
      if (asked === 2) return new Response("not now", { status });
      return new Response(BYTES.slice(1000), { status: 206, headers: placeOf(1000) });
    }, async (url) => {
      const got = await bySteps(url);
      assertEquals(got instanceof DownloadError ? got.code : "whole", result, String(status));
      assertEquals(asked, result === "whole" ? 3 : 2);
    });
  }
});

Deno.test("a part from another place is not put behind what is there, and a file that changed begins anew", async () => {
  const changed = BYTES.map((byte) => byte ^ 1);
  const cases: [string, (request: Request) => Response, Uint8Array][] = [
    ["another place", () => new Response(BYTES.slice(2000), { status: 206, headers: placeOf(2000) }), BYTES],
    ["no place", () => new Response(BYTES.slice(1000), { status: 206 }), BYTES],
    ["another file", (request) => {
      assertEquals(request.headers.get("if-range"), '"one"');
      return new Response(changed, { headers: { etag: '"two"' } });
    }, changed],
  ];
  for (const [what, second, wanted] of cases) {
    let asked = 0;
    await serving((request) => {
      asked++;
      const headers = { "content-length": String(BYTES.length), etag: '"one"' };
      if (asked === 1) return new Response(broken(BYTES.slice(0, 1000)), { headers });
      if (asked === 2) return second(request);
      assertEquals(request.headers.get("range"), null, what);
      return new Response(BYTES, { headers });
    }, async (url) => assertEquals(await bySteps(url), wanted, what));
  }
  await serving(
    () => new Response(BYTES, { status: 206, headers: placeOf(0) }),
    async (url) => assertEquals((await bySteps(url) as DownloadError).code, "unreachable"),
  );
});
