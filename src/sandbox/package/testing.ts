/**
 * What the tests of packages share: small plug-ins, archives made by hand, keys.
 *
 * @module
 */
import { gzipSync } from "fflate";
import { readPrivateKey, readPublicKey, type SigningKey } from "./signature.ts";
import { makeKeys } from "./signature.ts";

/** The source of a small plug-in. */
export function source(
  name = "com.example.hello",
  version = "1.0",
  more: Record<string, unknown> = {},
): string {
  const manifest = {
    name,
    version,
    apiVersion: "2026-11-01",
    commands: { HELLO: { right: "both" } },
    ...more,
  };
  return `export const manifest = ${JSON.stringify(manifest)};\n` +
    `export const commands = { HELLO: () => ({ text: "hello from " + manifest.version }) };\n`;
}

/** Files from texts. */
export function filesOf(texts: Readonly<Record<string, string>>): Map<string, Uint8Array> {
  return new Map(Object.entries(texts).map(([path, text]) => [path, new TextEncoder().encode(text)]));
}

/** One entry of a tar archive that is made by hand, fields as they are wanted. */
export interface RawEntry {
  readonly path: string;
  readonly prefix?: string;
  readonly content?: string | Uint8Array;
  readonly type?: string;
  readonly link?: string;
  /** What the header says, where it lies. */
  readonly size?: number;
  readonly mode?: string;
}

/** A gzipped tar archive made by hand, with checksums that are right. */
export function rawPackage(
  entries: readonly RawEntry[],
  tail = new Uint8Array(1024),
): Uint8Array<ArrayBuffer> {
  const blocks: Uint8Array[] = [];
  for (const { path, prefix = "", content = "", type = "0", link = "", size, mode = "0000644" } of entries) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const header = new Uint8Array(512);
    const put = (at: number, text: string) => void new TextEncoder().encodeInto(text, header.subarray(at));
    put(0, path);
    put(100, `${mode}\0` + "0000000\0" + "0000000\0");
    put(124, (size ?? bytes.length).toString(8).padStart(11, "0") + "\0");
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, type);
    put(157, link);
    put(257, "ustar\0" + "00");
    put(329, "0000000\0" + "0000000\0");
    put(345, prefix);
    put(148, header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0") + "\0 ");
    const padded = new Uint8Array(Math.ceil(bytes.length / 512) * 512);
    padded.set(bytes);
    blocks.push(header, padded);
  }
  return gzipped(joined([...blocks, tail]));
}

/** Gzip as packages have it. */
export function gzipped(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(bytes, { level: 9, mtime: 0 }));
}

/** Arrays one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A fresh key, ready to sign and to be trusted. */
export async function freshKey(name = "test"): Promise<SigningKey> {
  const { privateFile, publicFile } = await makeKeys(name);
  await readPublicKey(publicFile);
  return await readPrivateKey(privateFile);
}
