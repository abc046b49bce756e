import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { FakeClock, GatehouseError, silentLog, systemClock } from "../../base/mod.ts";
import { DriverError, type Firmware, type Power } from "../driver/mod.ts";
import { Upgrades } from "./upgrade.ts";

/** A server whose answer to anything is `answer`, and upgrades that are noted. */
async function bench(answer: (request: Request) => Response, limits = { maxBytes: 1000, timeoutMs: 60_000 }) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  const dir = await Deno.makeTempDir();
  const took: Firmware[] = [];
  const power: Pick<Power, "check" | "upgrade"> = {
    check: () => {},
    upgrade: async (firmware) => {
      assert((await Deno.stat(firmware.path)).size > 0);
      took.push(firmware);
    },
  };
  const upgrades = new Upgrades({ clock: systemClock, log: silentLog, power: power as Power, dir, limits });
  const order = (id: string, digest?: string) => ({
    id,
    url: `http://127.0.0.1:${server.addr.port}/fw`,
    digest,
    mode: "1",
    method: "2",
  });
  return {
    upgrades,
    took,
    order,
    run: async (id: string, digest?: string) => {
      upgrades.start(order(id, digest));
      await upgrades.idle();
      return upgrades.status;
    },
    left: () => Array.fromAsync(Deno.readDir(dir), ({ name }) => name),
    [Symbol.asyncDispose]: async () => {
      await upgrades[Symbol.asyncDispose]();
      await server.shutdown();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

Deno.test("a firmware that is right is handed to the machine, and its file is gone afterwards", async () => {
  await using test = await bench(() => new Response("firmware"));
  const sha = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode("firmware")))
    .toHex();
  assertEquals((await test.run("a", `sha256:${sha.toUpperCase()}`)).state, "succeeded");
  assertEquals(test.took.map(({ mode, method }) => [mode, method]), [["1", "2"]]);
  assertEquals(await test.left(), []);
  assertEquals(test.upgrades.start(test.order("a")).state, "succeeded", "asked again, not done again");
  assertEquals(test.took.length, 1);
});

Deno.test("a firmware that is too large, another, cut, moved or empty never reaches the machine", async () => {
  const endless = () =>
    new Response(
      new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(400)) }, {
        highWaterMark: 0,
      }),
    );
  for (
    const [answer, reason] of [
      [() => new Response(new Uint8Array(1001)), /more than 1000 bytes/],
      [endless, /more than 1000 bytes/],
      [
        () => new Response(null, { status: 302, headers: { location: "http://192.168.1.1/" } }),
        /can't be fetched|302/,
      ],
      [() => new Response("", { status: 200 }), /empty/],
      [() => new Response("x", { status: 500 }), /answered 500/],
    ] as const
  ) {
    await using test = await bench(answer);
    const { state, reason: why } = await test.run("a");
    assertEquals([state, test.took.length, await test.left()], ["failed", 0, []]);
    assertMatch(why, reason);
  }
  await using test = await bench(() => new Response("firmware"));
  assertMatch((await test.run("a", `sha256:${"0".repeat(64)}`)).reason, /another digest/);
  assertEquals([test.took.length, await test.left()], [0, []]);
});

Deno.test("a server that sends drop by drop is left when the time is over, one at a time", async () => {
  const clock = new FakeClock(), sending = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new Uint8Array(1));
          sending.resolve();
        },
      }),
    ));
  const dir = await Deno.makeTempDir(), power = { check: () => {} } as unknown as Power;
  await using upgrades = new Upgrades({
    clock,
    log: silentLog,
    power,
    dir,
    limits: { maxBytes: 100, timeoutMs: 5000 },
  });
  const order = { url: `http://127.0.0.1:${server.addr.port}/`, digest: undefined, mode: "", method: "" };
  upgrades.start({ ...order, id: "a" });
  await sending.promise;
  assertThrows(() => upgrades.start({ ...order, id: "b" }), DriverError, "under way");
  await clock.advance(5000);
  await upgrades.idle();
  assertMatch(upgrades.status.reason, /did not arrive within 5000 ms/);
  await server.shutdown();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("an order that can't be one is refused at once, and nothing begins", async () => {
  await using test = await bench(() => new Response("x"));
  for (const url of ["", "file:///etc/passwd", "ftp://x/y", "javascript:1", "x"]) {
    assertThrows(() => test.upgrades.start({ ...test.order("a"), url }), GatehouseError, "URL", url);
  }
  for (const digest of ["md5:00", "sha256:00", "0".repeat(64)]) {
    assertThrows(() => test.upgrades.start(test.order("a", digest)), GatehouseError, "digest", digest);
  }
  assertEquals(test.upgrades.status.state, "none");
});

Deno.test("what a process that was killed left behind is gone with the next start", async () => {
  const dir = await Deno.makeTempDir(), power = { check: () => {} } as unknown as Power;
  await Deno.writeTextFile(`${dir}/firmware.bin`, "half a firmware");
  const upgrades = new Upgrades({ clock: systemClock, log: silentLog, power, dir });
  await upgrades[Symbol.asyncDispose]();
  assertEquals(await Array.fromAsync(Deno.readDir(dir)), []);
  await Deno.remove(dir, { recursive: true });
});
