/**
 * The author's tools from outside, as processes, with somebody at the other end: a gateway or a platform that takes the
 * plug-in, trusts its key, runs it, and has it no more.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { author, change, startLoneGateway } from "./support/author.ts";
import { startFleet } from "./support/fleet.ts";
import { ADMIN_TOKEN, testPlatform } from "./support/platform.ts";

Deno.test("a gateway that asks for signatures refuses, trusts, runs, counts and tells its log", async () => {
  await using me = await author();
  await using gateway = await startLoneGateway(["--require-signed", "all"]);
  const there = ["--to", gateway.url];
  await me.run("new", "com.example.greeter", "--dir", "g");
  await me.run("keygen", "mine");
  await me.run("pack", "g", "--key", "mine.key", "--output", "g.ghp");
  const refused = await me.run("install", "g.ghp", ...there);
  assertEquals(refused.code, 1);
  assertMatch(refused.err, /refuses \(403\): .*no key that is trusted signed it/);
  assertEquals((await me.run("trust", "mine.pub", "--tier", "vendor", ...there)).code, 0);
  const installed = await me.run("install", "g.ghp", ...there);
  assertEquals([installed.code, installed.out], [
    0,
    `com.example.greeter 1.0 is running on ${gateway.url}\n`,
  ]);
  // While it is worked on: each version is signed on its way.
  const unsigned = await me.run("run", "g", ...there);
  assertEquals(unsigned.code, 1);
  assertMatch(unsigned.err, /refuses \(403\): .*it is not signed/);
  await change(me, "g/plugin.js", (text) => text.replace("1.0", "1.0.1"));
  await using session = me.start("run", "g", "--key", "mine.key", ...there);
  await session.said(/com\.example\.greeter 1\.0\.1 is running/);
  await session.stop();
  assertEquals((await me.run("install", "g.ghp", ...there)).code, 0);
  const good = await me.run("call", "com.example.greeter", "GREET", "--fields", '{"Name":"Ann"}', ...there);
  assertEquals([good.code, JSON.parse(good.out).reply.Text], [0, "Hello Ann"]);
  const bad = await me.run("call", "com.example.greeter", "GREET", ...there);
  assertEquals([bad.code, JSON.parse(bad.out).reply.FailReason], [1, "Name is missing"]);

  const list = await me.run("list", ...there);
  assertMatch(list.out, /^NAME +VERSION +STATE +CALLS +ERRORS +P50 +P99 +MEMORY +RESTARTS\n/);
  assertMatch(
    list.out,
    /com\.example\.greeter +1\.0 +running +2 +1 \(failed 1\) +[\d.]+ ms +[\d.]+ ms +\d+ KB +0\n/,
  );
  const items = JSON.parse((await me.run("list", "--json", ...there)).out) as {
    name: string;
    figures: unknown;
  }[];
  assert(items.find(({ name }) => name === "com.example.greeter")!.figures);
  const logs = await me.run("logs", "com.example.greeter", ...there);
  assertMatch(logs.out, /INFO {2}greeting Ann\n/);
  assertMatch(logs.out, /at GREET \(plugin\.js:18:\d+\)/);
  const own = await me.run("logs", "com.example.greeter", "--source", "g", ...there);
  assertMatch(own.out, /plugin\.js:18:\d+\n +18 \| +if \(!request\.Name\) throw new Error.*\n +\^\n/);
  const twice = await me.run("trust", "mine.key", ...there);
  assertEquals([twice.code, twice.out], [1, ""]);
  assertStringIncludes(twice.err, '"mine.key" holds the private key: a public key is needed');
  const nowhere = await me.run("pack", "g", "--key", "nowhere.key");
  assertStringIncludes(nowhere.err, 'there is no "nowhere.key": a private key is needed');
  const metrics = await (await fetch(`${gateway.url}/metrics`, { headers: gateway.headers })).text();
  assertMatch(metrics, /gatehouse_plugin_calls_total\{plugin="com\.example\.greeter",result="failed"\} 1\n/);
});

Deno.test("a plug-in is stopped, started, taken back and removed, and its key is revoked, from the author's terminal", async () => {
  await using me = await author();
  await using gateway = await startLoneGateway(["--require-signed", "all"]);
  const name = "com.example.greeter", there = ["--to", gateway.url];
  await me.run("new", name, "--dir", "g");
  await me.run("keygen", "mine");
  await me.run("trust", "mine.pub", ...there);
  for (const version of ["1.0", "2.0"]) {
    await change(me, "g/plugin.js", (text) => text.replace('"1.0"', `"${version}"`));
    await me.run("pack", "g", "--key", "mine.key", "--output", "g.ghp");
    assertEquals((await me.run("install", "g.ghp", ...there)).code, 0);
  }
  const on = async (...args: string[]) => {
    const { code, out, err } = await me.run(...args, ...there);
    return [code, (out + err).replaceAll(gateway.url, "it")];
  };
  assertEquals(await on("stop", name), [0, `${name} 2.0 is stopped on it\n`]);
  assertEquals(await on("start", name), [0, `${name} 2.0 is running on it\n`]);
  assertEquals(await on("rollback", name), [0, `${name} 1.0 is running on it\n`]);
  const none = await on("rollback", name);
  assertEquals(none, [1, `gatehouse: it refuses (409): no earlier version of "${name}" is kept\n`]);
  const revoked = await on("revoke", "mine.pub", "--reason", "laptop stolen");
  assertMatch(String(revoked[1]), /^it trusts mine no more\nid [0-9a-f]{64}\n$/);
  const refused = await on("start", name);
  assertEquals(refused[0], 1);
  assertMatch(String(refused[1]), /that signed it was revoked/);
  assertEquals(await on("remove", name), [0, `${name} is no more on it\n`]);
  assertEquals((await on("remove", name))[0], 1);
});

Deno.test("a platform that asks for signatures trusts a key by the same command", async () => {
  await using me = await author();
  await using platform = await testPlatform({ settings: { requireSigned: "all" } });
  const there = ["--to", platform.url];
  await me.run("new", "com.example.greeter", "--dir", "g");
  await me.run("keygen", "mine");
  await me.run("pack", "g", "--key", "mine.key", "--output", "g.ghp");
  assertMatch((await me.run("install", "g.ghp", ...there)).err, /no key that is trusted signed it/);
  assertEquals((await me.run("trust", "mine.pub", ...there)).err, "");
  const installed = await me.run("install", "g.ghp", ...there);
  assertEquals([installed.code, installed.err], [0, ""]);
});

Deno.test("run --watch brings each good change onto the gateway, and a bad one leaves the version before", async () => {
  await using me = await author();
  await using gateway = await startLoneGateway();
  await me.run("new", "com.example.greeter", "--dir", "g");
  await using session = me.start("run", "g", "--watch", "--to", gateway.url);
  const greeting = async () => {
    const { out } = await me.run("call", "-", "GREET", "--fields", '{"Name":"Ann"}', "--to", gateway.url);
    return JSON.parse(out).reply.Text;
  };
  await session.said(/1\.0 is running/);
  assertEquals(await greeting(), "Hello Ann");
  await change(me, "g/plugin.js", (text) => text.replace("Hello", "Hi").replace("1.0", "1.1"));
  await session.said(/1\.1 is running/);
  assertEquals(await greeting(), "Hi Ann");
  await session.said(/greeting Ann/);
  await change(me, "g/plugin.js", (text) => text.replace("return {", "retrun {"));
  await session.said(/plugin\.js:21:12/);
  assertEquals(await greeting(), "Hi Ann");
  await change(
    me,
    "g/plugin.js",
    (text) => text.replace("retrun {", "return {").replace("Hi", "Hey").replace("1.1", "1.2"),
  );
  await session.said(/1\.2 is running/);
  assertEquals(await greeting(), "Hey Ann");
  assertEquals(await session.stop(), 0);
});

Deno.test("a platform takes a package, shows it, and puts it onto a gateway of its own", async () => {
  await using me = await author();
  await using fleet = await startFleet();
  const there = ["--to", `http://127.0.0.1:${fleet.platform.ports.http}`];
  await me.run("new", "com.example.greeter", "--dir", "g", "--typescript");
  const stable = ["--channel", "stable"];
  const { code, out, err } = await me.run("install", "g", "--gateway", fleet.mac, ...stable, ...there);
  assertEquals([code, err], [0, ""], out);
  assertMatch(out, /1\.0 is in the repository: .*\non [0-9A-F]{12}: succeeded\n$/);
  assert(await fleet.runs("com.example.greeter"));
  assertEquals((await fleet.call("GET", "/api/v1/plugins/com.example.greeter/1.0")).body.channel, "stable");
  assertMatch(
    (await me.run("list", ...there)).out,
    /^NAME .*\ncom\.example\.greeter +1\.0 +stable +unsigned +\d+ B +[0-9a-f]{64}\n$/,
  );
  // More than a page.
  for (let i = 0; i < 60; i++) {
    const { status } = await fetch(`${there[1]}/api/v1/plugins`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      body:
        `export const manifest = { name: "many", version: "1.${i}", apiVersion: "2026-11-01", commands: {} };`,
    }).then(async (response) => (await response.body?.cancel(), response));
    assertEquals(status, 201);
  }
  assertEquals((await me.run("list", ...there)).out.match(/^many /gm)?.length, 60);
  // One that does not load there: the command's failure is told.
  await Deno.writeTextFile(
    `${me.dir}/bad.js`,
    `export const manifest = { name: "bad", version: "1.0", apiVersion: "2026-11-01", commands: {} };
throw new Error("not today");`,
  );
  const bad = await me.run("install", "bad.js", "--gateway", fleet.mac, ...there);
  assertEquals(bad.code, 1, bad.out);
  assertMatch(bad.err, /bad 1\.0 does not run on/);
  const again = await me.run("install", "g", ...there);
  assertMatch(again.out, /was there already/);
  const elsewhere = await me.run("install", "g", "--gateway", "00000000FFFF", ...there);
  assertEquals(elsewhere.code, 1);
  assertMatch(elsewhere.err, /refuses \(404\)/);
});
