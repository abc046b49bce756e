/**
 * The local port of a real gateway, as a phone app on the LAN finds it: binding, passwords, lockout, its bounds.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { bindingSn } from "../src/protocol/smart_gateway/mod.ts";
import { exchangeFrame, LOID, MAC, SN, testGateway } from "./support/gateway.ts";
import { ScriptedPlatform, until } from "./support/scripted_platform.ts";
import { failReason, fieldsOf } from "./support/gateway_plugins.ts";

Deno.test("an app binds on the LAN: identity, password, binding digest with the current DevRND", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await test.gateway.registered;
  assertEquals(fieldsOf((await test.post1("GET_SN_INFO")).reply), { MAC, BussinessStatus: "SUCCESS" });
  const check = (PassWD: string) => test.post1("CHECK_PASSWD_PARAM", { PassWD });
  assertEquals(failReason((await check("secret")).reply), "no password is set");
  assertEquals(
    (await test.control("PUT", "/api/v1/passwords", { user: "secret", admin: "root-secret" })).body,
    {
      user: true,
      admin: true,
    } as never,
  );
  assertEquals(failReason((await check("wrong")).reply), "password err!");
  for (const password of ["secret", "root-secret"]) {
    const bound = fieldsOf((await check(password)).reply);
    assertEquals(bound, { LOID, SN: bindingSn(platform.devRnd, SN), CARD: "" });
  }
  await platform.connectGateway();
  assertEquals(
    fieldsOf((await check("secret")).reply)["SN"],
    bindingSn(platform.devRnd, SN),
    "of this moment",
  );
  assert(!(await Deno.readTextFile(`${test.folder}/data/gateway.json`)).includes("secret"));
  await test.restart();
  assertEquals(fieldsOf((await check("secret")).reply)["LOID"], LOID, "passwords survive");
  assertEquals(failReason((await test.post1("QUERY_CPU_INFO")).reply), "NO_RIGHT_ACCESS");
});

Deno.test("five wrong passwords lock the address out, also for the right one", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  await test.control("PUT", "/api/v1/passwords", { user: "secret" });
  for (let i = 0; i < 5; i++) {
    assertEquals(
      failReason((await test.post1("CHECK_PASSWD_PARAM", { PassWD: `guess${i}` })).reply),
      "password err!",
    );
  }
  const locked = failReason((await test.post1("CHECK_PASSWD_PARAM", { PassWD: "secret" })).reply);
  assertStringIncludes(locked, "too many wrong passwords: try again in");
  assertEquals((await test.post1("GET_SN_INFO")).result, 0, "other commands go on");
});

Deno.test("passwords can come from a file", async () => {
  await using platform = new ScriptedPlatform(SN);
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, '{"user": "from-a-file"}');
  await using test = await testGateway(platform, { passwordsFile: file });
  assertEquals((await test.post1("CHECK_PASSWD_PARAM", { PassWD: "from-a-file" })).reply.status, "0");
  await Deno.remove(file);
});

Deno.test("the local port serves five connections and refuses the sixth", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  const { port } = test.gateway.local;
  const five = await Promise.all(
    Array.from({ length: 5 }, () => Deno.connect({ hostname: "127.0.0.1", port })),
  );
  await until(
    "five connections",
    () => test.deps.metrics.render().includes("gatehouse_gateway_local_connections 5"),
  );
  using sixth = await Deno.connect({ hostname: "127.0.0.1", port });
  assertEquals(await sixth.read(new Uint8Array(1)).catch(() => null), null);
  five[0]!.close();
  await until("room", () => test.deps.metrics.render().includes("gatehouse_gateway_local_connections 4"));
  assertEquals((await test.post1("GET_SN_INFO")).result, 0);
  for (const conn of five.slice(1)) conn.close();
});

Deno.test("the local port answers what it can't read by -1 and closes", async () => {
  await using platform = new ScriptedPlatform(SN);
  await using test = await testGateway(platform);
  const ask = async (text: string) => {
    const body = await exchangeFrame(test.gateway.local.port, new TextEncoder().encode(text));
    return new TextDecoder().decode(body);
  };
  assertEquals(await ask("no json"), '{"Result":-1}');
  assertEquals(await ask('{"RPCMethod":"Post","ID":"7"}'), '{"Result":-1,"ID":"7"}');
});
