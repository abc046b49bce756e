import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { systemClock } from "../../../base/mod.ts";
import { DriverError } from "../errors.ts";
import { SystemRunner } from "../linux/run.ts";
import { parsePing, ping, traceroute } from "./ping.ts";

const OPTIONS = { count: 2, size: 56, signal: new AbortController().signal };
const IPUTILS = `PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data.
64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.031 ms

--- 127.0.0.1 ping statistics ---
2 packets transmitted, 2 received, 0% packet loss, time 1001ms
rtt min/avg/max/mdev = 0.031/0.035/0.040/0.004 ms
`;
const BUSYBOX = `PING 127.0.0.1 (127.0.0.1): 56 data bytes

--- 127.0.0.1 ping statistics ---
4 packets transmitted, 3 packets received, 25% packet loss
round-trip min/avg/max = 0.100/0.200/0.300 ms
`;

const programAt = (ping: string) => new SystemRunner({ clock: systemClock, paths: { ping } });

/** A program that stands in for ping: a shell script in a folder of its own. */
async function withProgram(script: string, test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/ping`;
  await Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  try {
    await test(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the summaries of iputils and busybox are understood", () => {
  assertEquals(parsePing(IPUTILS), { sent: 2, received: 2, minMs: 0.031, avgMs: 0.035, maxMs: 0.04 });
  assertEquals(parsePing(BUSYBOX), { sent: 4, received: 3, minMs: 0.1, avgMs: 0.2, maxMs: 0.3 });
  assertEquals(parsePing("2 packets transmitted, 0 received, 100% packet loss\n"), { sent: 2, received: 0 });
  assertEquals(parsePing("ping: unknown host"), undefined);
});

Deno.test("a ping is run with these arguments and no others", async () => {
  await withProgram(`echo "$@" > "$0.args"\ncat <<'END'\n${IPUTILS}END`, async (path) => {
    assertEquals((await ping(programAt(path), "host.example", OPTIONS)).received, 2);
    assertEquals((await Deno.readTextFile(`${path}.args`)).trim(), "-c 2 -s 56 -W 2 -w 5 host.example");
  });
});

Deno.test("a destination can't pass for an option or a command", async () => {
  const bad = [
    "-f",
    "",
    "a b",
    "$(id)",
    "a;id",
    "host..example",
    "x".repeat(300),
    "--help",
    "-c1",
    "a\nb",
    "[::1]",
  ];
  for (const destination of bad) {
    const error = await assertRejects(
      () => ping(programAt("/nowhere/ping"), destination, OPTIONS),
      DriverError,
      undefined,
      destination,
    );
    assertEquals(error.code, "invalid", destination);
  }
  for (const [count, size] of [[0, 56], [21, 56], [1.5, 56], [4, -1], [4, 1473], [NaN, 56]]) {
    await assertRejects(
      () => ping(programAt("/nowhere/ping"), "127.0.0.1", { ...OPTIONS, count: count!, size: size! }),
      DriverError,
    );
  }
});

Deno.test("a machine without ping says so", async () => {
  const error = await assertRejects(
    () => ping(programAt("/nowhere/ping"), "127.0.0.1", OPTIONS),
    DriverError,
  );
  assertEquals([error.code, error.message], ["unsupported", "there is no ping on this machine"]);
});

Deno.test("what ping complains about is the reason", async () => {
  await withProgram(`echo "ping: host.example: Name or service not known" >&2; exit 2`, async (path) => {
    const error = await assertRejects(() => ping(programAt(path), "host.example", OPTIONS), DriverError);
    assertStringIncludes(error.message, "Name or service not known");
  });
});

Deno.test("a ping whose asker goes away is killed, and no more than four run at once", async () => {
  await withProgram("exec sleep 30", async (path) => {
    const gone = new AbortController();
    const running = Array.from(
      { length: 4 },
      () =>
        assertRejects(
          () => ping(programAt(path), "127.0.0.1", { ...OPTIONS, signal: gone.signal }),
          DriverError,
        ),
    );
    const busy = await assertRejects(() => ping(programAt(path), "127.0.0.1", OPTIONS), DriverError);
    assertEquals(busy.code, "busy");
    gone.abort();
    await Promise.all(running);
  });
});

Deno.test("output without end is cut off", async () => {
  await withProgram("head -c 3000000 /dev/zero | tr '\\\\0' x", async (path) => {
    await assertRejects(() => ping(programAt(path), "127.0.0.1", OPTIONS), DriverError, "no result");
  });
});

Deno.test("the way to a destination is found hop by hop, with a router that says nothing among them", async () => {
  const script = `case "$5" in
1) echo "From 10.0.0.1 icmp_seq=1 Time to live exceeded"; echo; echo "1 packets transmitted, 0 received"; exit 1;;
2) echo "1 packets transmitted, 0 received, 100% packet loss"; exit 1;;
3) echo "From 2001:db8::1: icmp_seq=1 Hop limit exceeded"; exit 1;;
*) echo "64 bytes from 192.0.2.9: icmp_seq=1 ttl=61 time=4.5 ms"; echo "$@" >&2;;
esac`;
  const { signal } = OPTIONS;
  await withProgram(script, async (path) => {
    const hops = await traceroute(systemClock, programAt(path), "host.example", { maxHops: 9, signal });
    assertEquals(hops.map(({ hop, address }) => [hop, address]), [
      [1, "10.0.0.1"],
      [2, undefined],
      [3, "2001:db8::1"],
      [4, "192.0.2.9"],
    ]);
    assertEquals(hops[3]?.ms, 4.5);
    assertEquals(
      (await traceroute(systemClock, programAt(path), "host.example", { maxHops: 2, signal })).length,
      2,
    );
  });
});

Deno.test("no destination or number of hops reaches ping as something else", async () => {
  const { signal } = OPTIONS;
  for (const destination of ["", "-f", "a b", "$(id)", "a;b", "x".repeat(300)]) {
    await assertRejects(
      () => traceroute(systemClock, programAt("/nowhere/ping"), destination, { maxHops: 3, signal }),
      DriverError,
      "not a host name",
    );
  }
  for (const maxHops of [0, 31, 1.5, NaN]) {
    await assertRejects(
      () => traceroute(systemClock, programAt("/nowhere/ping"), "127.0.0.1", { maxHops, signal }),
      DriverError,
      "maxHops",
    );
  }
});
