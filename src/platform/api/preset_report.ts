/**
 * Presetting many gateways, with a report of what became of each line.
 *
 * @module
 */
import { stringify } from "@std/csv";
import * as v from "valibot";
import { nextTurn } from "../../base/mod.ts";
import type { GatewayPreset, GatewayRow, GatewayStore } from "../registry/mod.ts";
import { type LineFault, type PresetLine, safeCell } from "./presets.ts";

/** Rows in one transaction, so that heartbeats get their turn in between. */
const CHUNK = 500;

/** What became of one line, and why. */
const OutcomeView = v.object({
  /** Of CSV: the line of the file, whose header is line 1. Of an array: the entry, from 1. */
  line: v.number(),
  /** As it was given; "" where a line has none. */
  mac: v.string(),
  /** `unchanged`: the very same preset is there already. */
  outcome: v.picklist(["created", "unchanged", "refused"]),
  /** "" where there is nothing to say. Of a gateway that is there: which other one has its LOID, which is allowed. */
  message: v.string(),
});
/** What became of one line. */
export type LineOutcome = v.InferInput<typeof OutcomeView>;

/** The report. */
export const PresetReport = v.object({
  created: v.number(),
  unchanged: v.number(),
  refused: v.number(),
  /** Every line, in the order of the file. */
  lines: v.array(OutcomeView),
  /** MACs that were not preset, since the MAC or the SN is there already. */
  taken: v.array(v.string()),
  /** Lines that are no preset. */
  faults: v.array(v.object({ line: v.number(), message: v.string() })),
});

/** Presets what can be; `faults` are lines that were none. */
export async function presetAll(
  store: Pick<GatewayStore, "preset" | "sharingLoid">,
  presets: readonly PresetLine[],
  faults: readonly LineFault[] = [],
): Promise<v.InferInput<typeof PresetReport>> {
  const outcomes: LineOutcome[] = faults.map(({ line, mac, message }) => ({
    ...{ line, mac, outcome: "refused" as const, message },
  }));
  const taken: string[] = [],
    fresh = repeated(presets, (outcome) => {
      taken.push(outcome.mac);
      outcomes.push(outcome);
    });
  for (let at = 0; at < fresh.length; at += CHUNK) {
    if (at > 0) await nextTurn();
    const chunk = fresh.slice(at, at + CHUNK),
      { there } = await store.preset(chunk.map(({ preset }) => preset));
    for (const { line, preset } of chunk) {
      const rows = there.get(preset.mac);
      if (rows) taken.push(preset.mac);
      outcomes.push({ line, mac: preset.mac, ...(rows ? outcomeOf(preset, rows) : CREATED) });
    }
  }
  await tellShared(store, outcomes);
  const count = (wanted: LineOutcome["outcome"]) =>
    outcomes.filter(({ outcome }) => outcome === wanted).length;
  return {
    created: count("created"),
    unchanged: count("unchanged"),
    refused: count("refused"),
    lines: outcomes.sort((a, b) => a.line - b.line),
    taken,
    faults: faults.map(({ line, message }) => ({ line, message })),
  };
}

/** Says of the gateways that are there now which other one has the same LOID: more often a slip than meant. */
async function tellShared(store: Pick<GatewayStore, "sharingLoid">, outcomes: LineOutcome[]): Promise<void> {
  const there = outcomes.filter(({ outcome }) => outcome !== "refused");
  for (let at = 0; at < there.length; at += CHUNK) {
    await nextTurn();
    const chunk = there.slice(at, at + CHUNK), others = await store.sharingLoid(chunk.map(({ mac }) => mac));
    for (const outcome of chunk) {
      const other = others.get(outcome.mac);
      if (other !== undefined) outcome.message = `another gateway has this LOID too: ${other}`;
    }
  }
}

/** The report as CSV. */
export function reportCsv(lines: readonly LineOutcome[]): string {
  const columns = ["line", "mac", "outcome", "message"] as const;
  const rows = lines.map((line) => columns.map((name) => safeCell(String(line[name]))));
  return stringify([[...columns], ...rows], { headers: false });
}

const CREATED = { outcome: "created", message: "" } as const;

/** The lines that name no MAC and no SN that a line before them has named. */
function repeated(presets: readonly PresetLine[], refuse: (outcome: LineOutcome) => void): PresetLine[] {
  const macs = new Map<string, number>(), sns = new Map<string, number>();
  return presets.filter(({ line, preset: { mac, sn } }) => {
    const mine = macs.get(mac), other = sns.get(sn);
    if (mine === undefined && other === undefined) {
      macs.set(mac, line);
      sns.set(sn, line);
      return true;
    }
    const message = mine === undefined
      ? `the SN is that of line ${other}`
      : `the MAC is that of line ${mine}`;
    refuse({ line, mac, outcome: "refused", message });
    return false;
  });
}

/** What is said of a preset whose MAC or SN is in `rows`. */
function outcomeOf(
  preset: GatewayPreset,
  rows: readonly GatewayRow[],
): Pick<LineOutcome, "outcome" | "message"> {
  const refused = (message: string) => ({ outcome: "refused" as const, message });
  const mine = rows.find(({ mac }) => mac === preset.mac);
  if (!mine) return refused(`the SN is that of gateway ${rows[0]!.mac}`);
  const others = (["sn", "loid", "vendor", "model", "region"] as const).filter((name) =>
    preset[name] !== undefined && preset[name] !== mine[name]
  );
  if (others.length === 0) return { outcome: "unchanged", message: "" };
  return refused(
    `the MAC is preset already with another ${
      others.map((name) =>
        `${name === "sn" || name === "loid" ? name.toUpperCase() : name} ("${mine[name] ?? ""}")`
      )
        .join(", ")
    }`,
  );
}
