/**
 * The disk as the spool uses it: real, or failing on purpose in tests.
 *
 * @module
 */

/** An open file of the spool. */
export interface SpoolFile {
  /** Writes all of `bytes` at `at`. */
  write(bytes: Uint8Array, at: number): Promise<void>;
  /** Resolves when what was written is on the disk. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): void;
}

/** A folder of files. Names are without the folder. */
export interface SpoolFiles {
  list(): Promise<string[]>;
  /** Opens a file for writing, made where there is none; a new one is there for good once this resolves. */
  open(name: string): Promise<SpoolFile>;
  /** All of it; undefined where there is none. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** A part of it; shorter where it ends before. */
  readPart(name: string, at: number, length: number): Promise<Uint8Array>;
  rename(from: string, to: string): Promise<void>;
  /** Does nothing where there is none. */
  remove(name: string): Promise<void>;
}

/** Files in the folder `dir`, which is made if it is missing; for their owner's eyes only. */
export async function spoolFolder(dir: string): Promise<SpoolFiles> {
  await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
  const path = (name: string) => `${dir}/${name}`;
  const syncFolder = async () => {
    using folder = await Deno.open(dir, { read: true });
    await folder.sync();
  };
  return {
    async list() {
      const names: string[] = [];
      for await (const { name, isFile } of Deno.readDir(dir)) if (isFile) names.push(name);
      return names.sort();
    },
    async open(name) {
      const file = await Deno.open(path(name), { read: true, write: true, create: true, mode: 0o600 });
      try {
        await syncFolder();
      } catch (error) {
        file.close();
        throw error;
      }
      return {
        async write(bytes, at) {
          await file.seek(at, Deno.SeekMode.Start);
          for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
        },
        sync: () => file.syncData(),
        truncate: (length) => file.truncate(length),
        close: () => file.close(),
      };
    },
    async read(name) {
      try {
        return await Deno.readFile(path(name));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return undefined;
        throw error;
      }
    },
    async readPart(name, at, length) {
      using file = await Deno.open(path(name), { read: true });
      await file.seek(at, Deno.SeekMode.Start);
      const bytes = new Uint8Array(length);
      let got = 0;
      while (got < length) {
        const count = await file.read(bytes.subarray(got));
        if (count === null) break;
        got += count;
      }
      return bytes.subarray(0, got);
    },
    rename: (from, to) => Deno.rename(path(from), path(to)),
    async remove(name) {
      try {
        await Deno.remove(path(name));
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    },
  };
}
