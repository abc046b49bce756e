/**
 * The one form of tar that a package has: POSIX ustar, regular files only, every header field fixed but path and
 * size.
 *
 * Tar libraries take what is out there: links, folders, devices, long names, extended headers that say other than
 * the header after them. All of that is what a package must not have; so the reader accepts exactly what the
 * writer writes, byte for byte, and no two archives unpack to the same files.
 *
 * @module
 */
import { PackageError } from "./errors.ts";
import { compareFiles, type PackageFiles, type PackageLimits, PathBook, shown } from "./files.ts";

const BLOCK = 512;
/** Two empty blocks end an archive. */
const END = 2 * BLOCK;
const LARGEST_SIZE = 0o77777777777;

/** Bytes that a file of `size` bytes takes in an archive. */
function roomFor(size: number): number {
  return BLOCK + Math.ceil(size / BLOCK) * BLOCK;
}

/** The archive of `files`; their order does not matter. Throws PackageError. */
export function writeTar(files: PackageFiles, limits: PackageLimits): Uint8Array<ArrayBuffer> {
  const book = new PathBook(limits);
  let length = END;
  for (const [path, bytes] of files) {
    book.add(path);
    length += roomFor(bytes.length);
  }
  if (length > limits.bytes) throw tooLarge(limits.bytes);
  const tar = new Uint8Array(length);
  let at = 0;
  for (const path of [...files.keys()].sort(compareFiles)) {
    const bytes = files.get(path)!;
    tar.set(headerOf(path, bytes.length), at);
    tar.set(bytes, at + BLOCK);
    at += roomFor(bytes.length);
  }
  return tar;
}

/** The files of an archive, in its order; each is a view into `tar`. Throws PackageError. */
export function readTar(tar: Uint8Array, limits: PackageLimits): Map<string, Uint8Array> {
  if (tar.length > limits.bytes) throw tooLarge(limits.bytes);
  const book = new PathBook(limits), files = new Map<string, Uint8Array>();
  let at = 0, previous: string | undefined;
  for (;;) {
    const header = tar.subarray(at, at + BLOCK);
    if (header.length < BLOCK) throw new PackageError("corrupt", "the archive breaks off");
    if (isZero(header)) break;
    const { path, size } = readHeader(header);
    book.add(path);
    const start = at + BLOCK, end = at + roomFor(size);
    if (end > tar.length) {
      throw new PackageError("corrupt", `"${path}" declares ${size} bytes and the archive breaks off in it`);
    }
    // What the header says has been understood: now it must be the very header that the writer writes.
    if (!isEqual(header, headerOf(path, size)) || !isZero(tar.subarray(start + size, end))) {
      throw new PackageError("form", `"${path}" is not packed as "plugin pack" does it`);
    }
    if (previous !== undefined && compareFiles(previous, path) >= 0) {
      throw new PackageError("form", `"${path}" is not in its place: files are in order of their paths`);
    }
    previous = path;
    files.set(path, tar.subarray(start, start + size));
    at = end;
  }
  if (tar.length - at !== END || !isZero(tar.subarray(at))) {
    throw new PackageError("form", "there is more after the end of the archive, or less");
  }
  return files;
}

function headerOf(path: string, size: number): Uint8Array {
  const header = new Uint8Array(BLOCK);
  const put = (at: number, text: string) => void new TextEncoder().encodeInto(text, header.subarray(at));
  put(0, path);
  put(100, "0000644\0" + "0000000\0" + "0000000\0"); // mode, user, group
  put(124, size.toString(8).padStart(11, "0") + "\0");
  put(136, "00000000000\0"); // time of change
  put(148, " ".repeat(8)); // the checksum counts as blanks
  put(156, "0");
  put(257, "ustar\0" + "00");
  put(329, "0000000\0" + "0000000\0"); // device
  put(148, sumOf(header).toString(8).padStart(6, "0") + "\0 ");
  return header;
}

function sumOf(header: Uint8Array): number {
  let sum = 0;
  for (const byte of header) sum += byte;
  return sum;
}

/** Path and size of a header, with a clear word on what a package must not have. */
function readHeader(header: Uint8Array): { path: string; size: number } {
  const stored = octal(header, 148, 8);
  const blanked = header.slice();
  blanked.fill(0x20, 148, 156);
  if (stored !== sumOf(blanked)) throw new PackageError("corrupt", "a header has a wrong checksum");
  const prefix = textAt(header, 345, 155), name = textAt(header, 0, 100);
  const path = prefix === "" ? name : `${prefix}/${name}`;
  const type = String.fromCharCode(header[156]!);
  if (type === "1" || type === "2") throw new PackageError("link", `"${shown(path)}" is a link`);
  if (type === "5" || type === "3" || type === "4" || type === "6") {
    throw new PackageError("link", `"${shown(path)}" is not a regular file`);
  }
  if (type !== "0" && type !== "\0") {
    throw new PackageError("form", `"${shown(path)}" has an extended header (type "${shown(type)}")`);
  }
  const size = octal(header, 124, 12);
  if (size === undefined || size > LARGEST_SIZE) {
    throw new PackageError("form", `"${shown(path)}" has a size that can't be read`);
  }
  return { path, size };
}

/** Each byte a character, up to the first NUL. */
function textAt(header: Uint8Array, at: number, length: number): string {
  const field = header.subarray(at, at + length), end = field.indexOf(0);
  return String.fromCharCode(...(end < 0 ? field : field.subarray(0, end)));
}

function octal(header: Uint8Array, at: number, length: number): number | undefined {
  const digits = /^ *([0-7]+) *$/.exec(textAt(header, at, length))?.[1];
  return digits === undefined ? undefined : parseInt(digits, 8);
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function tooLarge(limit: number): PackageError {
  return new PackageError("size", `the package has more than ${limit} bytes unpacked`);
}
