import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createLog, FakeClock, GatehouseError, Metrics, silentLog, systemClock } from "../base/mod.ts";
import type { ClientInfo } from "./passage.ts";
import { type HttpService, serveHttp, type ServeOptions } from "./mod.ts";
import { makeCertificate, type TestCertificate } from "./testing/certificate.ts";

async function setUp(
  options: Omit<NonNullable<ServeOptions["tls"]>, "cert" | "key"> = {},
  answer: (request: Request, client: ClientInfo) => Promise<Response> = () =>
    Promise.resolve(new Response("hello")),
  clock = systemClock,
) {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-tls-" });
  const [one, two] = await Promise.all([makeCertificate(dir, "one"), makeCertificate(dir, "two")]);
  const files = { cert: `${dir}/cert.pem`, key: `${dir}/key.pem` };
  const use = async (certificate: TestCertificate) => {
    await Deno.copyFile(certificate.cert, files.cert);
    await Deno.copyFile(certificate.key, files.key);
  };
  await use(one);
  const lines: string[] = [];
  const log = createLog({
    level: "info",
    format: "text",
    clock: systemClock,
    write: (line) => lines.push(line),
  });
  const deps = { clock, log, metrics: new Metrics() };
  const server = serveHttp(deps, { fetch: answer }, { host: "127.0.0.1", port: 0 }, {
    tls: { ...files, ...options },
    graceMs: 2000,
  });
  const caCerts = [one, two].map(({ cert }) => Deno.readTextFileSync(cert));
  return {
    ...{ server, dir, one, two, files, use, lines, metrics: deps.metrics },
    client: () => Deno.createHttpClient({ caCerts }),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** The name in the certificate that a new connection is shown. */
async function shownBy({ address }: HttpService): Promise<string | undefined> {
  const { stdout } = await new Deno.Command("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${address.port}`],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).output();
  return /^subject=.*CN *= *(\w+)/m.exec(new TextDecoder().decode(stdout))?.[1];
}

async function eventually(done: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !await done(); tries++) {
    assert(tries < 2000, "it never came to be");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("a server with a certificate answers over TLS, says https, and knows who asks", async () => {
  const seen: ClientInfo[] = [];
  await using up = await setUp({}, (_request, client) => {
    seen.push(client);
    return Promise.resolve(new Response("hello"));
  });
  using client = up.client();
  const answer = await fetch(up.server.url, { client });
  assertEquals([await answer.text(), answer.status], ["hello", 200]);
  assertEquals([seen[0]!.address, seen[0]!.secure], ["127.0.0.1", true]);
  assertEquals(up.server.addresses, [`https 127.0.0.1:${up.server.address.port}`]);
  assertStringIncludes(up.metrics.render(), "gatehouse_tls_certificate_expires_seconds 1");
});

Deno.test("certificates change under load without one request that fails, and open connections go on", async () => {
  const held = Promise.withResolvers<void>(), holding = Promise.withResolvers<void>();
  await using up = await setUp({}, async (request) => {
    if (new URL(request.url).pathname !== "/held") return new Response("hello");
    holding.resolve();
    await held.promise;
    return new Response("held over every change");
  });
  using waiting = up.client();
  const answer = fetch(`${up.server.url}/held`, { client: waiting });
  await holding.promise;
  let stop = false, answered = 0;
  const failures: unknown[] = [];
  const load = async (anew: boolean) => {
    let client = up.client();
    while (!stop) {
      if (anew) {
        client.close();
        client = up.client();
      }
      try {
        assertEquals(await (await fetch(up.server.url, { client })).text(), "hello");
        answered++;
      } catch (error) {
        failures.push(error);
      }
    }
    client.close();
  };
  const changes = () => up.lines.filter((line) => line.includes("a new certificate is in force")).length;
  const callers = [load(true), load(false), load(true), load(false)];
  for (let change = 0; change < 12; change++) {
    const before = answered;
    await up.use(change % 2 === 0 ? up.two : up.one);
    Deno.kill(Deno.pid, "SIGHUP");
    await eventually(() => changes() === change + 1 && answered > before + 20);
  }
  assertEquals(await shownBy(up.server), "one");
  stop = true;
  await Promise.all(callers);
  assertEquals(failures, []);
  held.resolve();
  // Twelve changes later its server is one of the oldest, and was asked to close: in good order.
  assertEquals(await (await answer).text(), "held over every change");
});

Deno.test("the files are looked at without a signal, by whatever link or rename they change", async () => {
  const clock = new FakeClock();
  await using up = await setUp({}, undefined, clock);
  assertEquals(await shownBy(up.server), "one");
  // As certbot does: the names stay, and are links to others from now on.
  await Deno.remove(up.files.cert);
  await Deno.remove(up.files.key);
  await Deno.symlink(up.two.cert, up.files.cert);
  await Deno.symlink(up.two.key, up.files.key);
  await clock.advance(10_000);
  assertEquals(await shownBy(up.server), "two");
  await Deno.copyFile(up.one.cert, `${up.dir}/new.pem`);
  await Deno.rename(`${up.dir}/new.pem`, up.files.cert);
  await clock.advance(10_000);
  assertEquals(await shownBy(up.server), "two"); // only half of the pair has come
  await Deno.copyFile(up.one.key, `${up.dir}/new.pem`);
  await Deno.rename(`${up.dir}/new.pem`, up.files.key);
  await clock.advance(10_000);
  assertEquals(await shownBy(up.server), "one");
});

Deno.test("a bad pair leaves the certificate in force, and the log says once why", async () => {
  const clock = new FakeClock();
  await using up = await setUp({}, undefined, clock);
  const spoil: Record<string, () => Promise<void>> = {
    "keys may not be consistent": () => Deno.copyFile(up.two.cert, up.files.cert),
    "PEM": () => Deno.writeTextFile(up.files.cert, "no certificate"),
    "No such file": () => Deno.remove(up.files.cert),
    "is no PEM file": () => Deno.mkdir(up.files.cert),
  };
  for (const [reason, act] of Object.entries(spoil)) {
    up.lines.length = 0;
    await act();
    await clock.advance(10_000);
    await clock.advance(10_000);
    const said = up.lines.filter((line) => line.includes("the certificate stays as it was"));
    assertEquals(said.length, 1, `${reason}: ${up.lines}`);
    if (reason !== "PEM") assertStringIncludes(said[0]!, reason);
    assertEquals(await shownBy(up.server), "one", reason);
  }
});

Deno.test("a server does not start with files that are no certificate and key", async () => {
  await using up = await setUp();
  const start = (cert: string, key: string) => () =>
    serveHttp(
      { clock: systemClock, log: silentLog, metrics: new Metrics() },
      { fetch: () => Promise.resolve(new Response()) },
      { host: "127.0.0.1", port: 0 },
      { tls: { cert, key } },
    );
  const cases: readonly (readonly [cert: string, key: string])[] = [
    [up.one.cert, up.two.key],
    [up.one.key, up.one.cert],
    ["/nowhere.pem", up.one.key],
    ["/dev/zero", up.one.key],
  ];
  for (const files of cases) {
    const error = assertThrows(start(...files), GatehouseError);
    assertEquals(error.code, "tls_files");
    assertStringIncludes(error.message, files[0]);
  }
});

Deno.test("a caller that never gets to a request is cut off, at most so many are connected", async () => {
  const clock = new FakeClock();
  await using up = await setUp({ limits: { connections: 2, firstRequestMs: 5000 } }, undefined, clock);
  const { port } = up.server.address;
  const silent = await Promise.all([0, 1].map(() => Deno.connect({ hostname: "127.0.0.1", port })));
  await eventually(() => up.metrics.render().includes("gatehouse_tls_connections 2"));
  await eventually(() => clock.pendingTimers >= 3);
  using client = up.client();
  let answered = false;
  const third = fetch(up.server.url, { client }).then((response) => {
    answered = true;
    return response.text();
  });
  await clock.advance(4999);
  assertEquals(answered, false);
  await clock.advance(1);
  assertEquals(await third, "hello");
  for (const one of silent) {
    assertEquals(await one.read(new Uint8Array(1)).catch(() => null), null);
    one.close();
  }
});

Deno.test("the port behind the open one serves nobody who comes to it directly", async () => {
  let inner = 0;
  const { serve } = Deno;
  // The port is nobody's business, so the test watches it being opened.
  Deno.serve = ((...args: Parameters<typeof serve>) => {
    const server = serve(...args);
    inner = (server.addr as Deno.NetAddr).port;
    return server;
  }) as typeof serve;
  try {
    await using up = await setUp();
    using client = up.client();
    const answer = await fetch(`https://127.0.0.1:${inner}/`, { client });
    await answer.body?.cancel();
    assertEquals(answer.status, 421);
  } finally {
    Deno.serve = serve;
  }
});

Deno.test("a stop of a server with TLS lets work in progress finish and closes what sits there", async () => {
  const entered = Promise.withResolvers<void>(), gate = Promise.withResolvers<void>();
  await using up = await setUp({}, async () => {
    entered.resolve();
    await gate.promise;
    return new Response("worked");
  });
  using client = up.client();
  const silent = await Deno.connect({ hostname: "127.0.0.1", port: up.server.address.port });
  const work = fetch(up.server.url, { client });
  await entered.promise;
  const stopped = up.server[Symbol.asyncDispose]();
  gate.resolve();
  assertEquals(await (await work).text(), "worked");
  await stopped;
  assertEquals(await silent.read(new Uint8Array(1)).catch(() => null), null);
  silent.close();
});
