import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createLog, GatehouseError, systemRandom } from "../base/mod.ts";
import { loadAdminToken } from "./mod.ts";

async function withFolder(run: (dir: string, path: string) => Promise<void>) {
  const dir = await Deno.makeTempDir();
  try {
    await run(dir, `${dir}/admin.token`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function setUp() {
  const lines: string[] = [];
  const log = createLog({
    level: "debug",
    format: "text",
    clock: { now: () => 0 },
    write: (l) => lines.push(l),
  });
  return { lines, deps: { random: systemRandom, log } };
}

Deno.test("a first start makes a token of its own, readable by its owner only, and the next start finds it", async () => {
  await withFolder(async (dir, path) => {
    const { deps, lines } = setUp();
    const token = await loadAdminToken(deps, `${dir}/new/folder`, undefined);
    assertMatch(token, /^gha_[\w-]{43}$/);
    assertEquals((await Deno.stat(`${dir}/new/folder/admin.token`)).mode! & 0o777, 0o600);
    assertEquals(await loadAdminToken(deps, `${dir}/new/folder`, undefined), token);
    assert((await loadAdminToken(deps, dir, undefined)) !== token);
    assert(lines.length === 2 && !lines.join().includes("gha_"), path);
  });
});

Deno.test("a token that is given wins and is not written down", async () => {
  await withFolder(async (dir, path) => {
    const { deps } = setUp();
    assertEquals(await loadAdminToken(deps, dir, "given-by-the-settings"), "given-by-the-settings");
    await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
  });
});

Deno.test("a token that is too short or has spaces is refused, wherever it comes from", async () => {
  await withFolder(async (dir, path) => {
    const { deps } = setUp();
    for (const bad of ["", "short", "with spaces in the middle of it", "x".repeat(2000)]) {
      await assertRejects(() => loadAdminToken(deps, dir, bad), GatehouseError);
    }
    await Deno.writeTextFile(path, "short\n");
    await assertRejects(() => loadAdminToken(deps, dir, undefined), GatehouseError, path);
  });
});

Deno.test("an empty file, as a crash leaves it, gets a new token; a file open to others is closed", async () => {
  await withFolder(async (dir, path) => {
    const { deps } = setUp();
    await Deno.writeTextFile(path, "");
    assertMatch(await loadAdminToken(deps, dir, undefined), /^gha_/);
    await Deno.writeTextFile(path, "kept-from-another-machine\n");
    await Deno.chmod(path, 0o644);
    assertEquals(await loadAdminToken(deps, dir, undefined), "kept-from-another-machine");
    assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
  });
});
