/**
 * Configurations as documents, to be kept and loaded elsewhere: what is in one, and how much of it there may be.
 *
 * @module
 */
import type { ParameterType, ParameterValue } from "../definition.ts";
import { ParameterError } from "../errors.ts";
import { MOST_VALUES } from "../planner.ts";
import type { ParameterTree } from "../tree.ts";

/** What documents call themselves, in either format. */
export const DOCUMENT_FORMAT = "gatehouse-parameters";
/** Their version. */
export const DOCUMENT_VERSION = "1";
/** The largest document that is read, in bytes. */
export const LARGEST_DOCUMENT = 1 << 20;

/** One parameter in a document. */
export interface DocumentEntry {
  readonly name: string;
  readonly type: ParameterType["type"];
  readonly value: ParameterValue;
}

/** What goes into a document. */
export interface ExportOptions {
  readonly prefix?: string;
  /** Passwords too; otherwise they are left out, so that loading the document leaves them as they are. */
  readonly secrets?: boolean;
  /** Also what can't be written; otherwise the document has what can be loaded. */
  readonly all?: boolean;
}

/** What of the tree is exported, as it is now. What has no value, or can't be read now, is left out. */
export async function exported(tree: ParameterTree, options: ExportOptions = {}): Promise<DocumentEntry[]> {
  const { prefix = "", secrets = false, all = false } = options;
  await tree.refresh();
  const entries = await Promise.all(
    tree.names({ prefix }).map(async (name): Promise<DocumentEntry | undefined> => {
      const { secret, access } = tree.describe(name);
      if ((secret && !secrets) || (access === "readOnly" && !all)) return undefined;
      try {
        const { type, value } = await tree.get(name, { secrets });
        return value === undefined ? undefined : { name, type, value };
      } catch (error) {
        // An instance that went meanwhile, or a machine that does not tell at the moment.
        if (error instanceof ParameterError) return undefined;
        throw error;
      }
    }),
  );
  return entries.filter((entry) => entry !== undefined);
}

/** Gathers what a document has, and refuses what is too much or is there twice. */
export class Gathered {
  readonly #values = new Map<string, unknown>();

  /** Throws ParameterError `document`. */
  add(name: string, value: unknown): void {
    if (this.#values.size >= MOST_VALUES) throw refused(`more than ${MOST_VALUES} parameters`);
    if (this.#values.has(name)) throw refused(`"${name.slice(0, 256)}" is there twice`);
    this.#values.set(name, value);
  }

  get values(): Record<string, unknown> {
    return Object.fromEntries(this.#values);
  }
}

/** The error for a document that can't be read. */
export function refused(why: string, cause?: unknown): ParameterError {
  return new ParameterError(
    "document",
    `the document can't be read: ${why}`,
    cause === undefined ? {} : { cause },
  );
}
