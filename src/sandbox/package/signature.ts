/**
 * Keys and signatures: Ed25519 by WebCrypto.
 *
 * What is signed is not the archive's bytes but its content digest: the SHA-256 of the tar archive of all files
 * except `signatures.json`. So a package can be signed again, by another key or by several, and stays what it was.
 * A context line goes before the digest, so that no signature made for something else fits.
 *
 * @module
 */
import * as v from "valibot";
import { messageOf } from "../../base/mod.ts";
import { PackageError } from "./errors.ts";
import { type PackageFiles, type PackageLimits, SIGNATURES_FILE } from "./files.ts";
import { writeTar } from "./tar.ts";

const CONTEXT = "gatehouse plug-in package 1\n";
/** The most signatures of a package. */
const MOST_SIGNATURES = 8;

/** One signature over a content digest. */
export interface PackageSignature {
  /** The key's id: the hex SHA-256 of the raw public key. */
  readonly key: string;
  /** 64 bytes. */
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** A key that signs. */
export interface SigningKey {
  readonly id: string;
  readonly name: string;
  readonly privateKey: CryptoKey;
  /** 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

const hexId = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "64 hex digits"));
const base64 = (length: number) =>
  v.pipe(
    v.string(),
    v.maxLength(1000),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      try {
        const bytes = Uint8Array.fromBase64(dataset.value);
        if (bytes.length === length) return bytes;
      } catch {
        // told below
      }
      addIssue({ message: `base64 of ${length} bytes` });
      return NEVER;
    }),
  );
const keyName = v.optional(v.pipe(v.string(), v.maxLength(200)), "");
const SIGNATURES = v.strictObject({
  format: v.literal(1),
  signatures: v.pipe(
    v.array(v.strictObject({ key: hexId, algorithm: v.literal("Ed25519"), signature: base64(64) })),
    v.minLength(1),
    v.maxLength(MOST_SIGNATURES),
  ),
});
const PUBLIC_KEY = v.strictObject({
  type: v.literal("gatehouse-public-key"),
  algorithm: v.literal("Ed25519"),
  id: hexId,
  name: keyName,
  publicKey: base64(32),
});
const PRIVATE_KEY = v.strictObject({
  type: v.literal("gatehouse-private-key"),
  algorithm: v.literal("Ed25519"),
  id: hexId,
  name: keyName,
  publicKey: base64(32),
  privateKey: base64(48),
});

/** The id of a raw public key. */
export async function keyIdOf(publicKey: Uint8Array<ArrayBuffer>): Promise<string> {
  return await sha256Hex(publicKey);
}

/** Hex SHA-256. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** Makes a pair of keys: the texts of the two key files. `privateFile` is a secret. */
export async function makeKeys(
  name: string,
): Promise<{ id: string; privateFile: string; publicFile: string }> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]) as CryptoKeyPair;
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const secret = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const id = await keyIdOf(raw);
  const common = { algorithm: "Ed25519", id, name, publicKey: raw.toBase64() };
  return {
    id,
    privateFile: jsonFile({ type: "gatehouse-private-key", ...common, privateKey: secret.toBase64() }),
    publicFile: jsonFile({ type: "gatehouse-public-key", ...common }),
  };
}

/** Reads a private key file. Throws PackageError `signature`; the message never shows what it holds. */
export async function readPrivateKey(text: string): Promise<SigningKey> {
  const file = parsed(text, PRIVATE_KEY, "the private key file");
  try {
    const privateKey = await crypto.subtle.importKey("pkcs8", file.privateKey, "Ed25519", false, ["sign"]);
    const key = { id: file.id, name: file.name, privateKey, publicKey: file.publicKey };
    const proof = new TextEncoder().encode("proof");
    const made = new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, proof));
    if (await keyIdOf(file.publicKey) === file.id && await isSignedBy(file.publicKey, made, proof)) {
      return key;
    }
  } catch (error) {
    throw new PackageError("signature", `the private key can't be used: ${messageOf(error)}`);
  }
  throw new PackageError("signature", "the private key file has parts that do not belong together");
}

/** Reads a public key file. Throws PackageError `signature`. */
export async function readPublicKey(
  text: string,
): Promise<{ id: string; name: string; publicKey: Uint8Array<ArrayBuffer> }> {
  const { id, name, publicKey } = parsed(text, PUBLIC_KEY, "the public key file");
  if (await keyIdOf(publicKey) !== id) {
    throw new PackageError("signature", "the public key file's id is not that of its key");
  }
  return { id, name, publicKey };
}

/** The hex SHA-256 over all files but the signatures: what signatures are over. */
export async function contentDigest(files: PackageFiles, limits: PackageLimits): Promise<string> {
  const content = new Map(files);
  content.delete(SIGNATURES_FILE);
  return await sha256Hex(writeTar(content, limits));
}

/** Signs a content digest. */
export async function signDigest(digest: string, key: SigningKey): Promise<PackageSignature> {
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key.privateKey, messageFor(digest)));
  return { key: key.id, signature };
}

/** Whether `signature` is by the owner of `publicKey` (32 bytes) over this content digest. */
export async function verifyDigest(
  digest: string,
  { signature }: PackageSignature,
  publicKey: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  return await isSignedBy(publicKey, signature, messageFor(digest));
}

/** `signatures.json`. */
export function writeSignatures(signatures: readonly PackageSignature[]): Uint8Array<ArrayBuffer> {
  const sorted = signatures.toSorted((a, b) => a.key < b.key ? -1 : 1).map(({ key, signature }) => ({
    key,
    algorithm: "Ed25519",
    signature: signature.toBase64(),
  }));
  if (sorted.length > MOST_SIGNATURES) {
    throw new PackageError("signature", `a package has at most ${MOST_SIGNATURES} signatures`);
  }
  return new TextEncoder().encode(jsonFile({ format: 1, signatures: sorted }));
}

/** Reads `signatures.json`. Throws PackageError `signature`. */
export function readSignatures(bytes: Uint8Array): PackageSignature[] {
  const text = new TextDecoder().decode(bytes);
  const { signatures } = parsed(text, SIGNATURES, `"${SIGNATURES_FILE}"`);
  if (new Set(signatures.map(({ key }) => key)).size !== signatures.length) {
    throw new PackageError("signature", `"${SIGNATURES_FILE}" has two signatures by one key`);
  }
  return signatures.map(({ key, signature }) => ({ key, signature }));
}

function messageFor(digest: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${CONTEXT}${digest}\n`);
}

async function isSignedBy(
  publicKey: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", true, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, signature, message);
  } catch {
    return false; // 32 bytes that are no point of the curve
  }
}

function parsed<S extends v.GenericSchema>(text: string, schema: S, what: string): v.InferOutput<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new PackageError("signature", `${what} is not JSON`);
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const faults = result.issues.map((issue) => `${v.getDotPath(issue) ?? "."}: ${issueText(issue)}`);
  throw new PackageError("signature", `${what} is not valid: ${faults.join("; ")}`, {}, faults);
}

/** What was received is left out: it may be a key. */
function issueText(issue: v.BaseIssue<unknown>): string {
  return issue.kind === "transformation" ? issue.message : `expected ${issue.expected ?? issue.message}`;
}

function jsonFile(value: unknown): string {
  return JSON.stringify(value, undefined, 2) + "\n";
}
