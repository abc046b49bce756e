/**
 * Presets as operators hand them in: JSON, or CSV line by line.
 *
 * @module
 */
import { parse, stringify } from "@std/csv";
import * as v from "valibot";
import { messageOf, nextTurn } from "../../base/mod.ts";
import { documented, macSchema, problem } from "../../control/mod.ts";
import { isLoid, isSn } from "../../protocol/smart_gateway/mod.ts";
import type { GatewayPreset, GatewayRow } from "../registry/mod.ts";

const word = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(64));

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
  vendor: v.optional(word),
  model: v.optional(word),
  region: v.optional(word),
});

/** Most gateways in one JSON request, and lines in one CSV. */
export const MAX_PRESETS = 100_000;
/** Most faults told of one CSV. */
const MAX_FAULTS = 100;
/** Characters of a CSV that are read in one turn: a thousand lines or so. */
const PIECE = 65_536;
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

/** A gateway says its own vendor and model: no cell is to be a formula where somebody opens this in a spreadsheet. */
function safeCell(value: string | null): string {
  return value === null ? "" : /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
}

/** A line that could not be taken. */
export interface LineFault {
  readonly line: number;
  readonly message: string;
}

/**
 * Reads CSV with a header line that names the columns (mac, sn, loid, and any of vendor, model, region). Lines with
 * faults are told and left out; the others are taken. Throws a problem where it is no such CSV at all.
 */
export async function readCsv(text: string): Promise<{ presets: GatewayPreset[]; faults: LineFault[] }> {
  const presets: GatewayPreset[] = [], faults: LineFault[] = [];
  let header: readonly string[] | undefined, line = 1;
  for (const piece of piecesOf(text.replace(/^\ufeff/, ""))) {
    let records: string[][];
    try {
      records = parse(piece);
    } catch (error) {
      const message = messageOf(error);
      throw problem(400, "invalid_csv", line === 1 ? message : `in the lines from ${line}: ${message}`);
    }
    header ??= headerOf(records.shift() ?? []);
    for (const record of records) {
      // The header is line 1. A quoted line break inside a field would shift this; none of the fields may have one.
      if (++line > MAX_PRESETS + 1) {
        throw problem(413, "too_many_lines", `at most ${MAX_PRESETS} lines at once: split the file`);
      }
      const cells = header.map((name, i) => [name, record[i]?.trim() ?? ""]).filter(([, cell]) =>
        cell !== ""
      );
      if (cells.length === 0) continue;
      const { success, output, issues } = v.safeParse(PresetSchema, Object.fromEntries(cells));
      if (success) presets.push(output);
      else if (faults.length < MAX_FAULTS) {
        faults.push({
          line,
          message: issues.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`).join("; "),
        });
      }
    }
    await nextTurn();
  }
  return { presets, faults };
}

/** The columns that the first line names. */
function headerOf(first: readonly string[]): string[] {
  const header = first.map((name) => name.trim().toLowerCase());
  const unknown = header.filter((name) => !COLUMNS.includes(name));
  const missing = ["mac", "sn", "loid"].filter((name) => !header.includes(name));
  if (unknown.length > 0 || missing.length > 0) {
    throw problem(
      400,
      "invalid_csv",
      `the first line names the columns: ${COLUMNS.join(", ")}` +
        (missing.length > 0 ? `; missing: ${missing.join(", ")}` : "") +
        (unknown.length > 0 ? `; unknown: ${unknown.join(", ")}` : ""),
    );
  }
  return header;
}

/** Text in pieces of whole lines, each short enough for one turn; one at least. */
function* piecesOf(text: string): Generator<string> {
  let begin = 0, quoted = false;
  for (let at = 0; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === 0x22) quoted = !quoted; // a doubled quote is two of them
    else if (c === 0x0a && !quoted && at - begin >= PIECE) {
      yield text.slice(begin, at + 1);
      begin = at + 1;
    }
  }
  if (begin === 0 || begin < text.length) yield text.slice(begin);
}
