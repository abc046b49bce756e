/**
 * Files of keys, as the author's commands are given them.
 *
 * @module
 */
import { PackageError, readPrivateKey, readPublicKey, type SigningKey } from "../../sandbox/package/mod.ts";
import { StartError } from "../errors.ts";

/** The private key in `file`. @throws {StartError} */
export function privateKeyIn(file: string): Promise<SigningKey> {
  return keyIn(file, readPrivateKey, "a private key is needed, the .key that keygen made");
}

/** The public key in `file`. @throws {StartError} */
export function publicKeyIn(file: string): ReturnType<typeof readPublicKey> {
  return keyIn(file, readPublicKey, "a public key is needed, the .pub that keygen made");
}

async function keyIn<T>(file: string, read: (text: string) => Promise<T>, needed: string): Promise<T> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new StartError(`there is no "${file}": ${needed}`);
    throw error;
  }
  try {
    return await read(text);
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    // The other one of the pair is the likeliest slip, and what a schema says of it tells nobody so.
    const other = /"gatehouse-(private|public)-key"/.exec(text)?.[1];
    throw new StartError(
      other === undefined || needed.includes(`a ${other} key`)
        ? `"${file}": ${error.message}`
        : `"${file}" holds the ${other} key: ${needed}`,
      { cause: error },
    );
  }
}
