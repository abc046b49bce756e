import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock } from "../base/mod.ts";
import { createPluginManager } from "./manager.ts";
import { PluginError } from "./errors.ts";
import { codeOf } from "./testing/expect.ts";
import { makeBench, pluginSource, testDeps } from "./testing/fixture.ts";
import type { HostCall, PluginManagerOptions } from "./types.ts";

const VERSION = `() => ({ version: manifest.version })`;

Deno.test("a call goes to the plug-in that has the command when none is named", async () => {
  await using bench = await makeBench("inline", {
    "a.js": pluginSource("a", { ONE: `() => ({ by: "a" })` }),
    "b.js": pluginSource("b", { TWO: `() => ({ by: "b" })`, ONE: `() => ({ by: "b" })` }),
  });
  assertEquals(await bench.call("", "TWO"), { by: "b" });
  assertEquals(await bench.call("", "ONE"), { by: "a" });
  await bench.manager.stop("a");
  assertEquals(await bench.call("", "ONE"), { by: "b" });
  await bench.manager.stop("b");
  assertEquals(await codeOf(bench.call("", "TWO")), "not_running");
  assertEquals(await codeOf(bench.call("", "THREE")), "unknown_command");
  assertEquals(await codeOf(bench.call("a", "toString")), "unknown_command");
});

Deno.test("another version than the one that is there is refused", async () => {
  await using bench = await makeBench("inline", { "p.js": pluginSource("p", { V: VERSION }) });
  const call = { plugin: "p", command: "V", request: {}, origin: "local" } as const;
  assertEquals(await codeOf(bench.manager.call({ ...call, version: "9" })), "version");
  assertEquals(await bench.manager.call({ ...call, version: "1.0" }), { version: "1.0" });
  assertEquals(await bench.manager.call({ ...call, version: "" }), { version: "1.0" });
});

Deno.test("a command is called only from the sides that its right names", async () => {
  const source = pluginSource("p", { L: "() => ({})", R: "() => ({})", B: "() => ({})", N: "() => ({})" })
    .replace(`"L":{"right":"both"}`, `"L":{"right":"local"}`)
    .replace(`"R":{"right":"both"}`, `"R":{"right":"remote"}`)
    .replace(`"N":{"right":"both"}`, `"N":{"right":"none"}`);
  await using bench = await makeBench("inline", { "p.js": source });
  const allowed = async (command: string, origin: "local" | "remote") => {
    const call = bench.manager.call({ plugin: "p", command, request: {}, origin });
    return await call.then(() => true, (error) => {
      assertEquals(error.code, "no_right");
      return false;
    });
  };
  const table = async () => {
    const rows = [];
    for (const c of ["L", "R", "B", "N"]) {
      rows.push([c, await allowed(c, "local"), await allowed(c, "remote")]);
    }
    return rows;
  };
  assertEquals(await table(), [["L", true, false], ["R", false, true], ["B", true, true], [
    "N",
    false,
    false,
  ]]);
  await bench.manager.setRight("p", "N", "remote");
  await bench.manager.setRight("p", "B", "none");
  await bench.restart();
  assertEquals(await table(), [["L", true, false], ["R", false, true], ["B", false, false], [
    "N",
    false,
    true,
  ]]);
  await bench.manager.setRight("p", "B", undefined);
  assertEquals((await table())[2], ["B", true, true]);
  assertEquals(await codeOf(bench.manager.setRight("p", "X", "none")), "unknown_command");
});

Deno.test("one call more than allowed in flight is answered busy, and the others are not harmed", async () => {
  const release = Promise.withResolvers<string>();
  const source = pluginSource("p", { WAIT: `async (_, host) => ({ got: await host.t.wait() })` }, {
    capabilities: ["t"],
    limits: { calls: 3 },
  });
  const capabilities = { t: { "t.wait": () => release.promise } };
  await using bench = await makeBench("inline", { "p.js": source }, { capabilities });
  const calls = [1, 2, 3].map(() => bench.call("p", "WAIT"));
  assertEquals(await codeOf(bench.call("p", "WAIT")), "busy");
  assertEquals(bench.manager.get("p")?.inFlight, 3);
  release.resolve("x");
  assertEquals(await Promise.all(calls), [{ got: "x" }, { got: "x" }, { got: "x" }]);
  assertEquals(bench.manager.get("p")?.inFlight, 0);
});

