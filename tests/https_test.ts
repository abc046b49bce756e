/**
 * A platform that speaks HTTPS by itself, and one that stands behind a proxy which does.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { makeCertificate } from "../src/control/testing/certificate.ts";
import { parseNetwork } from "../src/net/mod.ts";
import { ADMIN_TOKEN, testPlatform } from "./support/platform.ts";

const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };

/** Signs in at the console with the administrator's token; gives the session's cookie. */
async function signIn(url: string, init: RequestInit & { client?: Deno.HttpClient } = {}): Promise<string> {
  const response = await fetch(`${url}/sign-in`, {
    ...init,
    method: "POST",
    headers: { "sec-fetch-site": "same-origin", ...init.headers as Record<string, string> },
    body: new URLSearchParams({ token: ADMIN_TOKEN }),
    redirect: "manual",
  });
  await response.body?.cancel();
  assertEquals(response.status, 303);
  return response.headers.get("set-cookie") ?? "";
}

Deno.test("with a certificate the platform speaks HTTPS, its cookies are Secure, and downloads may go without", async () => {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-https-" });
  const tls = await makeCertificate(dir, "platform");
  const downloads = { host: "127.0.0.1", port: 0 };
  try {
    await using platform = await testPlatform({ settings: { tls, downloads } });
    using client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(tls.cert)] });
    const url = platform.url.replace("http:", "https:");
    const me = await fetch(`${url}/api/v1/me`, { client, headers: admin });
    assertEquals([me.status, (await me.json()).kind], [200, "admin"]);
    assertStringIncludes(await signIn(url, { client }), "Secure");
    const source = `export const manifest = { name: "com.example.fetched", version: "1.0",
      apiVersion: "2026-11-01", commands: { A: { right: "remote" } } };
      export const commands = { A: () => ({}) };`;
    const added = await fetch(`${url}/api/v1/plugins`, {
      client,
      method: "POST",
      headers: { ...admin, "content-type": "text/javascript" },
      body: source,
    });
    const plain = `http://127.0.0.1:${platform.ports.downloads}`;
    const { sha256 } = await added.json();
    assertEquals(added.status, 201);
    assertEquals(await (await fetch(`${plain}/downloads/${sha256}.js`)).text(), source);
    // Nothing else is there.
    const other = await fetch(`${plain}/api/v1/me`, { headers: admin });
    await other.body?.cancel();
    assertEquals(other.status, 404);
    assert(platform.platform.addresses.some((address) => address.startsWith("http https ")));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("behind a trusted proxy the audit names the caller, and cookies are Secure where the proxy speaks TLS", async () => {
  const trustedProxies = [parseNetwork("127.0.0.0/8")!];
  await using platform = await testPlatform({ settings: { trustedProxies } });
  const proxied = { "x-forwarded-for": "198.51.100.1, 203.0.113.9", "x-forwarded-proto": "https" };
  assertStringIncludes(await signIn(platform.url, { headers: proxied }), "Secure");
  assert(!(await signIn(platform.url, { headers: { "x-forwarded-proto": "http" } })).includes("Secure"));
  const made = await fetch(`${platform.url}/api/v1/groups`, {
    method: "POST",
    headers: { ...admin, ...proxied, "content-type": "application/json" },
    body: JSON.stringify({ name: "north" }),
  });
  assertEquals(made.status, 201, await made.text());
  const { body } = await platform.call("GET", "/api/v1/audit?limit=1");
  assertEquals((body.items as { address: string }[])[0]!.address, "203.0.113.9");
});

Deno.test("without a trusted proxy the headers change nothing, and each caller behind one has a limit of its own", async () => {
  const forwarded = (address: string) => ({ headers: { "x-forwarded-for": address } });
  const wrongSignIns = async (url: string, address: (n: number) => string) => {
    const statuses = new Set<number>();
    for (let n = 0; n < 110; n++) {
      const response = await fetch(`${url}/api/v1/me`, {
        headers: { authorization: `Bearer wrong-token-${n}`, ...forwarded(address(n)).headers },
      });
      await response.body?.cancel();
      statuses.add(response.status);
    }
    return [...statuses].sort();
  };
  await using bare = await testPlatform();
  // A guesser can't get round the limit by naming others.
  assertEquals(await wrongSignIns(bare.url, (n) => `203.0.113.${n}`), [401, 429]);
  await using behind = await testPlatform({ settings: { trustedProxies: [parseNetwork("127.0.0.1")!] } });
  assertEquals(await wrongSignIns(behind.url, () => "203.0.113.9"), [401, 429]);
  assertEquals(await wrongSignIns(behind.url, (n) => `198.51.${n}.1`), [401]);
});
