/**
 * Where a policy would send the fleet, without sending anybody.
 *
 * @module
 */
import { formatHostPort, nextTurn } from "../../base/mod.ts";
import type { GatewayRow } from "../registry/mod.ts";
import type { Choice } from "./policy.ts";
import type { Trial } from "./policy_script.ts";

/** How many gateways a rule sends to an address; null: nowhere. */
export interface Flow {
  readonly rule: string | null;
  readonly to: string | null;
  readonly gateways: number;
}

/** Where one gateway goes, and by which rule; null: nowhere, by none. */
export interface Destination {
  readonly rule: string | null;
  readonly to: string | null;
}

/** Where a policy would send the fleet, and how many go elsewhere than by the policy that it is compared with. */
export interface DryRun {
  readonly gateways: number;
  readonly moved: number;
  readonly flows: readonly Flow[];
}

/** Goes over all gateways; between pages others get their turn. */
export async function dryRun(
  candidate: Pick<Trial, "choose">,
  current: Pick<Trial, "choose">,
  pages: AsyncIterable<readonly GatewayRow[]>,
): Promise<DryRun> {
  const flows = new Map<string, { rule: string | null; to: string | null; gateways: number }>();
  let gateways = 0, moved = 0;
  for await (const rows of pages) {
    for (const row of rows) {
      const { rule, to } = await destination(candidate, row);
      const key = JSON.stringify([rule, to]), flow = flows.get(key);
      if (flow) flow.gateways++;
      else flows.set(key, { rule, to, gateways: 1 });
      gateways++;
      if (to !== (await destination(current, row)).to) moved++;
    }
    await nextTurn();
  }
  return { gateways, moved, flows: [...flows.values()].sort((a, b) => b.gateways - a.gateways) };
}

/** Where a policy sends one gateway, as far as its last registration told of it. */
async function destination(policy: Pick<Trial, "choose">, row: GatewayRow): Promise<Destination> {
  if (row.pinned_operations) return { rule: "pinned", to: row.pinned_operations };
  const choice = policy.choose({
    mac: row.mac,
    vendor: row.vendor ?? "",
    model: row.model ?? "",
    firmware: row.firmware ?? "",
    region: row.region ?? undefined,
  });
  return destinationOf(choice instanceof Promise ? await choice : choice);
}

/** A choice as it is told. */
export function destinationOf(choice: Choice | undefined): Destination {
  if (!choice) return { rule: null, to: null };
  return {
    rule: choice.rule,
    to: choice.kind === "operations" ? formatHostPort(choice.target) : choice.address,
  };
}