Deno.test("the caller's time counts where it is shorter than the manifest's", async () => {
  const clock = new FakeClock();
  const source = pluginSource("p", { NEVER: `() => new Promise(() => {})` }, { limits: { callMs: 1000 } });
  await using bench = await makeBench("inline", { "p.js": source }, {}, testDeps({ clock }));
  const ended: string[] = [];
  const call = (name: string, timeoutMs: number) =>
    bench.manager.call({ command: "NEVER", request: {}, origin: "local", timeoutMs }).catch((error) => {
      ended.push(`${name} ${error.code}`);
    });
  const both = [call("short", 200), call("long", 5000)];
  await clock.advance(199);
  assertEquals(ended, []);
  await clock.advance(1);
  assertEquals(ended, ["short timeout"]);
  await clock.advance(800);
  assertEquals(ended, ["short timeout", "long timeout"]);
  await Promise.all(both);
});

Deno.test("requests and replies that are too deep or too long are refused", async () => {
  await using bench = await makeBench("inline", {
    "p.js": pluginSource("p", {
      ECHO: "(r) => r",
      LONG: `() => ({ v: "x".repeat(1100000) })`,
      DEEP: `() => { let v = "x"; for (let i = 0; i < 100; i++) v = [v]; return { v }; }`,
    }),
  });
  let deep: unknown = "x";
  for (let i = 0; i < 70; i++) deep = [deep];
  const call = (request: Record<string, unknown>) =>
    bench.manager.call({ command: "ECHO", request: request as never, origin: "local" });
  assertEquals(await codeOf(call({ deep })), "limit");
  assertEquals(await codeOf(call({ long: "x".repeat(1_100_000) })), "limit");
  assertEquals(await codeOf(bench.call("p", "LONG")), "failed");
  assertEquals(await codeOf(bench.call("p", "DEEP")), "limit");
  const long = { long: "é".repeat(400_000) };
  assertEquals(await call(long), long);
});

Deno.test("a reply cannot bring a prototype with it", async () => {
  await using bench = await makeBench("inline", {
    "p.js": pluginSource("p", {
      EVIL: `() => JSON.parse('{"__proto__":{"admin":true},"a":{"__proto__":{"admin":1}}}')`,
    }),
  });
  const reply = await bench.call("p", "EVIL");
  assertEquals(Object.keys(reply), ["a"]);
  assertEquals((Object.assign({}, reply) as Record<string, unknown>)["admin"], undefined);
});

Deno.test("a plug-in reaches the host functions of its capabilities and no others", async () => {
  const calls: [string, HostCall][] = [];
  const note = (name: string) => (args: unknown[], call: HostCall) => {
    calls.push([name, call]);
    return { name, args: args.length };
  };
  const options: Partial<PluginManagerOptions> = {
    capabilities: { a: { "a.one": note("a.one"), "a.two": note("a.two") }, b: { "b.one": note("b.one") } },
  };
  const probe =
    `async (_, host) => ({ groups: Object.keys(host), one: await host.a.one(1, 2), b: typeof host.b })`;
  const source = pluginSource("p", { PROBE: probe }, { capabilities: ["a"] });
  await using bench = await makeBench("inline", { "p.js": source }, options);
  assertEquals(await bench.call("p", "PROBE"), {
    groups: ["a", "log"],
    one: { name: "a.one", args: 2 },
    b: "undefined",
  });
  assertEquals(calls.map(([name, { plugin, version }]) => [name, plugin, version]), [["a.one", "p", "1.0"]]);
});

