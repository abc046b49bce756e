/**
 * Passwords given by a file: `{"user": "…", "admin": "…"}`, either of them.
 *
 * @module
 */
import { GatehouseError, type Log } from "../../base/mod.ts";
import { readJsonFile } from "./json_file.ts";
import { ACCOUNTS, type Passwords } from "./passwords.ts";

/**
 * Takes the passwords over that the file at `path` gives; those it does not name stay as they are. `required`: fails
 * where there is no such file. Throws {@linkcode GatehouseError} `bad_password_file` or `bad_password`.
 */
export async function applyPasswordsFile(
  passwords: Passwords,
  path: string,
  options: { required: boolean; log: Log },
): Promise<void> {
  const fail = (what: string, cause?: unknown) =>
    new GatehouseError("bad_password_file", `passwords file "${path}": ${what}`, { cause });
  let content: unknown;
  try {
    content = await readJsonFile(path);
  } catch (cause) {
    throw fail(cause instanceof SyntaxError ? "not JSON" : "can't be read", cause);
  }
  if (content === undefined) {
    if (options.required) throw fail("no such file");
    return;
  }
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw fail("not a JSON object");
  }
  for (const [name, value] of Object.entries(content)) {
    const account = ACCOUNTS.find((known) => known === name);
    if (!account) throw fail(`"${name.slice(0, 32)}" is neither "user" nor "admin"`);
    if (typeof value !== "string") throw fail(`"${name}" is not a string`);
    const known = await passwords.check(value);
    if (known.ok && known.account === account) continue;
    await passwords.set(account, value);
    options.log.info("took a password over from the file", { account, path });
  }
}
