/**
 * How far a plug-in is trusted: by the key that signed it, with what the operator lets that tier ask for.
 *
 * @module
 */
import { PluginError } from "../errors.ts";
import { coversPath, type DeclaredPaths, type Manifest, type PluginLimits } from "../manifest.ts";

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
  /** The only plug-ins whose commands it may call; these it may call although they are trusted more. */
  readonly peers?: readonly string[] | undefined;
  /** The only hosts that it may speak to: as in a manifest, where `*.example.com` stands for all beneath it. */
  readonly hosts?: readonly string[] | undefined;
  /** The only parameters that it may read and write: as in a manifest. */
  readonly parameters?: DeclaredPaths | undefined;
}

/** What a manifest asks for, as far as a tier caps it. */
export type Asked =
  & Pick<Manifest, "capabilities" | "limits">
  & Partial<Pick<Manifest, "peers" | "hosts" | "parameters">>;

/** A program that may run. */
export interface Admission {
  readonly tier: Tier;
  /** Hex id of the key that it was admitted by. */
  readonly key: string | undefined;
  /** Throws PluginError `untrusted` with every fault where the manifest asks for more than the tier may have. */
  check(manifest: Asked): void;
  /**
   * Whether its calls may go to this plug-in. By default not to one that is trusted more than it is itself: that one's
   * rights would be lent to it.
   */
  mayCall(peer: { readonly name: string; readonly tier: string | undefined }): boolean;
}

/** Makes an admission. */
export function admission(tier: Tier, key: string | undefined, caps: TierCaps): Admission {
  return {
    tier,
    key,
    mayCall: ({ name, tier: other }) => {
      if (caps.peers) return caps.peers.includes(name);
      const rank = (TIERS as readonly (string | undefined)[]).indexOf(other);
      return rank >= TIERS.indexOf(tier);
    },
    check({ capabilities, limits, peers = [], hosts = [], parameters = {} }) {
      const faults: string[] = [];
      const each = (path: string, asked: readonly string[], may: undefined | ((one: string) => boolean)) =>
        asked.forEach((one, i) => {
          if (!may || may(one)) return;
          faults.push(`manifest.${path}.${i}: "${one}" is not for plug-ins of tier "${tier}"`);
        });
      const { parameters: may } = caps;
      each("capabilities", capabilities, caps.capabilities && ((one) => caps.capabilities!.includes(one)));
      each("peers", peers, caps.peers && ((one) => caps.peers!.includes(one)));
      each("hosts", hosts, caps.hosts && ((one) => caps.hosts!.some((host) => coversHost(host, one))));
      for (const access of ["read", "write"] as const) {
        each(
          `parameters.${access}`,
          parameters[access] ?? [],
          may && ((one) => coversPath(may, access, one)),
        );
      }
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

/** Whether a host of the caps stands for one of a manifest, which may be a pattern itself. */
function coversHost(cap: string, host: string): boolean {
  if (!cap.startsWith("*.")) return cap === host;
  const [beneath, port = ""] = cap.slice(1).split(":"), [name, own = ""] = host.split(":");
  return port === own && name!.endsWith(beneath!);
}
