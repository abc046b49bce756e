/**
 * Presets as operators hand them in: JSON, or CSV line by line.
 *
 * @module
 */
import { parse, stringify } from "@std/csv";
import * as v from "valibot";
import { faultOf, nextTurn } from "../../base/mod.ts";
import { documented, macSchema, problem } from "../../control/mod.ts";
import { isLoid, isSn } from "../../protocol/smart_gateway/mod.ts";
import type { GatewayPreset, GatewayRow } from "../registry/mod.ts";

/** A vendor, a model or a region, as operators give it: what an export writes an import takes. */
export const Word = v.pipe(
  v.string(),
  v.trim(),
  v.minLength(1),
  v.maxLength(64),
  v.check((text) => !/\p{Cc}|\p{Zl}|\p{Zp}/u.test(text), "must be one line"),
);

/** One gateway to be preset. */
export const PresetSchema = v.strictObject({
  mac: macSchema,
  sn: v.pipe(
    documented(v.string(), { type: "string", examples: ["64D954-D6AEE64D95420214B"] }),
    v.check(isSn, 'must be "<OUI>-<SerialNumber>", such as 64D954-D6AEE64D95420214B'),
  ),
  loid: v.pipe(
    documented(v.string(), { type: "string", pattern: "^[\\x21-\\x7e]{1,24}$" }),
    v.check(isLoid, "must be 1 to 24 visible ASCII characters"),
  ),
  vendor: v.optional(Word),
  model: v.optional(Word),
  region: v.optional(Word),
});

/** Most gateways in one JSON request, and lines in one CSV. */
export const MAX_PRESETS = 100_000;
/** Lines of a CSV that are read in one turn. */
const TURN = 1000;
const COLUMNS = Object.keys(PresetSchema.entries);

/** CSV that {@linkcode readCsv} takes, made page after page; `page` gives the gateways behind a MAC. */
export function exportCsv(
  page: (after: string) => Promise<readonly GatewayPresetRow[]>,
): ReadableStream<Uint8Array> {
  let after = "", begun = false;
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      if (!begun) {
        begun = true;
        return controller.enqueue(encoder.encode(COLUMNS.join(",") + "\r\n"));
      }
      const rows = await page(after);
      if (rows.length === 0) return controller.close();
      after = rows.at(-1)!.mac;
      const lines = stringify(
        rows.map((row) => COLUMNS.map((name) => safeCell(row[name as keyof typeof row]))),
        {
          headers: false,
        },
      );
      controller.enqueue(encoder.encode(lines));
    },
  });
}

/** What an export holds of a gateway. */
export type GatewayPresetRow = Pick<GatewayRow, "mac" | "sn" | "loid" | "vendor" | "model" | "region">;

/**
 * A cell that is no formula where somebody opens the file in a spreadsheet: a gateway says its own vendor and model.
 * {@linkcode readCsv} takes the quote away again.
 */
export function safeCell(value: string | null): string {
  return value === null ? "" : /^'*[=+\-@\t\r]/.test(value) ? `'${value}` : value;
}

function plainCell(cell: string): string {
  return /^'+[=+\-@\t\r]/.test(cell) ? cell.slice(1) : cell;
}

/** A preset, and the line that it was on. */
export interface PresetLine {
  readonly line: number;
  readonly preset: GatewayPreset;
}

/** A line that could not be taken. */
export interface LineFault {
  readonly line: number;
  /** What stands where the MAC should; "" where nothing does. */
  readonly mac: string;
  readonly message: string;
}

/**
 * Reads CSV with a header line that names the columns (mac, sn, loid, and any of vendor, model, region). Lines with
 * faults are told and left out; the others are taken. Throws a problem where it is no such CSV at all.
 *
 * No field may have a line break: so every line is an entry of its own, and a quote that is left open spoils one.
 */
export async function readCsv(text: string): Promise<{ presets: PresetLine[]; faults: LineFault[] }> {
  const [first = "", ...lines] = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/);
  const header = cellsOf(first)?.map((name) => name.toLowerCase()) ?? [];
  const unknown = header.filter((name) => !COLUMNS.includes(name));
  const missing = ["mac", "sn", "loid"].filter((name) => !header.includes(name));
  const twice = header.filter((name, i) => header.indexOf(name) !== i);
  if (unknown.length + missing.length + twice.length > 0) {
    throw problem(
      400,
      "invalid_csv",
      `the first line names the columns: ${COLUMNS.join(", ")}` +
        (/[;\t]/.test(first) && header.length === 1 ? ", with commas between them" : "") +
        (missing.length > 0 ? `; missing: ${missing.join(", ")}` : "") +
        (unknown.length > 0 ? `; unknown: ${unknown.join(", ").slice(0, 200)}` : "") +
        (twice.length > 0 ? `; twice: ${twice.join(", ")}` : ""),
    );
  }
  if (lines.filter((line) => line.trim() !== "").length > MAX_PRESETS) {
    throw problem(413, "too_many_lines", `at most ${MAX_PRESETS} lines at once: split the file`);
  }
  const presets: PresetLine[] = [], faults: LineFault[] = [];
  for (const [index, text] of lines.entries()) {
    if (index % TURN === TURN - 1) await nextTurn();
    const line = index + 2; // the header is line 1
    const cells = cellsOf(text);
    if (cells?.every((cell) => cell === "")) continue;
    const named = cells && header.map((name, i) => [name, cells[i] ?? ""] as const);
    const mac = named?.find(([name]) => name === "mac")?.[1].slice(0, 64) ?? "";
    const refuse = (message: string) => void faults.push({ line, mac, message });
    if (!named) refuse("it is no line of CSV: a quote is left open, or stands inside a cell");
    else if (cells.length > header.length) refuse("it has more cells than the first line");
    else {
      const given = Object.fromEntries(named.filter(([, cell]) => cell !== ""));
      const { success, output, issues } = v.safeParse(PresetSchema, given);
      if (success) presets.push({ line, preset: output });
      else {refuse(
          issues.map((issue) => `${v.getDotPath(issue)}: ${faultOf(issue)}`).join("; ").slice(0, 500),
        );}
    }
  }
  return { presets, faults };
}

/** The cells of one line, as {@linkcode safeCell} wrote them; undefined where it is none. */
function cellsOf(line: string): string[] | undefined {
  try {
    const [cells = []] = parse(line) as string[][];
    return cells.map((cell) => plainCell(cell.trim()));
  } catch {
    return undefined;
  }
}
