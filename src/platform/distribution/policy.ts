/**
 * Which operations platform a gateway is sent to (seed: "分发平台将根据一定的策略").
 *
 * @module
 */
import * as v from "valibot";
import { type HostPort, parseHostPort } from "../../base/mod.ts";
import { documented } from "../../control/mod.ts";
import { ouiOf } from "../../protocol/smart_gateway/mod.ts";

const address = v.pipe(
  documented(v.string(), { type: "string", examples: ["ops1.example:12113"] }),
  v.check((text) => parseHostPort(text) !== undefined, 'must be "host:port"'),
);
const mac = v.pipe(v.string(), v.regex(/^[0-9A-F]{12}$/, "must be 12 upper-case hex digits"));
const word = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

/** One rule: the first whose `match` holds decides. What `match` leaves out matches everything. */
const RuleSchema = v.pipe(
  v.strictObject({
    name: word,
    match: v.optional(
      v.strictObject({
        vendor: v.optional(word),
        model: v.optional(word),
        /** The first six hex digits of the MAC. */
        oui: v.optional(v.pipe(v.string(), v.regex(/^[0-9A-F]{6}$/, "must be 6 upper-case hex digits"))),
        /** MACs from this to that one, both included. */
        macFrom: v.optional(mac),
        macTo: v.optional(mac),
        /** With `*` for anything: `V1.*`. */
        firmware: v.optional(word),
        /** As operators preset it. */
        region: v.optional(word),
        /** This share of the gateways that match otherwise, 0 to 100: always the same ones, and more as it grows. */
        percent: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(100))),
      }),
      {},
    ),
    /** Operations platforms to choose from, by weight; a gateway stays with its choice as long as it is listed. */
    targets: v.optional(
      v.pipe(
        v.array(v.strictObject({
          address,
          weight: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1_000_000)), 1),
        })),
        v.maxLength(256),
      ),
      [],
    ),
    /** Another distribution platform to ask instead (result -5). */
    redirect: v.optional(address),
  }),
  v.check(
    (rule) => (rule.redirect === undefined) !== (rule.targets.length === 0),
    'give either "targets" or "redirect"',
  ),
);

/** A distribution policy as operators write it. */
export const PolicySchema = v.strictObject({
  rules: v.pipe(v.array(RuleSchema), v.maxLength(1000)),
  /**
   * A module that exports `choose(gateway, destinations)`: asked before the rules, it names one of the addresses that
   * they list with a weight, or nothing (docs/http.md).
   */
  script: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(65_536))),
});
/** A checked policy. */
export type Policy = v.InferOutput<typeof PolicySchema>;

/** What a policy says of a gateway: go there, ask there, or nothing (result -2). */
export type Choice =
  | { readonly kind: "operations"; readonly target: HostPort; readonly rule: string }
  | { readonly kind: "redirect"; readonly address: string; readonly rule: string };

/** What rules can look at. */
export interface PolicySubject {
  readonly mac: string;
  readonly vendor: string;
  readonly model: string;
  readonly firmware: string;
  /** Undefined where operators gave none. */
  readonly region: string | undefined;
}

/** The first rule that matches decides; a rule whose weights are all 0 matches and sends nowhere. */
export function choose(policy: Policy, gateway: PolicySubject): Choice | undefined {
  for (const { name, match, targets, redirect } of policy.rules) {
    if (!matches(match, name, gateway)) continue;
    if (redirect !== undefined) return { kind: "redirect", address: redirect, rule: name };
    const target = pick(targets, gateway.mac);
    return target === undefined
      ? undefined
      : { kind: "operations", target: parseHostPort(target)!, rule: name };
  }
  return undefined;
}

function matches(match: Policy["rules"][number]["match"], rule: string, gateway: PolicySubject): boolean {
  const { vendor, model, oui, macFrom, macTo, firmware, region, percent } = match;
  return (vendor === undefined || vendor === gateway.vendor) &&
    (model === undefined || model === gateway.model) &&
    (oui === undefined || oui === ouiOf(gateway.mac)) &&
    (macFrom === undefined || gateway.mac >= macFrom) &&
    (macTo === undefined || gateway.mac <= macTo) &&
    (region === undefined || region === gateway.region) &&
    (firmware === undefined || like(firmware, gateway.firmware)) &&
    // The rule's name is in the lot, so that two rules of half the gateways do not mean the same half.
    (percent === undefined || lot(`${gateway.mac}@${rule}`) * 100 < percent);
}

/** Whether `text` is what `pattern` says, where `*` stands for anything. No regular expression: none can run long. */
function like(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  if (rest.length === 0) return text === pattern;
  const last = rest.pop()!;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) {
    return false;
  }
  let at = first.length;
  const end = text.length - last.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/**
 * Weighted rendezvous hashing: each target draws a lot that depends only on itself and the gateway, so that a
 * gateway's choice is the same every time, and a target that comes or goes moves no more gateways than its share.
 */
function pick(targets: Policy["rules"][number]["targets"], mac: string): string | undefined {
  let best: string | undefined, bestScore = -Infinity;
  for (const { address, weight } of targets) {
    if (weight === 0) continue;
    const score = -weight / Math.log(lot(`${mac}>${address}`));
    if (score > bestScore) [best, bestScore] = [address, score];
  }
  return best;
}

/** A number in (0, 1) that depends on nothing but `text`: FNV-1a with a final mix. */
function lot(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  hash ^= hash >>> 16;
  return ((hash >>> 0) + 0.5) / 0x1_0000_0000;
}
