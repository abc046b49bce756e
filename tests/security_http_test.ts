/**
 * Attacks on HTTP, of both roles: tokens of one kind shown as another, paths that lead elsewhere, floods of headers,
 * packed bodies, and callers that never finish their request.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ADMIN_TOKEN, type TestPlatform, testPlatform } from "./support/platform.ts";
import { GATEWAY_TOKEN, SN, type TestGateway, testGateway } from "./support/gateway.ts";
import { ScriptedPlatform } from "./support/scripted_platform.ts";
import { identity } from "./support/scripted_gateway.ts";

const PASSWORD = "correct horse battery";
const utf8 = new TextEncoder();

/** The status of a call with these headers. */
async function statusOf(url: string, headers: Record<string, string>, method = "GET"): Promise<number> {
  const response = await fetch(url, { method, headers, redirect: "manual" });
  await response.body?.cancel();
  return response.status;
}

/** A token of each kind, all good. */
async function tokens(p: TestPlatform): Promise<Record<string, string>> {
  const post = async (path: string, body: unknown, token?: string) => {
    const response = await fetch(p.url + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    });
    assertEquals(response.status, 201, `${path}: ${await response.clone().text()}`);
    return await response.json();
  };
  const person = { name: "li.wei", password: PASSWORD };
  await post("/app/v1/users", person);
  const app = await post("/app/v1/sessions", person);
  await post("/api/v1/operators", { ...person, role: "operator" }, ADMIN_TOKEN);
  const operator = await post("/api/v1/sessions", person);
  const key = await post("/api/v1/keys", { name: "k", permissions: ["gateways:read"] }, ADMIN_TOKEN);
  const signIn = await fetch(`${p.url}/sign-in`, {
    method: "POST",
    headers: { "sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ token: ADMIN_TOKEN }),
    redirect: "manual",
  });
  await signIn.body?.cancel();
  const [, console = ""] = /gatehouse_session=([^;]+)/.exec(signIn.headers.get("set-cookie") ?? "") ?? [];
  assert(
    console.startsWith("tok_"),
    `the console's cookie: ${signIn.status} ${signIn.headers.get("set-cookie")}`,
  );
  return {
    admin: ADMIN_TOKEN,
    app: app.token,
    refresh: app.refreshToken,
    operator: operator.token,
    key: key.key,
    console,
  };
}

Deno.test("a token of one kind opens nothing that another kind is for, however it is shown", async () => {
  await using p = await testPlatform();
  const t = await tokens(p);
  for (const [kind, token] of Object.entries(t)) {
    assert(typeof token === "string" && token.length > 16, `${kind}: ${token}`);
  }
  const doors = {
    operators: "/api/v1/gateways",
    people: "/api/v1/operators",
    app: "/app/v1/gateways",
  };
  const opens: Record<string, string[]> = {};
  for (const [kind, token] of Object.entries(t)) {
    opens[kind] = [];
    for (const [door, path] of Object.entries(doors)) {
      const status = await statusOf(p.url + path, { authorization: `Bearer ${token}` });
      assert([200, 401, 403].includes(status), `${kind} at ${door}: ${status}`);
      if (status === 200) opens[kind].push(door);
    }
  }
  assertEquals(opens, {
    admin: ["operators", "people"],
    app: ["app"],
    refresh: [],
    operator: ["operators"],
    key: ["operators"],
    console: [],
  });
  // A cookie is no token of the API, in whatever header a token would do.
  for (const [kind, token] of Object.entries(t)) {
    for (
      const headers of [
        { cookie: `gatehouse_session=${token}` },
        { cookie: `authorization=Bearer ${token}` },
        { authorization: `Basic ${btoa(`admin:${token}`)}` },
        { authorization: token },
        { "x-api-key": token },
      ]
    ) {
      assertEquals(
        await statusOf(p.url + doors.operators, headers),
        401,
        `${kind} as ${Object.keys(headers)[0]}`,
      );
    }
    assertEquals(
      await statusOf(`${p.url}${doors.operators}?access_token=${token}&token=${token}`, {}),
      401,
      kind,
    );
  }
  // Only the console takes its cookie; what is none of its own shows the way to the sign-in, or is refused.
  assertEquals(await statusOf(`${p.url}/gateways`, { cookie: `gatehouse_session=${t["console"]}` }), 200);
  for (const kind of ["app", "refresh"]) {
    const status = await statusOf(`${p.url}/gateways`, { cookie: `gatehouse_session=${t[kind]}` });
    assert(status !== 200 && status < 500, `${kind} in the console's cookie: ${status}`);
  }
  // A token with none of its letters changed but their case, or with something behind it, is another one.
  for (const bad of [t["key"]!.toUpperCase(), `${t["key"]}A`, t["key"]!.slice(0, -1), `${t["key"]}%00`]) {
    assertEquals(await statusOf(p.url + doors.operators, { authorization: `Bearer ${bad}` }), 401, bad);
  }
});

