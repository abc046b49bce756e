/**
 * Parameters as people type them.
 *
 * @module
 */

/** Lines of `Name=value`, or a JSON object; undefined for what is neither. */
export function parametersOf(text: string): Record<string, unknown> | undefined {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) {
    try {
      return JSON.parse(trimmed) as Record<string, unknown>;
    } catch {
      return undefined;
    }
  }
  const found: Record<string, unknown> = Object.create(null);
  for (const line of trimmed.split(/\r?\n/).filter((line) => line.trim() !== "")) {
    const at = line.indexOf("=");
    if (at <= 0) return undefined;
    found[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return { ...found };
}
