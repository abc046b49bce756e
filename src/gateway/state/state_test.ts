import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { FakeClock, GatehouseError, seededRandom, silentLog, systemRandom } from "../../base/mod.ts";
import { applyPasswordsFile, Lockout, PasswordGuard, Passwords, StateStore } from "./mod.ts";

const deps = { random: systemRandom, log: silentLog };

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("state is on the disk once update resolves, and comes back", () =>
  inFolder(async (folder) => {
    const store = await StateStore.open(deps, folder);
    await store.update({ operations: { host: "10.0.0.2", port: 12113 }, intervalSeconds: 30, home: "h:1" });
    const again = await StateStore.open(deps, folder);
    assertEquals(again.get(), store.get());
    assertEquals((await Deno.stat(`${folder}/gateway.json`)).mode! & 0o777, 0o600);
  }));

Deno.test("many changes at once share few writes, and the last one wins", () =>
  inFolder(async (folder) => {
    const store = await StateStore.open(deps, folder);
    await Promise.all(Array.from({ length: 500 }, (_, i) => store.update({ intervalSeconds: i + 1 })));
    assertEquals((await StateStore.open(deps, folder)).get().intervalSeconds, 500);
  }));

Deno.test("of a file that somebody edited, what is fit is taken", () =>
  inFolder(async (folder) => {
    const path = `${folder}/gateway.json`;
    const devRnd = "AB".repeat(16);
    const odd = [
      { devRnd, operations: { host: "", port: 1 }, intervalSeconds: -1, userPassword: 5, factoryPlugins: [] },
      { devRnd, operations: { host: "a", port: 65536 }, factoryPlugins: { a: 1 }, __proto__: { x: 1 } },
      { devRnd, operations: "a:1", distribution: 7, factoryPlugins: null },
    ];
    for (const content of odd) {
      await Deno.writeTextFile(path, JSON.stringify(content));
      const { devRnd: kept, operations, userPassword, factoryPlugins } = (await StateStore.open(deps, folder))
        .get();
      assertEquals({ kept, operations, userPassword, factoryPlugins }, {
        kept: devRnd,
        operations: undefined,
        userPassword: undefined,
        factoryPlugins: {},
      });
    }
    for (const content of ["null", "7", "[]", '"x"', "{}", '{"devRnd":"short"}']) {
      await Deno.writeTextFile(path, content);
      const store = await StateStore.open(deps, folder);
      await store.flushed();
      assertEquals(store.get().devRnd.length, 32);
    }
  }));

Deno.test("a folder that can't be written shows at the latest when waited for", () =>
  inFolder(async (folder) => {
    await Deno.mkdir(`${folder}/data`);
    await Deno.mkdir(`${folder}/data/gateway.json.new`);
    const store = await StateStore.open(deps, `${folder}/data`);
    await assertRejects(() => store.flushed());
  }));

Deno.test("passwords are kept as salted hashes and checked user first", () =>
  inFolder(async (folder) => {
    const store = await StateStore.open(deps, folder);
    const passwords = new Passwords(store, systemRandom);
    assertEquals(await passwords.check("anything"), { ok: false, reason: "unset" });
    await passwords.set("user", "same-for-both");
    await passwords.set("admin", "same-for-both");
    const { userPassword, adminPassword } = store.get();
    assertNotEquals(userPassword, adminPassword, "salted");
    assertEquals(await passwords.check("same-for-both"), { ok: true, account: "user" });
    await passwords.set("user", undefined);
    assertEquals(await passwords.check("same-for-both"), { ok: true, account: "admin" });
    assertEquals(await passwords.check("x".repeat(100_000)), { ok: false, reason: "wrong" });
    for (const bad of ["", "abc", "x".repeat(65), "tab\tin it"]) {
      await assertRejects(() => passwords.set("user", bad), GatehouseError, "printable");
    }
    assertEquals(passwords.configured(), { user: false, admin: true });
  }));

Deno.test("a passwords file sets what it names, once", () =>
  inFolder(async (folder) => {
    const store = await StateStore.open({ ...deps, random: seededRandom(1) }, folder);
    const passwords = new Passwords(store, systemRandom);
    const path = `${folder}/passwords.json`,
      apply = (required = true) => applyPasswordsFile(passwords, path, { required, log: silentLog });
    await apply(false);
    await assertRejects(() => apply(), GatehouseError, "no such file");
    await Deno.writeTextFile(path, '{"user": "word-of-the-user"}');
    await apply();
    const { userPassword } = store.get();
    await apply();
    assertEquals(store.get().userPassword, userPassword, "not hashed anew");
    for (const bad of ["[]", "{", '{"root": "x"}', '{"user": 5}', '{"user": "x"}']) {
      await Deno.writeTextFile(path, bad);
      await assertRejects(() => apply(), GatehouseError);
    }
  }));

Deno.test("a lockout begins after the free ones, doubles, and ends with a right one", async () => {
  const clock = new FakeClock();
  const lockout = new Lockout(clock, { free: 3, firstMs: 1000, longestMs: 5000, maxKeys: 2 });
  const fail = () => {
    lockout.failed("a");
    return lockout.lockedFor("a");
  };
  assertEquals([fail(), fail(), fail()], [0, 0, 1000]);
  await clock.advance(1000);
  assertEquals([lockout.lockedFor("a"), fail()], [0, 2000]);
  await clock.advance(2000);
  assertEquals([fail(), fail(), fail()], [4000, 5000, 5000]);
  lockout.failed("b");
  lockout.failed("c");
  assertEquals(lockout.lockedFor("a"), 0, "two keys are remembered, this was the oldest");
  lockout.succeeded("b");
});

Deno.test("twenty wrong passwords stop everybody for a while", async () => {
  const clock = new FakeClock();
  let checks = 0;
  const guard = new PasswordGuard(clock, {
    check: (candidate) => {
      checks++;
      return Promise.resolve(
        candidate === "right" ? { ok: true, account: "user" } : { ok: false, reason: "wrong" },
      );
    },
  });
  for (let i = 0; i < 20; i++) {
    await assertRejects(() => guard.check("wrong"), GatehouseError, "password err!");
  }
  const error = await assertRejects(() => guard.check("right"), GatehouseError);
  assert(error.message.startsWith("too many wrong passwords"));
  assertEquals(checks, 20, "nothing is hashed while it is locked");
  await clock.advance(10_000);
  await guard.check("right");
});
