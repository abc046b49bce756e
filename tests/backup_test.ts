/**
 * Backing a platform up while it works, and starting from what came of it.
 *
 * @module
 */
import { makeCertificate } from "../src/control/testing/certificate.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { ADMIN_TOKEN, testPlatform } from "./support/platform.ts";

const mac = (n: number) => `64D9${n.toString(16).toUpperCase().padStart(8, "0")}`;
const gateway = (n: number) => ({ mac: mac(n), sn: `64D954-S${n}`, loid: `LOID${n}` });

async function gatehouse(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-check", "--no-prompt", "-A", "main.ts", ...args],
    env: { GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** The embedded database whatever `GATEHOUSE_TEST_POSTGRES` says. */
const embedded = (dataDir: string) => ({ dataDir, settings: { database: `sqlite:${dataDir}/platform.db` } });

Deno.test("a backup under load holds all that was answered before it, and a platform starts from it", async () => {
  const dir = await Deno.makeTempDir(), data = `${dir}/data`, file = `${dir}/platform.backup`;
  try {
    let before = 0, writing = true, n = 0;
    {
      await using p = await testPlatform(embedded(data));
      for (; n < 200; n++) {
        assertEquals((await p.call("POST", "/api/v1/gateways", gateway(n))).status, 200 + 1);
      }
      before = n;
      const load = (async () => {
        while (writing) {
          await p.call("POST", "/api/v1/gateways", gateway(n++));
          await p.call("POST", `/api/v1/gateways/${mac(0)}/commands`, {
            parameter: { CmdType: "X" },
            timeoutMs: 3_600_000,
          });
        }
      })();
      const { code, out, err } = await gatehouse("backup", "--to", file, "--url", p.url);
      writing = false;
      await load;
      assertEquals(code, 0, err);
      assertStringIncludes(out, "migrations");
      assertEquals((await p.call("GET", "/api/v1/backups")).body, { items: [] });
      // A file that is there is not written over.
      assertEquals((await gatehouse("backup", "--to", file, "--url", p.url)).code, 1);
      // Nor is a database that is in use.
      const refused = await gatehouse("restore", "--from", file, "--data", data);
      assertEquals(refused.code, 1);
      assertStringIncludes(refused.err, "in use");
      assert((await p.call("GET", `/api/v1/gateways/${mac(n - 1)}`)).status === 200);
    }
    assertEquals((await gatehouse("backup", "--check", file)).code, 0);
    const restored = await gatehouse("restore", "--from", file, "--data", data);
    assertEquals(restored.code, 0, restored.err);
    assertStringIncludes(restored.out, "platform.db.before-");
    await using p = await testPlatform(embedded(data));
    for (const i of [0, before - 1]) {
      assertEquals((await p.call("GET", `/api/v1/gateways/${mac(i)}`)).status, 200);
    }
    assertEquals((await p.call("POST", "/api/v1/gateways", gateway(999_999))).status, 201);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a backup is made over HTTPS where the certificate's CA is named in DENO_CERT", async () => {
  const dir = await Deno.makeTempDir(), data = `${dir}/data`, file = `${dir}/b.db`;
  try {
    const tls = await makeCertificate(dir, "one");
    await using p = await testPlatform({
      dataDir: data,
      settings: { ...embedded(data).settings, tls },
    });
    const args = ["backup", "--to", file, "--url", `https://127.0.0.1:${p.ports.http}`, "--data", data];
    const stranger = await gatehouse(...args);
    assertStringIncludes(stranger.err, "is not trusted: name its CA in DENO_CERT");
    Deno.env.set("DENO_CERT", tls.cert);
    const { code, err } = await gatehouse(...args);
    assertEquals([code, err], [0, ""]);
  } finally {
    Deno.env.delete("DENO_CERT");
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a backup that is damaged, of a newer program, or no backup at all is not restored", async () => {
  const dir = await Deno.makeTempDir(), data = `${dir}/data`;
  try {
    let bytes: Uint8Array<ArrayBuffer>;
    {
      await using p = await testPlatform(embedded(data));
      const { body } = await p.call("POST", "/api/v1/backups");
      const path = `${data}/backups/${body["id"]}.db`;
      assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
      bytes = await Deno.readFile(path);
    }
    const before = await Deno.readFile(`${data}/platform.db`);
    const refused = async (name: string, make: (path: string) => void) => {
      const path = `${dir}/${name}`;
      make(path);
      const { code, err } = await gatehouse("restore", "--from", path, "--data", data);
      assertEquals([code, await Deno.readFile(`${data}/platform.db`)], [1, before], name);
      return err;
    };
    const damaged = bytes.slice();
    damaged.fill(0xaa, 8192, 40_000);
    assertStringIncludes(await refused("damaged", (path) => Deno.writeFileSync(path, damaged)), "damaged");
    assertStringIncludes(
      await refused("text", (path) => Deno.writeTextFileSync(path, "not a database")),
      "no backup of this program",
    );
    assertStringIncludes(await refused("absent", () => {}), "there is no such file");
    const away = await gatehouse(
      "backup",
      "--to",
      `${dir}/b.db`,
      "--url",
      "http://127.0.0.1:9",
      "--data",
      data,
    );
    assertStringIncludes(away.err, "no platform answers at http://127.0.0.1:9: is it running");
    const newer = await refused("newer", (path) => {
      Deno.writeFileSync(path, bytes);
      const database = new DatabaseSync(path);
      database.exec("insert into kysely_migration values ('2099-01-01-later', '2099-01-01')");
      database.close();
    });
    assertStringIncludes(newer, "newer version");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a database of a newer program is refused with what to do, and left as it is", async () => {
  const dir = await Deno.makeTempDir(), data = `${dir}/data`;
  try {
    await (await testPlatform(embedded(data)))[Symbol.asyncDispose]();
    const database = new DatabaseSync(`${data}/platform.db`);
    database.exec("insert into kysely_migration values ('2099-01-01-later', '2099-01-01')");
    database.close();
    const { code, err } = await gatehouse(
      ...["--role", "platform", "--data", data, "--http", "127.0.0.1:0", "--distribution", "127.0.0.1:0"],
      ...["--access", "127.0.0.1:0", "--plugin-center", "127.0.0.1:0", "--push", "127.0.0.1:0"],
    );
    assertEquals(code, 1);
    assertStringIncludes(err, "written by a newer version of this program");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("backups are for whoever may change the system, one at a time, ten at most, by their own names only", async () => {
  const dir = await Deno.makeTempDir(), data = `${dir}/data`;
  try {
    await using p = await testPlatform(embedded(data));
    const { body: key } = await p.call("POST", "/api/v1/keys", {
      name: "reader",
      permissions: ["gateways:read"],
    });
    for (
      const [method, path] of [["POST", ""], ["GET", ""], ["GET", "/x/content"], ["DELETE", "/x"]] as const
    ) {
      const response = await fetch(`${p.url}/api/v1/backups${path}`, {
        method,
        headers: { authorization: `Bearer ${key["key"]}` },
      });
      await response.body?.cancel();
      assertEquals(response.status, 403, `${method} ${path}`);
    }
    for (const id of ["x", "..%2Fplatform", "..%2F..%2Fetc%2Fpasswd"]) {
      assertEquals((await p.call("GET", `/api/v1/backups/${id}/content`)).status, 404, id);
      assertEquals((await p.call("DELETE", `/api/v1/backups/${id}`)).status, 404, id);
    }
    const both = await Promise.all([1, 2].map(() => p.call("POST", "/api/v1/backups")));
    assertEquals(both.map(({ status }) => status).sort(), [201, 409]);
    for (let i = 0; i < 9; i++) assertEquals((await p.call("POST", "/api/v1/backups")).status, 201);
    const full = await p.call("POST", "/api/v1/backups");
    assertEquals([full.status, full.body["code"]], [409, "too_many_backups"]);
    const { items } = (await p.call("GET", "/api/v1/backups")).body as { items: { id: string }[] };
    assertEquals((await p.call("DELETE", `/api/v1/backups/${items[0]!.id}`)).status, 204);
    assertEquals((await p.call("POST", "/api/v1/backups")).status, 201);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
