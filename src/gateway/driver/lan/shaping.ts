/**
 * How fast devices may be, as commands for `tc`: towards a device in a class of HTB on the home network's interface;
 * from it, redirected to an interface of our own (ifb), and there in a class again.
 *
 * @module
 */
import type { DeviceBandwidth } from "./lan.ts";

/** The interface that what comes from limited devices goes through. */
export const IFB = "gatehouse-ifb";
/** The handle of our queues and the priority of our filters, by which we know them again. */
export const HANDLE = "6a7e:";
export const PRIORITY = 27262;
/** Class numbers begin here. */
const FIRST_CLASS = 0x10;

/** What is there already on an interface of the home network. */
export interface Shaped {
  readonly interface: string;
  /** Kind and handle of its root queue, where somebody set one. */
  readonly root?: { readonly kind: string; readonly handle: string };
  /** Whether it has a hook for what comes in. */
  readonly ingress: boolean;
  /** Priorities of the filters on that hook. */
  readonly filters: readonly number[];
}

/** Commands for `tc -batch -` that take away what is ours and put `limits` in its place. */
export function shapingCommands(limits: readonly DeviceBandwidth[], there: readonly Shaped[]): string {
  const down = limits.filter(({ downKbps }) => downKbps > 0);
  const up = limits.filter(({ upKbps }) => upKbps > 0);
  const lines: string[] = [];
  for (const { interface: name, root, ingress, filters } of there) {
    if (root?.handle === HANDLE) lines.push(`qdisc del dev ${name} root`);
    if (filters.includes(PRIORITY)) {
      lines.push(`filter del dev ${name} ingress protocol all prio ${PRIORITY}`);
    }
    const others = filters.some((priority) => priority !== PRIORITY);
    if (ingress && up.length === 0 && filters.length > 0 && !others) {
      lines.push(`qdisc del dev ${name} ingress`);
    }
    lines.push(...classes(name, "dst", down.map(({ mac, downKbps }) => [mac, downKbps])));
    if (up.length === 0) continue;
    if (!ingress) lines.push(`qdisc add dev ${name} ingress`);
    for (const { mac } of up) {
      lines.push(
        `filter add dev ${name} ingress protocol all prio ${PRIORITY} ` +
          `u32 match ether src ${mac} action mirred egress redirect dev ${IFB}`,
      );
    }
  }
  if (up.length > 0) lines.push(...classes(IFB, "src", up.map(({ mac, upKbps }) => [mac, upKbps])));
  return lines.map((line) => `${line}\n`).join("");
}

/** A queue with a class for each device; what is in no class passes as it would without. */
function classes(dev: string, side: "src" | "dst", rates: readonly (readonly [string, number])[]): string[] {
  if (rates.length === 0) return [];
  return [
    `qdisc add dev ${dev} root handle ${HANDLE} htb default 0`,
    ...rates.flatMap(([mac, kbps], i) => {
      const id = HANDLE + (FIRST_CLASS + i).toString(16);
      return [
        `class add dev ${dev} parent ${HANDLE} classid ${id} htb rate ${kbps}kbit ceil ${kbps}kbit quantum 1514`,
        `filter add dev ${dev} parent ${HANDLE} protocol all prio ${PRIORITY} u32 match ether ${side} ${mac} flowid ${id}`,
      ];
    }),
  ];
}
