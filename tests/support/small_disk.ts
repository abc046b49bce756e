/**
 * A disk of a test's own that is soon full: a file system in memory.
 *
 * @module
 */

/** A mounted disk. Disposing of it takes it away. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Leaves not a byte of room. */
  fill(): Promise<void>;
  /** Gives all room back that {@linkcode SmallDisk.fill} took. */
  free(): Promise<void>;
}

/** Why a test can't have one here; undefined where it can. */
export async function noSmallDiskBecause(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "needs root, to mount a file system";
  const disk = await smallDisk(1).catch(() => undefined);
  if (!disk) return "needs the right to mount a file system";
  await disk[Symbol.asyncDispose]();
  return undefined;
}

/** Mounts a disk of that many MiB. */
export async function smallDisk(mebibytes: number): Promise<SmallDisk> {
  const path = await Deno.makeTempDir({ prefix: "gatehouse-disk-" });
  const run = async (program: string, ...args: string[]) => {
    const { success, stderr } = await new Deno.Command(program, { args, stdout: "null", stderr: "piped" })
      .output();
    if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  };
  try {
    await run("mount", "-t", "tmpfs", "-o", `size=${mebibytes}m`, "none", path);
  } catch (error) {
    await Deno.remove(path);
    throw error;
  }
  const ballast = `${path}/ballast`;
  return {
    path,
    async fill() {
      using file = await Deno.open(ballast, { write: true, create: true, append: true });
      for (let size = 1 << 20; size >= 1;) {
        try {
          await file.write(new Uint8Array(size));
        } catch {
          size >>= 1;
        }
      }
    },
    free: () => Deno.remove(ballast),
    async [Symbol.asyncDispose]() {
      await run("umount", path);
      await Deno.remove(path);
    },
  };
}
