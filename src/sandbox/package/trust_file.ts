/**
 * `trust.json`: whom a gateway trusts, as the operator writes it and as the control API changes it.
 *
 * @module
 */
import * as v from "valibot";
import { faultOf, messageOf } from "../../base/mod.ts";
import { DEFAULT_LIMITS, HOSTS, PATHS, PEERS, type PluginLimits } from "../manifest.ts";
import { PackageError } from "./errors.ts";
import { keyIdOf } from "./signature.ts";
import { KEY_TIERS, type Tier, type TierCaps, TIERS } from "./tiers.ts";

/** A key in the file. Times are milliseconds since 1970. */
export interface KeyRecord {
  readonly id: string;
  readonly name: string;
  readonly tier: typeof KEY_TIERS[number];
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly addedAt: number;
  /** From then on it is trusted no more; undefined: no end. */
  readonly until: number | undefined;
  /** Set: it was revoked, and what it signed must not run. */
  readonly revokedAt: number | undefined;
  readonly reason: string | undefined;
}

/** What the file says. */
export interface TrustFile {
  readonly keys: readonly KeyRecord[];
  readonly tiers: Readonly<Partial<Record<Tier, TierCaps>>>;
}

/** The most keys; revoked ones are kept, so that they stay revoked. */
export const MOST_KEYS = 1000;

const time = v.pipe(v.string(), v.isoTimestamp(), v.transform((text) => Date.parse(text)));
const LIMITS = Object.keys(DEFAULT_LIMITS) as (keyof PluginLimits)[];
/** The shape of what a tier may ask for ({@linkcode TierCaps}). */
export const TIER_CAPS = v.strictObject({
  capabilities: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(100))), v.maxLength(100))),
  limits: v.optional(v.record(
    v.picklist(LIMITS, `one of ${LIMITS.join(", ")}`),
    v.pipe(v.number(), v.integer(), v.minValue(0)),
  )),
  peers: v.optional(PEERS),
  hosts: v.optional(HOSTS),
  parameters: v.optional(v.strictObject({ read: v.optional(PATHS), write: v.optional(PATHS) })),
});
const FILE = v.strictObject({
  keys: v.optional(
    v.pipe(
      v.array(v.strictObject({
        id: v.optional(v.string()),
        name: v.optional(v.pipe(v.string(), v.maxLength(200)), ""),
        tier: v.picklist(KEY_TIERS, `one of ${KEY_TIERS.join(", ")}`),
        publicKey: v.pipe(v.string(), v.maxLength(100)),
        addedAt: v.optional(time, "1970-01-01T00:00:00.000Z"),
        until: v.optional(time),
        revokedAt: v.optional(time),
        reason: v.optional(v.pipe(v.string(), v.maxLength(500))),
      })),
      v.maxLength(MOST_KEYS),
    ),
    [],
  ),
  tiers: v.optional(
    v.strictObject(Object.fromEntries(TIERS.map((tier) => [tier, v.optional(TIER_CAPS)]))),
    {},
  ),
});

/** Reads the file's text. Throws PackageError `signature` that names every fault. */
export async function parseTrust(text: string): Promise<TrustFile> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw fault(`not JSON: ${messageOf(error)}`);
  }
  const result = v.safeParse(FILE, value);
  if (!result.success) {
    throw fault(result.issues.map((issue) => `${v.getDotPath(issue) ?? "."}: ${faultOf(issue)}`).join("; "));
  }
  const { keys, tiers } = result.output;
  const records = await Promise.all(keys.map(async (one, i): Promise<KeyRecord> => {
    const publicKey = rawKey(one.publicKey);
    if (!publicKey) throw fault(`keys.${i}.publicKey: base64 of 32 bytes`);
    const id = await keyIdOf(publicKey);
    if (one.id !== undefined && one.id !== id) throw fault(`keys.${i}.id: not the SHA-256 of its publicKey`);
    const { name, tier, addedAt, until, revokedAt, reason } = one;
    return { id, name, tier, publicKey, addedAt, until, revokedAt, reason };
  }));
  if (new Set(records.map(({ id }) => id)).size !== records.length) throw fault("keys: a key is there twice");
  return { keys: records, tiers };
}

/** The file's text. */
export function trustText({ keys, tiers }: TrustFile): string {
  const file = {
    keys: keys.map(({ publicKey, addedAt, until, revokedAt, ...rest }) => ({
      ...rest,
      publicKey: publicKey.toBase64(),
      addedAt: isoTime(addedAt),
      until: isoTime(until),
      revokedAt: isoTime(revokedAt),
    })),
    tiers,
  };
  return JSON.stringify(file, undefined, 2) + "\n";
}

/** 32 bytes out of base64; undefined where it is something else. */
export function rawKey(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const bytes = Uint8Array.fromBase64(base64);
    return bytes.length === 32 ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function isoTime(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}

function fault(message: string): PackageError {
  return new PackageError("signature", `the trust file is not valid: ${message}`);
}
