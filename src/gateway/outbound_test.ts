import { assertEquals, assertRejects } from "@std/assert";
import { mayFetchFrom, platformFetcher, type Surroundings } from "./outbound.ts";

/** A gateway with a home behind it and a carrier's private network before it. */
const HOME: Surroundings = {
  interfaces: () => [
    { name: "lo", address: "127.0.0.1", prefix: 8 },
    { name: "br0", address: "192.168.1.1", prefix: 24 },
    { name: "br0", address: "fd00::1", prefix: 64 },
    { name: "wan", address: "10.9.0.5", prefix: 16 },
    { name: "wan", address: "8.8.4.4", prefix: 24 },
  ],
  lan: () => [
    { name: "br0", address: "192.168.1.1", prefix: 24 },
    { name: "br0", address: "fd00::1", prefix: 64 },
  ],
  platform: () => "10.1.2.3",
};

Deno.test("what a platform names is fetched from the carrier's side, not out of the home or the gateway itself", () => {
  for (
    const open of ["10.1.2.3", "10.9.0.7", "172.16.0.9", "192.168.2.1", "8.8.8.8", "2400:3200::1", "fd01::1"]
  ) {
    assertEquals(mayFetchFrom(open, HOME), true, open);
  }
  const closed = [
    ...["127.0.0.1", "127.8.9.1", "0.0.0.0", "::1", "::", "169.254.169.254", "fe80::1", "fe80::1%br0"],
    ...["192.168.1.1", "192.168.1.77", "fd00::77", "10.9.0.5", "8.8.4.4", "224.0.0.1", "255.255.255.255"],
    ...[
      "::ffff:127.0.0.1",
      "::ffff:192.168.1.77",
      "::ffff:c0a8:14d",
      "64:ff9b::c0a8:14d",
      "2002:c0a8:14d::1",
    ],
  ];
  for (const address of closed) assertEquals(mayFetchFrom(address, HOME), false, address);
  assertEquals(mayFetchFrom("8.8.8.8", { ...HOME, platform: () => undefined }), true);
});

Deno.test("where the platform itself is may always be fetched from, also on this machine or in its only network", () => {
  const at = (platform: string): Surroundings => ({ ...HOME, platform: () => platform });
  assertEquals(mayFetchFrom("127.0.0.1", at("127.0.0.1")), true);
  assertEquals(mayFetchFrom("::1", at("127.0.0.1")), true);
  assertEquals(
    mayFetchFrom("192.168.1.77", at("192.168.1.50")),
    true,
    "one network: it is not only the home's",
  );
  assertEquals(mayFetchFrom("127.0.0.1", at("192.168.1.50")), false);
  assertEquals(mayFetchFrom("192.168.1.1", at("192.168.1.50")), false, "the gateway itself");
});

Deno.test("the connection goes to the address that was judged, and a name that leads into the home is not followed", async () => {
  const asked: string[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    asked.push(request.headers.get("host") ?? "");
    return new Response("a package");
  });
  const port = server.addr.port, url = `http://files.example:${port}/p.js`;
  const answers = ["127.0.0.1", "192.168.1.77"], names: string[] = [];
  const lookup = (
    host: string,
  ) => (names.push(host), Promise.resolve(answers[names.length - 1] ?? "192.168.1.77"));
  const fetcher = platformFetcher(lookup, { ...HOME, platform: () => "127.0.0.1" });
  assertEquals(await fetcher(url, {}, (response) => response.text()), "a package");
  assertEquals(
    [names, asked],
    [["files.example"], [`files.example:${port}`]],
    "looked up once, and that is where it went",
  );
  const error = await assertRejects(() => fetcher(url, {}, (response) => response.text()), Error);
  assertEquals((error as Error & { code?: string }).code, "closed");
  assertEquals(asked.length, 1);
});

Deno.test("addresses that are written in other ways are the same addresses, and a redirection is not followed", async () => {
  const seen: string[] = [];
  const lookup = (host: string) => (seen.push(host), Promise.resolve(host));
  const fetcher = platformFetcher(lookup, HOME);
  for (
    const host of [
      "2130706433",
      "0x7f.1",
      "0177.0.0.1",
      "127.1",
      "[::ffff:127.0.0.1]",
      "[::1]",
      "[::ffff:7f00:1]",
    ]
  ) {
    const error = await assertRejects(() => fetcher(`http://${host}:9/x`, {}, (r) => r.text()), Error);
    assertEquals((error as Error & { code?: string }).code, "closed", `${host} became ${seen.at(-1)}`);
  }
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(null, { status: 302, headers: { location: "http://192.168.1.77/" } }),
  );
  const near = platformFetcher(lookup, { ...HOME, platform: () => "127.0.0.1" });
  await assertRejects(() => near(`http://127.0.0.1:${server.addr.port}/`, {}, (r) => r.text()), TypeError);
});
