/**
 * Keeping contents and secrets unreadable in the database: AES-256-GCM under a key in a file of its own.
 *
 * @module
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { GatehouseError, type Random } from "../../base/mod.ts";

const NONCE = 12, TAG = 16, KEY = 32;

/** The key does not fit what was sealed, or the file is no key. */
export class SealError extends GatehouseError<"key" | "broken"> {
  override readonly name = "SealError";
}

/** Seals and opens octets: nonce, tag, then what was encrypted. */
export class Seal {
  constructor(private readonly key: Uint8Array, private readonly random: Pick<Random, "bytes">) {}

  /** Reads the key's file, or makes it (mode 0600). Without this file nothing that was sealed can be read. */
  static async open(path: string, random: Pick<Random, "bytes">): Promise<Seal> {
    if (!await Deno.stat(path).then(() => true, () => false)) await make(path, random);
    const key = await Deno.readFile(path);
    if (key.length !== KEY) throw new SealError("key", `"${path}" has ${key.length} octets, a key ${KEY}`);
    return new Seal(key, random);
  }

  seal(plain: Uint8Array): Uint8Array<ArrayBuffer> {
    const nonce = this.random.bytes(NONCE);
    const cipher = createCipheriv("aes-256-gcm", this.key, nonce);
    const body = cipher.update(plain);
    cipher.final();
    const sealed = new Uint8Array(NONCE + TAG + body.length);
    sealed.set(nonce);
    sealed.set(cipher.getAuthTag(), NONCE);
    sealed.set(body, NONCE + TAG);
    return sealed;
  }

  /** @throws {SealError} `broken` where it was sealed under another key, or changed */
  open(sealed: Uint8Array): Uint8Array<ArrayBuffer> {
    try {
      const decipher = createDecipheriv("aes-256-gcm", this.key, sealed.subarray(0, NONCE));
      decipher.setAuthTag(sealed.subarray(NONCE, NONCE + TAG));
      const plain = decipher.update(sealed.subarray(NONCE + TAG));
      decipher.final();
      return new Uint8Array(plain);
    } catch (cause) {
      throw new SealError("broken", "what was sealed can't be opened: another key, or changed", { cause });
    }
  }
}

/** Makes the file, whole and on the disk before it has its name: half a key would keep the program from starting. */
async function make(path: string, random: Pick<Random, "bytes">): Promise<void> {
  const part = `${path}.${random.bytes(8).toHex()}`;
  try {
    {
      using file = await Deno.open(part, { write: true, createNew: true, mode: 0o600 });
      await file.write(random.bytes(KEY));
      await file.sync();
    }
    await Deno.link(part, path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error; // else somebody was quicker, and that one counts
  } finally {
    await Deno.remove(part).catch(() => {});
  }
}
