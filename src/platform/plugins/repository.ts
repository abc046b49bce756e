/**
 * The platform's plug-ins: files under their SHA-256, rows that say what they are.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import type { Kysely } from "kysely";
import { type Deps, GatehouseError } from "../../base/mod.ts";
import type { PluginRow, RegistryTables } from "../registry/mod.ts";
import { manifestFaults } from "./manifest_check.ts";
import { readManifest } from "./manifest_source.ts";

/**
 * - `invalid`: not a plug-in; the message says where and why
 * - `exists`: that version is there with other content; versions never change
 */
export type RepositoryErrorCode = "invalid" | "exists";

/** Why a plug-in was not taken in. */
export class RepositoryError extends GatehouseError<RepositoryErrorCode> {
  override readonly name = "RepositoryError";
}

/** The largest plug-in taken in, in bytes. */
export const MAX_PLUGIN_BYTES = 1024 * 1024;

/** Plug-ins by name and version. */
export class PluginRepository {
  private constructor(
    private readonly deps: Pick<Deps, "clock" | "random">,
    private readonly db: Kysely<RegistryTables>,
    private readonly dir: string,
  ) {}

  static async open(
    deps: Pick<Deps, "clock" | "random">,
    db: Kysely<RegistryTables>,
    dir: string,
  ): Promise<PluginRepository> {
    await Deno.mkdir(dir, { recursive: true });
    return new PluginRepository(deps, db, dir);
  }

  /**
   * Takes in a plug-in: the bytes of its `.js` file. The same bytes again are no fault.
   * @throws {RepositoryError}
   */
  async add(bytes: Uint8Array, by: string): Promise<{ plugin: PluginRow; created: boolean }> {
    const manifest = this.#checked(bytes);
    const name = String(manifest.name), version = String(manifest.version);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const known = await this.find(name, version);
    if (known) {
      if (known.sha256 === sha256) return { plugin: known, created: false };
      throw new RepositoryError(
        "exists",
        `plug-in "${name}" ${version} is there with other content: give the changed one another version`,
      );
    }
    const plugin: PluginRow = {
      name,
      version,
      size: bytes.length,
      sha256,
      manifest: JSON.stringify(manifest),
      uploaded_at: this.deps.clock.now(),
      uploaded_by: by,
    };
    await this.#write(sha256, bytes);
    await this.db.insertInto("plugin").values(plugin).execute();
    return { plugin, created: true };
  }

  find(name: string, version: string): Promise<PluginRow | undefined> {
    return this.db.selectFrom("plugin").selectAll().where("name", "=", name).where("version", "=", version)
      .executeTakeFirst();
  }

  list(): Promise<PluginRow[]> {
    return this.db.selectFrom("plugin").selectAll().orderBy("name").orderBy("uploaded_at").execute();
  }

  /** Removes a version; false where there is none. Its file goes when no version has that content any more. */
  async remove(name: string, version: string): Promise<boolean> {
    const known = await this.find(name, version);
    if (!known) return false;
    await this.db.deleteFrom("plugin").where("name", "=", name).where("version", "=", version).execute();
    const other = await this.db.selectFrom("plugin").select("name").where("sha256", "=", known.sha256)
      .executeTakeFirst();
    if (!other) await Deno.remove(this.#path(known.sha256)).catch(ignoreAbsent);
    return true;
  }

  /** The content with that hex SHA-256; undefined where there is none. */
  async content(sha256: string): Promise<{ stream: ReadableStream<Uint8Array>; size: number } | undefined> {
    if (!/^[0-9a-f]{64}$/.test(sha256)) return undefined;
    try {
      const file = await Deno.open(this.#path(sha256));
      return { stream: file.readable, size: (await file.stat()).size };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  #checked(bytes: Uint8Array): Record<string, unknown> {
    if (bytes.length > MAX_PLUGIN_BYTES) {
      throw new RepositoryError("invalid", `a plug-in has at most ${MAX_PLUGIN_BYTES} bytes`);
    }
    let source;
    try {
      source = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch (error) {
      throw new RepositoryError("invalid", "the plug-in is not UTF-8 text", { cause: error });
    }
    let manifest;
    try {
      manifest = readManifest(source);
    } catch (error) {
      if (!(error instanceof GatehouseError)) throw error;
      throw new RepositoryError("invalid", error.message, { cause: error });
    }
    const faults = manifestFaults(manifest);
    if (faults.length > 0) {
      throw new RepositoryError("invalid", `the manifest is not valid: ${faults.join("; ")}`);
    }
    return manifest;
  }

  /** A file appears under its name only when it is whole and on disk. */
  async #write(sha256: string, bytes: Uint8Array): Promise<void> {
    const path = this.#path(sha256), draft = `${path}.${this.deps.random.bytes(6).toHex()}.tmp`;
    const file = await Deno.open(draft, { write: true, createNew: true });
    try {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(draft, path);
  }

  #path(sha256: string): string {
    return join(this.dir, `${sha256}.js`);
  }
}

function ignoreAbsent(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
