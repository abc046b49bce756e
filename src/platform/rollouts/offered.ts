/**
 * Whether gateways could get what a rollout installs: each would fail for the same reason, so that is told before.
 *
 * @module
 */
import { RolloutError } from "./errors.ts";
import type { RolloutRow } from "./schema.ts";

/** Why gateways can't be given a version of a plug-in; undefined: they can. */
export type Withheld = (plugin: string, version: string) => Promise<string | undefined>;

/** Asked when a rollout is made, and whenever somebody lets it go: a version may be removed in between. */
export async function mustBeOffered(
  /** Unsaid: gateways can be given everything. */
  { withheld }: { readonly withheld?: Withheld },
  { kind, plugin, version, reverts }: Pick<RolloutRow, "kind" | "plugin" | "version"> & {
    readonly reverts?: string | null;
  },
): Promise<void> {
  if (kind !== "install" || reverts) return; // what takes one back gives each gateway a version of its own
  const why = await withheld?.(plugin, version);
  if (why !== undefined) throw new RolloutError("rollout_plugin", `no gateway could install it: ${why}`);
}
