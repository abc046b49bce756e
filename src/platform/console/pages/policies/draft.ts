/**
 * A policy while somebody works on it in a form: every value is text, right or wrong, and fields carry all of it from
 * one page to the next.
 *
 * @module
 */
import type { Policy } from "../../../distribution/mod.ts";

/** What a rule can look at, in the order of the form. */
export const MATCHES = [
  "vendor",
  "model",
  "oui",
  "macFrom",
  "macTo",
  "firmware",
  "region",
  "percent",
] as const;

/** One address of a rule. */
export interface DraftTarget {
  readonly address: string;
  readonly weight: string;
}

/** One rule. Where `redirect` is empty, gateways go to the targets. */
export interface DraftRule {
  readonly name: string;
  readonly match: Readonly<Record<typeof MATCHES[number], string>>;
  readonly targets: readonly DraftTarget[];
  readonly redirect: string;
}

/** The rules, first to last. */
export type Draft = readonly DraftRule[];

/** Rules and addresses of one rule that a form holds; what is larger is written as JSON. */
export const MAX_RULES = 100, MAX_TARGETS = 32;

const NO_TARGET: DraftTarget = { address: "", weight: "1" };
const NO_RULE: DraftRule = {
  name: "",
  match: Object.fromEntries(MATCHES.map((name) => [name, ""])) as DraftRule["match"],
  targets: [NO_TARGET],
  redirect: "",
};

/** Whether a form holds it. */
export function fits({ rules }: Policy): boolean {
  return rules.length <= MAX_RULES && rules.every(({ targets }) => targets.length <= MAX_TARGETS);
}

/** A policy as a draft. */
export function draftOf({ rules }: Policy): Draft {
  return rules.map(({ name, match, targets, redirect = "" }) => ({
    name,
    match: Object.fromEntries(MATCHES.map((key) => [key, String(match[key] ?? "")])) as DraftRule["match"],
    targets: targets.map(({ address, weight }) => ({ address, weight: String(weight) })),
    redirect,
  }));
}

/** The policy's rules as they are sent: the API says what is wrong with them. Empty fields are left out. */
export function rulesOf(draft: Draft): unknown[] {
  return draft.map(({ name, match, targets, redirect }) => ({
    name,
    match: Object.fromEntries(
      MATCHES.filter((key) => match[key] !== "").map((
        key,
      ) => [key, key === "percent" ? numberOf(match[key]) : match[key]]),
    ),
    targets: targets.filter(({ address }) => address !== "").map(({ address, weight }) => ({
      address,
      ...(weight === "" ? {} : { weight: numberOf(weight) }),
    })),
    ...(redirect === "" ? {} : { redirect }),
  }));
}

/** The name of a rule's field in the form, and of one of its addresses. */
export function ruleField(rule: number, name: string, target?: number): string {
  return target === undefined ? `rule${rule}-${name}` : `rule${rule}-target${target}-${name}`;
}

/** What a form's fields say; `field` gives the text of one, "" where it is missing. */
export function draftFrom(field: (name: string) => string): Draft {
  return Array.from({ length: countOf(field("rules"), MAX_RULES) }, (_, rule) => ({
    name: field(ruleField(rule, "name")),
    match: Object.fromEntries(MATCHES.map((key) => [key, field(ruleField(rule, key))])) as DraftRule["match"],
    targets: Array.from({ length: countOf(field(ruleField(rule, "targets")), MAX_TARGETS) }, (_, target) => ({
      address: field(ruleField(rule, "address", target)),
      weight: field(ruleField(rule, "weight", target)),
    })),
    redirect: field(ruleField(rule, "redirect")),
  }));
}

/** What a button of the form does to a rule, or to one of its addresses. What names none that is there does nothing. */
export const EDITS: Readonly<Record<string, (draft: Draft, rule: number, target: number) => Draft>> = {
  add: (draft) => draft.length >= MAX_RULES ? draft : [...draft, NO_RULE],
  remove: (draft, rule) => draft.filter((_, at) => at !== rule),
  up: (draft, rule) => swapped(draft, rule - 1),
  down: (draft, rule) => swapped(draft, rule),
  addTarget: (draft, rule) =>
    withTargets(draft, rule, (targets) => targets.length >= MAX_TARGETS ? targets : [...targets, NO_TARGET]),
  removeTarget: (draft, rule, target) =>
    withTargets(draft, rule, (targets) => targets.filter((_, at) => at !== target)),
};

/** The rule at `first` behind the one that follows it. */
function swapped(draft: Draft, first: number): Draft {
  const [one, other] = [draft[first], draft[first + 1]];
  return one && other ? draft.with(first, other).with(first + 1, one) : draft;
}

function withTargets(
  draft: Draft,
  rule: number,
  change: (targets: readonly DraftTarget[]) => readonly DraftTarget[],
): Draft {
  return draft.map((one, at) => at === rule ? { ...one, targets: change(one.targets) } : one);
}

function countOf(text: string, most: number): number {
  return /^\d{1,4}$/.test(text) ? Math.min(Number(text), most) : 0;
}

/** A number, or what stands there instead, for the API to complain about. */
function numberOf(text: string): number | string {
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
