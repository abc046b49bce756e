/**
 * The platform's plug-ins: files under their SHA-256, rows that say what they are.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import type { Kysely } from "kysely";
import { type Deps, GatehouseError } from "../../base/mod.ts";
import { isVersion } from "../../protocol/smart_gateway/mod.ts";
import {
  checkCode,
  checkSource,
  DEFAULT_PACKAGE_LIMITS,
  looksPacked,
  PackageError,
  type RawManifest,
  readPackage,
} from "../../sandbox/package/mod.ts";
import type { PluginRow, RegistryTables } from "../registry/mod.ts";

/**
 * - `invalid`: not a plug-in; the message says where and why
 * - `exists`: that version is there with other content; versions never change
 */
export type RepositoryErrorCode = "invalid" | "exists";

/** Why a plug-in was not taken in. */
export class RepositoryError extends GatehouseError<RepositoryErrorCode> {
  override readonly name = "RepositoryError";

  /** `faults`: every fault of the manifest with its path, where it is the manifest's. */
  constructor(
    code: RepositoryErrorCode,
    message: string,
    options?: ErrorOptions,
    readonly faults: readonly string[] = [],
  ) {
    super(code, message, options);
  }
}

/** The largest plug-in taken in, in bytes: a package, and a single source. */
export const MAX_PLUGIN_BYTES = DEFAULT_PACKAGE_LIMITS.packedBytes;
const MAX_SOURCE_BYTES = 1024 * 1024;

/** What a plug-in's bytes turned out to be. */
interface Checked {
  readonly manifest: RawManifest;
  readonly format: PluginRow["format"];
  /** Ids of the keys that signed it. Not verified: a gateway knows whom it trusts, a platform does not. */
  readonly signedBy: readonly string[];
}

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
   * Takes in a plug-in: a package, or the source of a single module. The same bytes again are no fault.
   * @throws {RepositoryError}
   */
  async add(bytes: Uint8Array<ArrayBuffer>, by: string): Promise<{ plugin: PluginRow; created: boolean }> {
    const { manifest, format, signedBy } = await checked(bytes);
    const { name, version } = manifest;
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
      format,
      signed_by: JSON.stringify(signedBy),
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

  /** The content with that hex SHA-256, from the byte `from` on; undefined where there is none. */
  async content(
    sha256: string,
    from = 0,
  ): Promise<{ stream: ReadableStream<Uint8Array>; size: number } | undefined> {
    if (!/^[0-9a-f]{64}$/.test(sha256)) return undefined;
    try {
      const file = await Deno.open(this.#path(sha256));
      const { size } = await file.stat();
      await file.seek(Math.min(from, size), Deno.SeekMode.Start);
      return { stream: file.readable, size };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
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

  /** All under one ending, from the time when there were only scripts: what it is, its row says. */
  #path(sha256: string): string {
    return join(this.dir, `${sha256}.js`);
  }
}

/** Looks at a plug-in without running it. */
async function checked(bytes: Uint8Array<ArrayBuffer>): Promise<Checked> {
  try {
    const found = looksPacked(bytes) ? await checkedPackage(bytes) : await checkedSource(bytes);
    // A version that the protocol can't carry could never be asked for.
    if (isVersion(found.manifest.version)) return found;
    const fault = 'manifest.version: dotted decimal, such as "1.0"';
    throw new RepositoryError("invalid", `the manifest is not valid: ${fault}`, {}, [fault]);
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    throw new RepositoryError("invalid", error.message, { cause: error }, error.faults);
  }
}

async function checkedPackage(bytes: Uint8Array<ArrayBuffer>): Promise<Checked> {
  const { manifest, files, signatures } = await readPackage(bytes);
  await checkCode(files);
  return { manifest, format: "package", signedBy: signatures.map(({ key }) => key) };
}

async function checkedSource(bytes: Uint8Array): Promise<Checked> {
  if (bytes.length > MAX_SOURCE_BYTES) {
    throw new RepositoryError("invalid", `a single source has at most ${MAX_SOURCE_BYTES} bytes: pack it`);
  }
  let source;
  try {
    source = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new RepositoryError("invalid", "the plug-in is neither a package nor UTF-8 text", { cause: error });
  }
  return { manifest: await checkSource(source), format: "script", signedBy: [] };
}

function ignoreAbsent(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
