/**
 * `gatehouse backup` and `gatehouse restore`: the embedded database of a platform, out and in again.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import { messageOf } from "../base/mod.ts";
import type { BackupFacts } from "../storage/mod.ts";
import { EXIT, UsageError, whyNot } from "./errors.ts";

const HELP = `Usage:
  gatehouse backup --to FILE [--url URL] [--data DIR]   back up a running platform's embedded database
  gatehouse backup --check FILE                         say whether a backup is whole, and what it is of
  gatehouse restore --from FILE [--data DIR]            put a backup in its place; the platform must be stopped

  --url URL    the platform's HTTP address; default http://127.0.0.1:8080
  --data DIR   the platform's data folder; default ./data. For a backup: where the token is, if
               GATEHOUSE_ADMIN_TOKEN does not hold one

A backup is one SQLite file and holds all that the platform knows. A PostgreSQL database is backed up with pg_dump.`;

/** Runs it; gives the exit code. */
export async function backupMain(args: readonly string[]): Promise<number> {
  const write = (to: { writeSync(bytes: Uint8Array): number }, line: string) => {
    const bytes = new TextEncoder().encode(`${line}\n`);
    for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
  };
  try {
    write(Deno.stdout, await run(args));
    return EXIT.ok;
  } catch (error) {
    write(Deno.stderr, `gatehouse: ${messageOf(error)}`);
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

async function run([command, ...rest]: readonly string[]): Promise<string> {
  const options = parseArgs(rest, {
    string: ["to", "from", "url", "data", "check"],
    boolean: ["help"],
    unknown: (name: string) => {
      throw new UsageError(`"${name}" is not known: see gatehouse ${command} --help`);
    },
  });
  if (options.help) return HELP;
  const data = options.data || "./data";
  if (command === "restore") {
    if (!options.from) throw new UsageError("--from is needed: the backup's file");
    return await restore(options.from, data);
  }
  if (options.check) return `whole: ${shown(await inspect(options.check))}`;
  if (!options.to) throw new UsageError("--to is needed: a file that is not there yet");
  return await backup(options.to, options.url || "http://127.0.0.1:8080", data);
}

async function backup(to: string, url: string, data: string): Promise<string> {
  const token = Deno.env.get("GATEHOUSE_ADMIN_TOKEN") || await tokenIn(data);
  const call = async (method: string, path: string): Promise<Response> => {
    const response = await fetch(new URL(path, url), {
      method,
      headers: { authorization: `Bearer ${token}` },
    }).catch((error) => {
      const why = reasons(error);
      throw new Error(
        /certificate/.test(why)
          ? `the certificate at ${url} is not trusted: name its CA in DENO_CERT. ${why}`
          : `no platform answers at ${url}: is it running, and is that its address (--url)? ${why}`,
      );
    });
    if (response.ok) return response;
    const text = await response.text();
    const whose = response.status === 401
      ? ": it is GATEHOUSE_ADMIN_TOKEN's, or else --data's admin.token"
      : "";
    throw new Error(`the platform answered ${response.status}: ${detailOf(text)}${whose}`);
  };
  // Made first: what can't be written is known before the platform has any work.
  using file = await Deno.open(to, { write: true, createNew: true, mode: 0o600 }).catch((error) => {
    throw new Error(`"${to}" can't be written: ${whyNot(error)}`);
  });
  try {
    const made = await (await call("POST", "/api/v1/backups")).json() as { id: string; sha256: string };
    try {
      const { body } = await call("GET", `/api/v1/backups/${made.id}/content`);
      const hash = createHash("sha256");
      for await (const chunk of body ?? []) {
        hash.update(chunk);
        for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
      }
      if (hash.digest("hex") !== made.sha256) {
        throw new Error("what came is not what the platform wrote: try again");
      }
    } finally {
      await (await call("DELETE", `/api/v1/backups/${made.id}`)).body?.cancel();
    }
    await file.sync();
    return `${to}: ${shown(await inspect(to))}`;
  } catch (error) {
    await Deno.remove(to).catch(() => {});
    throw error;
  }
}

/** What was said of an error, and of what caused it: some runtimes say "fetch failed" first. */
function reasons(error: unknown): string {
  const more = error instanceof Error && error.cause !== undefined ? `: ${reasons(error.cause)}` : "";
  return messageOf(error) + more;
}

async function tokenIn(data: string): Promise<string> {
  const path = join(data, "admin.token");
  try {
    return (await Deno.readTextFile(path)).trim();
  } catch (error) {
    throw new UsageError(
      `"${path}" can't be read (${whyNot(error)}): name the platform's data folder with --data, ` +
        "or give the token in GATEHOUSE_ADMIN_TOKEN",
    );
  }
}

async function restore(from: string, data: string): Promise<string> {
  await readable(from);
  const { restoreBackup } = await import("../storage/mod.ts");
  const { platformMigrations } = await import("../platform/mod.ts");
  const path = join(data, "platform.db");
  const suffix = `before-${new Date().toISOString().replace(/[-:]/g, "").slice(0, 15)}`;
  const kept = await restoreBackup(from, path, platformMigrations, suffix);
  return kept === undefined ? `${path} restored` : `${path} restored; what was there is ${kept}`;
}

async function inspect(path: string): Promise<BackupFacts> {
  await readable(path);
  const { inspectBackup } = await import("../storage/mod.ts");
  const { platformMigrations } = await import("../platform/mod.ts");
  return inspectBackup(path, platformMigrations);
}

async function readable(path: string): Promise<void> {
  await Deno.stat(path).catch((error) => {
    throw new Error(`"${path}" can't be read: ${whyNot(error)}`);
  });
}

function shown({ size, migrations, version }: BackupFacts): string {
  return `${size} bytes, ${migrations} migrations, the last "${version}"`;
}

/** What a problem says. */
function detailOf(text: string): string {
  try {
    return String((JSON.parse(text) as { detail?: unknown }).detail ?? text).slice(0, 300);
  } catch {
    return text.slice(0, 300);
  }
}