Deno.test("a host function learns on whose behalf it is called, where all who call the plug-in at that time are the same", async () => {
  const seen: (string | undefined)[] = [], gates: PromiseWithResolvers<void>[] = [];
  const capabilities = {
    t: {
      "t.note": (_: unknown[], { caller }: HostCall) => void seen.push(caller),
      "t.wait": async () => {
        const gate = Promise.withResolvers<void>();
        gates.push(gate);
        await gate.promise;
        return null;
      },
    },
  };
  const note = `async (_, host) => { await host.t.wait(); await host.t.note(); }`;
  const source = pluginSource("p", { NOTE: note }, { capabilities: ["t"], limits: { calls: 4 } });
  await using bench = await makeBench("inline", { "p.js": source }, { capabilities });
  const ask = (caller?: string) =>
    bench.manager.call({ plugin: "p", command: "NOTE", request: {}, origin: "local", caller });
  const waiting = async (count: number) => {
    while (gates.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  const one = ask("phone");
  await waiting(1);
  gates.pop()!.resolve();
  await one;
  const other = ask();
  await waiting(1);
  gates.pop()!.resolve();
  await other;
  const [first, second] = [ask("phone"), ask("platform")];
  await waiting(2);
  gates.shift()!.resolve();
  await first;
  gates.shift()!.resolve();
  await second;
  assertEquals(seen, ["phone", undefined, undefined, "platform"]);
});

Deno.test("what a host function throws reaches the plug-in as an error, and one that never answers is given up", async () => {
  const clock = new FakeClock();
  let aborted = false;
  const capabilities = {
    t: {
      "t.bad": () => Promise.reject(new Error("no such interface")),
      "t.never": (_: unknown[], { signal }: HostCall) => {
        signal.addEventListener("abort", () => aborted = true);
        return new Promise<string>(() => {});
      },
    },
  };
  const source = pluginSource("p", {
    BAD:
      `async (_, host) => { try { await host.t.bad(); } catch (e) { return { said: e.message, is: e instanceof Error }; } }`,
    NEVER: `(_, host) => host.t.never()`,
  }, { capabilities: ["t"] });
  await using bench = await makeBench(
    "inline",
    { "p.js": source },
    { capabilities, hostCallMs: 300 },
    testDeps({ clock }),
  );
  assertEquals(await bench.call("p", "BAD"), { said: "no such interface", is: true });
  const never = codeOf(bench.call("p", "NEVER"));
  await clock.advance(300);
  assertEquals(await never, "failed");
  assert(aborted);
});

Deno.test("a host function learns when the plug-in that called it is gone", async () => {
  const entered = Promise.withResolvers<AbortSignal>();
  const capabilities = {
    t: {
      "t.wait": (_: unknown[], { signal }: HostCall) => {
        entered.resolve(signal);
        return new Promise<string>(() => {});
      },
    },
  };
  const source = pluginSource("p", { W: `(_, host) => host.t.wait()` }, {
    capabilities: ["t"],
    limits: { callMs: 50 },
  });
  await using bench = await makeBench("inline", { "p.js": source }, { capabilities });
  const call = codeOf(bench.call("p", "W"));
  const signal = await entered.promise;
  await bench.manager.remove("p");
  assert(signal.aborted);
  await call;
});

Deno.test("host functions with names that a plug-in could not call are refused at the start", async () => {
  const options = { dir: "/nowhere", stateDir: "/nowhere", isolation: "inline" as const };
  for (const name of ["cpu", "a.b.c", "log.info", "__proto__.x", "a.__proto__"]) {
    await assertRejects(
      () => createPluginManager(testDeps(), { ...options, capabilities: { a: { [name]: () => 1 } } }),
      TypeError,
    );
  }
});

Deno.test("a command that names an auth is called once that was shown, with the request that is left", async () => {
  const source = pluginSource("p", { A: "(request) => request", B: "(request) => request" })
    .replace(`"A":{"right":"both"}`, `"A":{"right":"both","auth":"local"}`);
  await using bench = await makeBench("inline", { "p.js": source });
  const asked: string[] = [];
  const call = (command: string, ok: boolean) =>
    bench.manager.call({
      plugin: "p",
      command,
      request: { secret: "x", kept: "y" },
      origin: "local",
      authorize: (auth) => {
        asked.push(auth);
        return ok ? Promise.resolve({ kept: "y" }) : Promise.reject(new Error("not shown"));
      },
    });
  assertEquals(await call("A", true), { kept: "y" });
  await assertRejects(() => call("A", false), Error, "not shown");
  assertEquals(await call("B", false), { secret: "x", kept: "y" });
  assertEquals(asked, ["local", "local"]);
});

Deno.test("a command that names an auth is not called by other plug-ins, which have no password to show", async () => {
  const callee = pluginSource("callee", { SECRET: "() => ({})", OPEN: "() => ({})" })
    .replace(`"SECRET":{"right":"both"}`, `"SECRET":{"right":"both","auth":"local"}`);
  const caller = pluginSource("caller", {
    GO: `({ command }, host) => host.plugins.call("callee", command, {})`,
  }, {
    capabilities: ["plugins.call"],
  }).replace(`"limits":`, `"peers":["callee"],"limits":`);
  await using bench = await makeBench("inline", { "callee.js": callee, "caller.js": caller });
  assertEquals(await bench.call("caller", "GO", { command: "OPEN" }), {});
  const error = await assertRejects(() => bench.call("caller", "GO", { command: "SECRET" }), PluginError);
  assertEquals(error.message, '"SECRET" asks for a password, which no plug-in can show');
});
