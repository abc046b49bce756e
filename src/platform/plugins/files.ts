/**
 * The content of the repository: files under their SHA-256.
 *
 * @module
 */
import { join } from "@std/path";
import type { Deps } from "../../base/mod.ts";

/** Where several nodes keep what one of them took in: each of them may be asked for it. */
export interface SharedFiles {
  read(sha256: string): Promise<Uint8Array | undefined>;
  write(sha256: string, bytes: Uint8Array): Promise<void>;
  remove(sha256: string): Promise<void>;
}

/** A folder of files. */
export class PluginFiles {
  private constructor(
    private readonly random: Deps["random"],
    private readonly dir: string,
    private readonly shared: SharedFiles | undefined,
  ) {}

  /** `shared`: what other nodes took in, fetched into the folder when it is first asked for. */
  static async open(random: Deps["random"], dir: string, shared?: SharedFiles): Promise<PluginFiles> {
    await Deno.mkdir(dir, { recursive: true });
    return new PluginFiles(random, dir, shared);
  }

  /** A file appears under its name only when it is whole and on disk. */
  async write(sha256: string, bytes: Uint8Array): Promise<void> {
    await this.shared?.write(sha256, bytes);
    await this.#keep(sha256, bytes);
  }

  async #keep(sha256: string, bytes: Uint8Array): Promise<void> {
    const path = this.#path(sha256), draft = `${path}.${this.random.bytes(6).toHex()}.tmp`;
    const file = await Deno.open(draft, { write: true, createNew: true });
    try {
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(draft, path);
  }

  /** All of a file; undefined where it is not there. */
  async read(sha256: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const found = await this.open(sha256, 0);
    return found && new Uint8Array(await new Response(found.stream).arrayBuffer());
  }

  /** A file from the byte `from` on; undefined where it is not there. */
  async open(
    sha256: string,
    from: number,
  ): Promise<{ stream: ReadableStream<Uint8Array<ArrayBuffer>>; size: number } | undefined> {
    if (!/^[0-9a-f]{64}$/.test(sha256)) return undefined;
    try {
      const file = await Deno.open(this.#path(sha256));
      const { size } = await file.stat();
      await file.seek(Math.min(from, size), Deno.SeekMode.Start);
      return { stream: file.readable, size };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      const bytes = await this.shared?.read(sha256);
      if (!bytes) return undefined;
      await this.#keep(sha256, bytes);
      return await this.open(sha256, from);
    }
  }

  /** Whether several nodes keep files here: then another one may have removed what is in the folder still. */
  get isShared(): boolean {
    return this.shared !== undefined;
  }

  async remove(sha256: string): Promise<void> {
    await this.shared?.remove(sha256);
    await this.forget(sha256);
  }

  /** Removes this node's own copy. */
  async forget(sha256: string): Promise<void> {
    try {
      await Deno.remove(this.#path(sha256));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** All under one ending, from the time when there were only scripts: what it is, its row says. */
  #path(sha256: string): string {
    return join(this.dir, `${sha256}.js`);
  }
}
