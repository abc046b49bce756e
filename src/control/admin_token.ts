/**
 * The first administrator's token: given by the settings, or made on first start and kept in the data folder.
 *
 * @module
 */
import { encodeBase64Url } from "@std/encoding";
import { type Deps, GatehouseError } from "../base/mod.ts";

/** Shortest token taken from settings or file, in characters. */
const MIN_ADMIN_TOKEN = 8;

/**
 * The administrator's token. `given` (settings) wins; else the content of `<dataDir>/admin.token`; else a new one
 * of 256 random bits, written there with mode 0600. The token never goes to the log.
 *
 * Throws {@linkcode GatehouseError} `bad_admin_token` where the token is too short or not printable ASCII.
 */
export async function loadAdminToken(
  { random, log }: Pick<Deps, "random" | "log">,
  dataDir: string,
  given: string | undefined,
): Promise<string> {
  if (given !== undefined) return checked(given, "the administrator's token that was given");
  const path = `${dataDir}/admin.token`;
  const kept = await readKept(path);
  if (kept) return checked(kept, `the token in "${path}"`);
  await Deno.mkdir(dataDir, { recursive: true });
  const token = `gha_${encodeBase64Url(random.bytes(32))}`;
  // An empty file is what a crash between making and writing it leaves: it is written again.
  const file = await Deno.open(path, { write: true, create: true, truncate: true, mode: 0o600 });
  try {
    await file.write(new TextEncoder().encode(token + "\n"));
    await file.sync();
  } finally {
    file.close();
  }
  log.info("made the administrator's token", { path });
  return token;
}

async function readKept(path: string): Promise<string | undefined> {
  try {
    const { mode } = await Deno.stat(path);
    // Others may read it: closed again before it is used, as a copied folder often loses its modes.
    if (mode !== null && (mode & 0o077) !== 0) await Deno.chmod(path, 0o600);
    return (await Deno.readTextFile(path)).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function checked(token: string, what: string): string {
  if (token.length >= MIN_ADMIN_TOKEN && token.length <= 1024 && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new GatehouseError(
    "bad_admin_token",
    `${what} is not fit: it needs ${MIN_ADMIN_TOKEN} or more printable characters without spaces`,
  );
}
