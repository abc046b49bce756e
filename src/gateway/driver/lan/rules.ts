/**
 * What devices may not do, as a table of nftables that is ours alone: put there whole or not at all.
 *
 * @module
 */
import type { DeviceAccess } from "./lan.ts";

/** The table's name, in the family inet. */
export const TABLE = "gatehouse_access";

/** What a gateway shares what it stores by: FTP, NetBIOS and SMB, rsync, AFP, NFS, DLNA. */
const STORAGE_TCP = [20, 21, 139, 445, 548, 873, 2049, 8200];
const STORAGE_UDP = [137, 138, 2049];

/**
 * Input for `nft -f -`: one transaction that replaces the table, or takes it away where nothing is forbidden.
 * `interfaces`: those of the home network, by names that were checked.
 */
export function accessRules(devices: readonly DeviceAccess[], interfaces: readonly string[]): string {
  // Adding it first makes deleting it succeed whether or not it was there.
  const clear = `add table inet ${TABLE}\ndelete table inet ${TABLE}\n`;
  const offline = devices.filter(({ internet }) => !internet).map(({ mac }) => mac);
  const storeless = devices.filter(({ storage }) => !storage).map(({ mac }) => mac);
  if (offline.length === 0 && storeless.length === 0) return clear;
  const home = `{ ${interfaces.map((name) => `"${name}"`).join(", ")} }`;
  return `${clear}table inet ${TABLE} {
${macSet("offline", offline)}
${macSet("storeless", storeless)}
  set silent4 { type ipv4_addr; size 1024; flags dynamic, timeout; timeout 60s; }
  set silent6 { type ipv6_addr; size 1024; flags dynamic, timeout; timeout 60s; }
  chain forward {
    type filter hook forward priority -5; policy accept;
    iifname ${home} oifname != ${home} jump outwards
    iifname != ${home} oifname ${home} jump inwards
  }
  chain outwards {
    ether saddr @offline jump refuse
    ip saddr @silent4 delete @silent4 { ip saddr }
    ip6 saddr @silent6 delete @silent6 { ip6 saddr }
  }
  chain refuse {
    ip saddr != 0.0.0.0 update @silent4 { ip saddr }
    ip6 saddr != :: update @silent6 { ip6 saddr }
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }
  chain inwards {
    ip daddr @silent4 drop
    ip6 daddr @silent6 drop
  }
  chain input {
    type filter hook input priority -5; policy accept;
    iifname ${home} ether saddr @storeless jump stores
  }
  chain stores {
    tcp dport { ${STORAGE_TCP.join(", ")} } reject with tcp reset
    udp dport { ${STORAGE_UDP.join(", ")} } reject
  }
}
`;
}

function macSet(name: string, macs: readonly string[]): string {
  const elements = macs.length > 0 ? ` elements = { ${macs.join(", ").toLowerCase()} };` : "";
  return `  set ${name} { type ether_addr;${elements} }`;
}
