/**
 * Where a policy would send the fleet, without sending anybody.
 *
 * @module
 */
import { formatHostPort, nextTurn } from "../../base/mod.ts";
import type { GatewayRow } from "../registry/mod.ts";
import { choose, type Policy } from "./policy.ts";

/** How many gateways a rule sends to an address; null: nowhere. */
export interface Flow {
  readonly rule: string | null;
  readonly to: string | null;
  readonly gateways: number;
}

/** Where a policy would send the fleet, and how many go elsewhere than by the policy that it is compared with. */
export interface DryRun {
  readonly gateways: number;
  readonly moved: number;
  readonly flows: readonly Flow[];
}

/** Goes over all gateways; between pages others get their turn. */
export async function dryRun(
  candidate: Policy,
  current: Policy,
  pages: AsyncIterable<readonly GatewayRow[]>,
): Promise<DryRun> {
  const flows = new Map<string, { rule: string | null; to: string | null; gateways: number }>();
  let gateways = 0, moved = 0;
  for await (const rows of pages) {
    for (const row of rows) {
      const { rule, to } = destination(candidate, row);
      const key = JSON.stringify([rule, to]), flow = flows.get(key);
      if (flow) flow.gateways++;
      else flows.set(key, { rule, to, gateways: 1 });
      gateways++;
      if (to !== destination(current, row).to) moved++;
    }
    await nextTurn();
  }
  return { gateways, moved, flows: [...flows.values()].sort((a, b) => b.gateways - a.gateways) };
}

/** Where a policy sends one gateway, as far as its last registration told of it. */
export function destination(policy: Policy, row: GatewayRow): { rule: string | null; to: string | null } {
  if (row.pinned_operations) return { rule: "pinned", to: row.pinned_operations };
  const choice = choose(policy, {
    mac: row.mac,
    vendor: row.vendor ?? "",
    model: row.model ?? "",
    firmware: row.firmware ?? "",
    region: row.region ?? undefined,
  });
  if (!choice) return { rule: null, to: null };
  return {
    rule: choice.rule,
    to: choice.kind === "operations" ? formatHostPort(choice.target) : choice.address,
  };
}
