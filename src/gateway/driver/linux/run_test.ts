import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../../base/mod.ts";
import { DriverError } from "../errors.ts";
import { SystemRunner } from "./run.ts";

const runner = (paths: Record<string, string> = {}) => new SystemRunner({ clock: systemClock, paths });

async function codeOf(work: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => work, DriverError)).code;
}

Deno.test("a program gets its arguments as they are: there is no shell between", async () => {
  const { code, stdout } = await runner({ echo: "/bin/echo" }).run("echo", ["$(id)", "a;b", "*", "-n x"]);
  assertEquals([code, stdout], [0, "$(id) a;b * -n x\n"]);
  for (const bad of ["a\nb", "a\0b", "\x1b[2J", "x".repeat(5000)]) {
    assertEquals(await codeOf(runner().run("cat", [bad])), "invalid");
  }
});

Deno.test("what is fed is read, and a program that does not read ends all the same", async () => {
  const input = "x".repeat(200_000);
  assertEquals((await runner().run("cat", [], { input, maxBytes: 1e6 })).stdout.length, 200_000);
  assertEquals((await runner({ true: "/bin/true" }).run("true", [], { input })).code, 0);
});

Deno.test("a program that hangs is killed, also where its child holds the output open", async () => {
  const hang = ["-c", "sleep 30 & sleep 30"], sh = runner({ sh: "/bin/sh" });
  const began = performance.now();
  const error = await assertRejects(() => sh.run("sh", hang, { timeoutMs: 200 }), DriverError, "200 ms");
  assertEquals(error.code, "failed");
  const gone = new AbortController();
  const running = assertRejects(() => sh.run("sh", hang, { signal: gone.signal }), DriverError, "given up");
  gone.abort();
  await running;
  assert(performance.now() - began < 20_000);
});

Deno.test("a program that left something running has ended, with all that it said", async () => {
  const sh = runner({ sh: "/bin/sh" }), began = performance.now();
  const script = "sleep 20 & echo said; echo why >&2; exit 3";
  const options = { timeoutMs: 10_000, input: "x".repeat(200_000) };
  assertEquals(await sh.run("sh", ["-c", script], options), { code: 3, stdout: "said\n", stderr: "why" });
  assert(performance.now() - began < 10_000);
});

Deno.test("of output without end only the head is kept", async () => {
  const { stdout } = await runner({ head: "/usr/bin/head" }).run("head", ["-c", "5000000", "/dev/zero"], {
    maxBytes: 1000,
  });
  assertEquals(stdout.length, 1000);
});

Deno.test("a program that is not there is unsupported, one that fails says why in a line", async () => {
  assertEquals(await codeOf(runner().run("no-such-program", [])), "unsupported");
  const sh = runner({ sh: "/bin/sh" });
  const script = "echo first; echo 'what was wrong' >&2; echo more >&2; exit 7";
  assertEquals(await sh.run("sh", ["-c", script]), { code: 7, stdout: "first\n", stderr: "what was wrong" });
  await assertRejects(() => sh.output("sh", ["-c", script]), DriverError, "what was wrong");
  await assertRejects(() => sh.output("sh", ["-c", "exit 7"]), DriverError, "sh ended with 7");
  await assertRejects(() => sh.json("sh", ["-c", "echo {"]), DriverError, "no JSON");
  assertEquals(await sh.json("sh", ["-c", "true"]), undefined);
});

Deno.test("only what is under /proc and /sys is read and written, and no way leads out of it", async () => {
  assert((await runner().read("/proc/uptime"))!.length > 3);
  assertEquals(await runner().read("/proc/none"), undefined);
  assert((await runner().list("/sys/class/net")).includes("lo"));
  assertEquals(await runner().list("/sys/none"), []);
  for (
    const path of ["/etc/passwd", "proc/uptime", "/proc/../etc/passwd", "/sys/class/../../etc", "-n", ""]
  ) {
    assertEquals(await codeOf(runner().read(path)), "invalid", path);
    assertEquals(await codeOf(runner().write(path, "x")), "invalid", path);
  }
});

Deno.test("no more than so many programs run at one time: some wait, and one too many is refused", async () => {
  const folder = await Deno.makeTempDir(), stop = new AbortController();
  const script = `echo x >> ${folder}/began; exec sleep 60`;
  const sh = runner({ sh: "/bin/sh" });
  const began = async () => (await Deno.readTextFile(`${folder}/began`).catch(() => "")).length / 2;
  const options = { signal: stop.signal, timeoutMs: 120_000 };
  const all = Array.from({ length: 16 }, () => sh.run("sh", ["-c", script], options).catch(() => {}));
  while (await began() < 16) await new Promise((resolve) => setTimeout(resolve, 5));
  const gone = new AbortController();
  const givenUp = assertRejects(
    () => sh.run("sh", ["-c", script], { signal: gone.signal }),
    DriverError,
    "given up",
  );
  const waiting = Array.from({ length: 255 }, () => sh.run("sh", ["-c", "true"], { timeoutMs: 60_000 }));
  assertEquals(await codeOf(sh.run("sh", ["-c", "true"])), "busy");
  gone.abort();
  await givenUp;
  assertEquals(await began(), 16, "none began past its turn");
  stop.abort();
  await Promise.all(all);
  assertEquals((await Promise.all(waiting)).every(({ code }) => code === 0), true);
  await Deno.remove(folder, { recursive: true });
});
