import { assertEquals } from "@std/assert";
import { FakeClock, silentLog } from "../base/mod.ts";
import { HostProcess } from "./host_process.ts";

/** A host that says nothing before the file is there. */
function slowHost(clock: FakeClock, file: string, gone: (reason: string) => void): HostProcess {
  const program = `
    while (true) { try { Deno.statSync(${
    JSON.stringify(file)
  }); break; } catch { await new Promise((r) => setTimeout(r, 5)); } }
    console.log("ready");
    for await (const _ of Deno.stdin.readable);`;
  return new HostProcess({ command: Deno.execPath(), args: ["eval", program] }, {
    clock,
    log: silentLog,
    stuckMs: () => 300,
    expecting: () => true,
    onLine: () => {},
    onGone: gone,
  });
}

Deno.test("a host that is slow to start is not taken for one that is stuck, whatever is sent to it", async () => {
  const dir = await Deno.makeTempDir(), clock = new FakeClock();
  const host = slowHost(clock, `${dir}/go`, () => {});
  let end: string | undefined;
  host.exited.then(() => end ??= "exited");
  host.send("U 1");
  await clock.advance(9_000);
  assertEquals(end, undefined);
  await Deno.writeTextFile(`${dir}/go`, "");
  await host.ready;
  await host.close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a host that does not start within ten seconds is given up; one that does not answer when it runs, sooner", async () => {
  const dir = await Deno.makeTempDir();
  {
    const clock = new FakeClock(), reasons: string[] = [];
    const host = slowHost(clock, `${dir}/never`, (reason) => void reasons.push(reason));
    await clock.advance(10_000);
    assertEquals(reasons, ["did not start in time"]);
    await host.exited;
  }
  const clock = new FakeClock(), reasons: string[] = [];
  await Deno.writeTextFile(`${dir}/go`, "");
  const host = slowHost(clock, `${dir}/go`, (reason) => void reasons.push(reason));
  await host.ready;
  host.send("U 1"); // it answers no ping
  await clock.advance(300);
  assertEquals(reasons, []);
  await clock.advance(300);
  assertEquals(reasons.length, 1);
  await host.exited;
  await Deno.remove(dir, { recursive: true });
});
