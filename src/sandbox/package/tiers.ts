/**
 * How far a plug-in is trusted: by the key that signed it, with what the operator lets that tier ask for.
 *
 * @module
 */
import { PluginError } from "../errors.ts";
import type { Manifest, PluginLimits } from "../manifest.ts";

/** The tiers that a key can give, the most trusted first. */
export const KEY_TIERS = ["carrier", "vendor", "community"] as const;
/** One of {@linkcode KEY_TIERS}. */
export type KeyTier = typeof KEY_TIERS[number];
/** Every tier: those of keys, and what no trusted key signed. */
export const TIERS = [...KEY_TIERS, "unsigned"] as const;
/** One of {@linkcode TIERS}. */
export type Tier = typeof TIERS[number];

/**
 * Which plug-ins must be signed by a trusted key: `none` at all; those that the `carrier` installs from afar; or `all`,
 * also those that lie in the folder.
 */
export const REQUIRE_SIGNED = ["none", "carrier", "all"] as const;
/** One of {@linkcode REQUIRE_SIGNED}. */
export type RequireSigned = typeof REQUIRE_SIGNED[number];

/** What a tier may ask for at most; what is missing is not capped (but by the sandbox's own ceilings). */
export interface TierCaps {
  /** The only capabilities that it may have. */
  readonly capabilities?: readonly string[] | undefined;
  readonly limits?: Partial<PluginLimits> | undefined;
}

/** A program that may run. */
export interface Admission {
  readonly tier: Tier;
  /** Hex id of the key that it was admitted by. */
  readonly key: string | undefined;
  /** Throws PluginError `untrusted` with every fault where the manifest asks for more than the tier may have. */
  check(manifest: Pick<Manifest, "capabilities" | "limits">): void;
}

/** Makes an admission. */
export function admission(tier: Tier, key: string | undefined, caps: TierCaps): Admission {
  return {
    tier,
    key,
    check({ capabilities, limits }) {
      const faults: string[] = [];
      capabilities.forEach((name, i) => {
        if (caps.capabilities && !caps.capabilities.includes(name)) {
          faults.push(`manifest.capabilities.${i}: "${name}" is not for plug-ins of tier "${tier}"`);
        }
      });
      const wanted: Readonly<Record<string, unknown>> = { ...limits };
      for (const [name, most] of Object.entries(caps.limits ?? {})) {
        const value = Object.hasOwn(wanted, name) ? wanted[name] : undefined;
        if (typeof value === "number" && value > most) {
          faults.push(
            `manifest.limits.${name}: ${value}, tier "${tier}" may have ${most} at most: ask for less`,
          );
        }
      }
      if (faults.length > 0) {
        throw new PluginError(
          "untrusted",
          `it asks for more than it may have: ${faults.join("; ")}`,
          {},
          faults,
        );
      }
    },
  };
}
