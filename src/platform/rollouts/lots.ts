/**
 * Which gateways of a rollout come first, and in which stage.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { nextTurn } from "../../base/mod.ts";
import type { NewItem, NewStage } from "./wanted.ts";

/** Lots drawn, and heaps of them sorted, in one turn. */
const LOTS = 2000, HEAPS = 64;

/** Where each stage ends among `total` gateways. A stage of more than nothing has one at least, while there are any. */
export function endsOf(stages: readonly NewStage[], total: number): number[] {
  let percent = 0, end = 0;
  return stages.map((stage, no) => {
    percent += stage.percent;
    const wanted = no === stages.length - 1 ? total : Math.round(total * Math.min(percent, 100) / 100);
    end = Math.min(total, Math.max(wanted, stage.percent > 0 ? end + 1 : end));
    return end;
  });
}

/** The gateways in the order that the lot gives them. */
export async function drawn(id: string, items: readonly NewItem[]): Promise<NewItem[]> {
  // By the beginnings of their lots first: sorting all of two million would take seconds of one turn.
  const heaps = new Map<string, { readonly item: NewItem; readonly lot: string }[]>();
  for (const [at, item] of items.entries()) {
    if (at % LOTS === LOTS - 1) await nextTurn();
    const lot = lotOf(id, item.mac), heap = heaps.get(lot.slice(0, 2));
    if (heap) heap.push({ item, lot });
    else heaps.set(lot.slice(0, 2), [{ item, lot }]);
  }
  const order: NewItem[] = [];
  for (const [no, beginning] of [...heaps.keys()].sort().entries()) {
    if (no % HEAPS === HEAPS - 1) await nextTurn();
    const heap = heaps.get(beginning)!.sort((a, b) => a.lot < b.lot ? -1 : 1);
    for (const { item } of heap) order.push(item);
  }
  return order;
}

function lotOf(id: string, mac: string): string {
  return createHash("sha256").update(`${id} ${mac}`).digest("base64");
}