Deno.test("a form that another site sends with the console's cookie is refused, whatever it says of its origin", async () => {
  await using p = await testPlatform();
  const { console } = await tokens(p);
  const base = {
    cookie: `gatehouse_session=${console}`,
    "content-type": "application/x-www-form-urlencoded",
  };
  const forgeries: Record<string, string>[] = [
    {},
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "none" },
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: `${p.url}.evil.example` },
    { referer: p.url },
  ];
  for (const headers of forgeries) {
    assertEquals(
      await statusOf(`${p.url}/sign-out`, { ...base, ...headers }, "POST"),
      403,
      JSON.stringify(headers),
    );
  }
  assertEquals(await statusOf(`${p.url}/gateways`, base), 200, "nobody was signed out");
});

/** Sends bytes as they are; what comes back until the end, or until `ms` are over. */
async function rawly(url: string, text: string | Uint8Array, ms = 10_000): Promise<string> {
  const { hostname, port } = new URL(url);
  using conn = await Deno.connect({ hostname, port: Number(port) });
  const bytes = typeof text === "string" ? utf8.encode(text) : text;
  const writing = (async () => {
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
  })().catch(() => {});
  const timer = setTimeout(() => conn.close(), ms);
  const chunk = new Uint8Array(65536);
  let heard = "";
  try {
    for (let n; (n = await conn.read(chunk).catch(() => null)) !== null;) {
      heard += new TextDecoder().decode(chunk.subarray(0, n));
      if (heard.includes("\r\n\r\n")) break;
    }
  } finally {
    clearTimeout(timer);
  }
  await Promise.race([writing, new Promise<void>((resolve) => resolve())]);
  return heard;
}

function controlUrl({ gateway }: TestGateway): string {
  return `http://127.0.0.1:${gateway.control.port}`;
}

/** Both roles' HTTP. */
async function both(
  test: (role: string, url: string, token: string, path: string) => Promise<void>,
): Promise<void> {
  {
    await using p = await testPlatform();
    await test("platform", p.url, ADMIN_TOKEN, "/api/v1/gateways");
  }
  await using scripted = new ScriptedPlatform(SN);
  await using gateway = await testGateway(scripted);
  await test("gateway", controlUrl(gateway), GATEWAY_TOKEN, "/api/v1/status");
}

