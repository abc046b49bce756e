import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, GatehouseError, silentLog } from "../../base/mod.ts";
import { GUARD_LOCKOUT, Lockout, LockoutFile, PasswordGuard } from "./mod.ts";

const OPTIONS = { free: 3, firstMs: 1000, longestMs: 60_000, maxKeys: 4, forgetMs: 3_600_000 };

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("attempts whose end is not known yet count, and are taken back where they were none", () => {
  const lockout = new Lockout(new FakeClock(), OPTIONS);
  const three = [1, 2, 3].map(() => lockout.attempt("a"));
  assertEquals(lockout.lockedFor("a"), 1000, "three at the same time are three");
  three[2]!.takeBack();
  assertEquals(lockout.lockedFor("a"), 0);
  three[0]!.takeBack();
  three[1]!.takeBack();
  assertEquals(lockout.snapshot(), []);
});

Deno.test("an attempt that ends late takes back itself alone, whatever was counted meanwhile", () => {
  const lockout = new Lockout(new FakeClock(), OPTIONS), failures = () => lockout.snapshot()[0]?.failures;
  const slow = lockout.attempt("a");
  for (let i = 0; i < 4; i++) lockout.failed("a");
  slow.takeBack();
  assertEquals(
    [failures(), lockout.lockedFor("a")],
    [4, 2000],
    "the wrong ones stay, and so does their lock",
  );
  const slower = lockout.attempt("a");
  lockout.succeeded("a");
  lockout.failed("a");
  slower.takeBack();
  assertEquals(failures(), 1, "it was forgotten with the others, and the next is not its own");
  const two = [lockout.attempt("b"), lockout.attempt("b")];
  lockout.failed("b");
  for (const one of two) one.takeBack();
  assertEquals(lockout.snapshot().find(({ key }) => key === "b")?.failures, 1);
});

Deno.test("what was long ago is forgotten: a family's slips of a year are no attack", async () => {
  const clock = new FakeClock(), lockout = new Lockout(clock, OPTIONS);
  for (let month = 0; month < 12; month++) {
    lockout.failed("a");
    assertEquals(lockout.lockedFor("a"), 0);
    await clock.advance(3_600_000);
  }
});

Deno.test("a restart, with any wall clock, gives no more attempts: the lock goes on, and so does its growth", () =>
  inFolder(async (folder) => {
    const clock = new FakeClock(), file = await LockoutFile.open({ clock, log: silentLog }, folder);
    const lockout = file.lockout("local", OPTIONS);
    for (let i = 0; i < 5; i++) lockout.failed("192.168.1.50");
    assertEquals(lockout.lockedFor("192.168.1.50"), 4000);
    lockout.failed("192.168.1.51");
    await file.flushed();
    for (const start of [0, Date.UTC(2040, 0, 1)]) {
      const after = new FakeClock(start),
        again = await LockoutFile.open({ clock: after, log: silentLog }, folder);
      const restored = again.lockout("local", OPTIONS);
      assertEquals(restored.lockedFor("192.168.1.50"), 4000);
      assertEquals(restored.lockedFor("192.168.1.51"), 0);
      await after.advance(4000);
      const attempt = restored.attempt("192.168.1.50");
      assertEquals(restored.lockedFor("192.168.1.50"), 8000);
      attempt.takeBack();
      await again.flushed();
    }
  }));

Deno.test("a guesser costs the flash few writes, however fast it guesses", () =>
  inFolder(async (folder) => {
    const clock = new FakeClock(), file = await LockoutFile.open({ clock, log: silentLog }, folder);
    let checks = 0;
    const guard = new PasswordGuard(clock, {
      check: () => {
        checks++;
        return Promise.resolve({ ok: false, reason: "wrong" });
      },
    }, file.lockout("all", GUARD_LOCKOUT));
    for (let second = 0; second < 3_600; second++) {
      await guard.check("guess").catch(() => {});
      await clock.advance(1_000);
    }
    await file.flushed();
    assert(checks < 35, `${checks} checks, and as many writes, in an hour of guessing`);
    await assertRejects(() => guard.check("guess"), GatehouseError, "too many");
  }));

Deno.test("a file that is broken counts as empty", () =>
  inFolder(async (folder) => {
    for (const content of ["{", "[]", '{"local":[{"key":1}]}', '{"local":{"__proto__":1}}', "null"]) {
      await Deno.writeTextFile(`${folder}/lockouts.json`, content);
      const file = await LockoutFile.open({ clock: new FakeClock(), log: silentLog }, folder);
      assertEquals(file.lockout("local", OPTIONS).snapshot(), [], content);
    }
  }));
