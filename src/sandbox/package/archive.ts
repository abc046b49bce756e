/**
 * A package's outer form: the tar archive inside gzip.
 *
 * Written with fflate, whose output depends on its input alone (the runtime's own compressor changes with the
 * runtime and with the processor). Read with the runtime's own inflater, which checks the checksum, in small
 * pieces, so that an archive which inflates past its limit is dropped within a few MiB of it.
 *
 * @module
 */
import { PackageError } from "./errors.ts";
import { DEFAULT_PACKAGE_LIMITS, type PackageFiles, type PackageLimits } from "./files.ts";
import { readTar, writeTar } from "./tar.ts";

/** Deflate makes at most this many bytes of one. */
const DEFLATE_RATIO = 1032;
/** Bytes given to the inflater at once. */
const PIECE = 2048;
/** The smallest gzip file: header and trailer. */
const SMALLEST = 18;

/** Whether the bytes begin as a package does. */
export function looksPacked(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Packs files: the same files give the same bytes, on every machine. Throws PackageError. */
export async function writeArchive(
  files: PackageFiles,
  limits: PackageLimits = DEFAULT_PACKAGE_LIMITS,
): Promise<Uint8Array<ArrayBuffer>> {
  const { gzipSync } = await import("fflate"); // who only reads packages does without it
  const packed = new Uint8Array(gzipSync(writeTar(files, limits), { level: 9, mtime: 0 }));
  if (packed.length > limits.packedBytes) throw tooLarge(limits);
  return packed;
}

/** Unpacks. `tar`: the whole archive, into which the files are views. Throws PackageError. */
export async function readArchive(
  bytes: Uint8Array<ArrayBuffer>,
  limits: PackageLimits = DEFAULT_PACKAGE_LIMITS,
): Promise<Map<string, Uint8Array>> {
  if (bytes.length > limits.packedBytes) throw tooLarge(limits);
  return readTar(await inflate(bytes, limits.bytes), limits);
}

/** Inflates one gzip member. At no time is there more than `limit` and a piece's worth in memory. */
async function inflate(bytes: Uint8Array<ArrayBuffer>, limit: number): Promise<Uint8Array> {
  if (!looksPacked(bytes) || bytes.length < SMALLEST) {
    throw new PackageError("not_package", "this is no package: it does not begin as gzip does");
  }
  if (bytes[2] !== 8 || bytes[3] !== 0) {
    throw new PackageError("form", "the package's gzip header has parts that no package has");
  }
  const declared = new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4, true);
  if (declared > bytes.length * DEFLATE_RATIO) {
    throw new PackageError("corrupt", "the package is damaged or cut short"); // no size at all
  }
  if (declared > limit) {
    throw new PackageError("size", `the package declares ${declared} bytes unpacked: ${limit} at most`);
  }
  const tar = new Uint8Array(declared);
  let length = 0, at = 0;
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at += PIECE));
    },
  }, { highWaterMark: 0 });
  try {
    for await (const piece of source.pipeThrough(new DecompressionStream("gzip"))) {
      if (length + piece.length > declared) {
        throw new PackageError("size", `the package inflates to more than the ${declared} bytes it declares`);
      }
      tar.set(piece, length);
      length += piece.length;
    }
  } catch (error) {
    if (error instanceof PackageError) throw error;
    throw new PackageError("corrupt", "the package is damaged or cut short", { cause: error });
  }
  if (length !== declared) {
    throw new PackageError("corrupt", `the package has ${length} bytes unpacked, not ${declared}`);
  }
  return tar;
}

function tooLarge({ packedBytes }: PackageLimits): PackageError {
  return new PackageError("size", `the package has more than ${packedBytes} bytes`);
}