Deno.test("paths that climb out of where they begin find nothing, at every door that serves files or takes names", () =>
  both(async (role, url, token) => {
    const doors = ["/assets/", "/assets/000000000000/", "/downloads/", "/api/v1/plugins/", "/"];
    const climbs = [
      "../../../../etc/passwd",
      "..%2f..%2f..%2f..%2fetc%2fpasswd",
      "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
      "..%5c..%5cetc%5cpasswd",
      "....//....//etc/passwd",
      "%252e%252e%252fetc%252fpasswd",
      "..;/..;/etc/passwd",
      "%00/etc/passwd",
      "%c0%ae%c0%ae/etc/passwd",
      "/etc/passwd",
      "admin.token",
      "..%2fadmin.token",
    ];
    for (const door of doors) {
      for (const climb of climbs) {
        const answer = await rawly(
          url,
          `GET ${door}${climb} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
        );
        const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
        assert(
          [303, 307, 308, 400, 404, 405, 422].includes(status),
          `${role} ${door}${climb}: ${answer.slice(0, 200)}`,
        );
        assert(!answer.includes("root:") && !answer.includes(token), `${role} ${door}${climb}`);
      }
    }
  }));

Deno.test("floods of headers, huge headers and huge addresses are turned away, and others are served", () =>
  both(async (role, url, token, path) => {
    const many = Array.from({ length: 20_000 }, (_, i) => `X-${i}: y`).join("\r\n");
    const attacks: Record<string, string> = {
      "20,000 headers": `GET ${path} HTTP/1.1\r\nHost: x\r\n${many}\r\n\r\n`,
      "a header of 4 MB": `GET ${path} HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(4 << 20)}\r\n\r\n`,
      "an address of 4 MB": `GET ${path}?${"a".repeat(4 << 20)} HTTP/1.1\r\nHost: x\r\n\r\n`,
      "a token of 64 KB": `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${
        "a".repeat(65536)
      }\r\n\r\n`,
      "two lengths":
        `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`,
      "a length and chunks": `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n` +
        `Transfer-Encoding: gzip, chunked, x\r\n\r\nhello`,
    };
    for (const [what, attack] of Object.entries(attacks)) {
      const answer = await rawly(url, attack);
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? "400"); // closed without a word is refused too
      assert(status >= 400 && status < 500, `${role}, ${what}: ${answer.slice(0, 200)}`);
    }
    assertEquals(await statusOf(url + path, { authorization: `Bearer ${token}` }), 200);
  }));

Deno.test("a packed body is not unpacked: what it would swell to costs nobody anything", async () => {
  await using p = await testPlatform();
  const bomb = new Response(new Uint8Array(64 << 20)).body!.pipeThrough(new CompressionStream("gzip"));
  const packed = new Uint8Array(await new Response(bomb).arrayBuffer());
  const one = new Response(JSON.stringify(identity(70))).body!.pipeThrough(new CompressionStream("gzip"));
  const small = new Uint8Array(await new Response(one).arrayBuffer());
  for (const body of [packed, small]) {
    const response = await fetch(`${p.url}/api/v1/gateways`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${ADMIN_TOKEN}`,
        "content-type": "application/json",
        "content-encoding": "gzip",
      },
      body,
    });
    await response.body?.cancel();
    assert([400, 415].includes(response.status), String(response.status));
  }
  assertEquals((await p.call("GET", `/api/v1/gateways/${identity(70).mac}`)).status, 404);
});

Deno.test("callers that never finish their request's head keep nobody else from being served", () =>
  both(async (role, url, token, path) => {
    const { hostname, port } = new URL(url), held: Deno.Conn[] = [];
    try {
      for (let i = 0; i < 400; i++) {
        const conn = await Deno.connect({ hostname, port: Number(port) });
        held.push(conn);
        await conn.write(utf8.encode(`GET ${path} HTTP/1.1\r\nHost: x\r\nX-Slow: `));
      }
      for (let i = 0; i < 20; i++) {
        assertEquals(await statusOf(url + path, { authorization: `Bearer ${token}` }), 200, role);
        for (const conn of held) await conn.write(utf8.encode("y")).catch(() => {});
      }
    } finally {
      for (const conn of held) conn.close();
    }
  }));

Deno.test("names of plug-ins that are paths are refused wherever they come from", async () => {
  await using scripted = new ScriptedPlatform(SN);
  await using gateway = await testGateway(scripted);
  for (const name of ["..", "../x", "a/../../x", "%2e%2e", "/etc/x", "a\\b", ".hidden", "x\u0000y"]) {
    for (const [method, action] of [["POST", "/run"], ["POST", "/stop"], ["DELETE", ""]] as const) {
      const { status } = await gateway.control(
        method,
        `/api/v1/plugins/${encodeURIComponent(name)}${action}`,
      );
      assert([400, 404, 405, 422].includes(status), `${method} ${name}${action}: ${status}`);
    }
  }
  const source = `export const manifest = { name: "../../evil", version: "1.0", apiVersion: "2026-11-01" };`;
  const response = await fetch(`${controlUrl(gateway)}/api/v1/plugins`, {
    method: "POST",
    headers: { authorization: `Bearer ${GATEWAY_TOKEN}`, "content-type": "text/javascript" },
    body: source,
  });
  assertStringIncludes(await response.text(), "name");
  assert(response.status >= 400 && response.status < 500, String(response.status));
  for await (const { name } of Deno.readDir(gateway.folder)) assert(!name.includes("evil"), name);
});
