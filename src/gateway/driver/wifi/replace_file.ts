/**
 * Replacing somebody else's file, so that whatever happens there is the old one or the new one.
 *
 * @module
 */

/** Writes `text` beside the file, with its mode and, as root, its owner, and renames it over. Resolves when it is on the disk. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const { mode, uid, gid } = await Deno.stat(path);
  const beside = `${path}.gatehouse-new`;
  // Nobody else's eyes, whatever the old one had, until it has its owner.
  const file = await Deno.open(beside, { write: true, create: true, truncate: true, mode: 0o600 });
  try {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await file.sync();
  } finally {
    file.close();
  }
  try {
    // Only root can give it its owner back. Whoever reads it as root reads it all the same.
    if (uid !== null && gid !== null) await Deno.chown(beside, uid, gid).catch(() => {});
    if (mode !== null) await Deno.chmod(beside, mode & 0o777);
    await Deno.rename(beside, path);
  } catch (error) {
    await Deno.remove(beside).catch(() => {});
    throw error;
  }
}
