/**
 * Stacks as the author reads them: the engine names the `plugin.js` that it runs, which may have been a `plugin.ts`.
 * Taking types out moves nothing, so line and column are the author's already.
 *
 * @module
 */
import { pointAt, sourceOf } from "./project.ts";

/** `lib/a.js:3:7` within a stack. */
const FRAME = /([\w./-]+\.[jt]s):(\d+)(?::(\d+))?/g;
/** Frames of a stack that are looked at. */
const MOST_FRAMES = 20;

/** The first place of a stack that is in one of the author's files: its name, its line and a mark under the column. */
export async function ownPlace(place: string, stack: string, not?: string): Promise<string | undefined> {
  for (const [, file, line, column] of [...stack.matchAll(FRAME)].slice(0, MOST_FRAMES)) {
    if (file === not) continue;
    const source = await sourceOf(place, file!).catch(() => undefined);
    const shown = source && pointAt(source.text, source.name, Number(line), Number(column ?? 0));
    if (shown !== undefined) return shown;
  }
  return undefined;
}

/** A line of a log, with the names that the author's files have, and with the place that its stack begins at. */
export async function withOwnPlace(place: string, text: string): Promise<string> {
  const [first, ...stack] = text.split("\n");
  if (stack.length === 0) return text;
  const names = new Map<string, string>();
  for (const [, file] of [...text.matchAll(FRAME)].slice(0, MOST_FRAMES)) {
    if (names.has(file!)) continue;
    const source = await sourceOf(place, file!).catch(() => undefined);
    names.set(file!, source?.name ?? file!);
  }
  const renamed = stack.join("\n").replace(
    FRAME,
    (frame, file: string) => (names.get(file) ?? file) + frame.slice(file.length),
  );
  const shown = await ownPlace(place, stack.join("\n"));
  return [first, renamed, ...shown === undefined ? [] : [shown]].join("\n");
}
