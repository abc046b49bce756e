/**
 * The LAN side: addresses, DHCP, ports, and who is on it (TR-098 `LANDevice`).
 *
 * @module
 */
import type { Area } from "../definition.ts";
import { backed, flag, text, told, unsigned } from "./shorthand.ts";

const LAN_DEVICE = "InternetGatewayDevice.LANDevice.{i}.";

/** DNS servers are shared (`SET_NETWORK_DNS`); the rest is the management system's. */
export const LAN: Area = [{
  path: LAN_DEVICE,
  owner: "itms",
  table: { access: "readOnly", initial: 1, max: 1 },
  parameters: {
    LANEthernetInterfaceNumberOfEntries: {
      type: "unsignedInt",
      access: "readOnly",
      counts: "LANEthernetInterfaceConfig",
    },
    LANWLANConfigurationNumberOfEntries: {
      type: "unsignedInt",
      access: "readOnly",
      counts: "WLANConfiguration",
    },
  },
}, {
  path: `${LAN_DEVICE}LANHostConfigManagement.`,
  owner: "itms",
  parameters: {
    DHCPServerEnable: backed(flag()),
    MinAddress: backed(text(15)),
    MaxAddress: backed(text(15)),
    SubnetMask: backed(text(15)),
    IPRouters: backed(text(64)),
    DomainName: backed(text(64)),
    DHCPLeaseTime: backed({ type: "int", min: -1, access: "readWrite", about: "Seconds; -1: for ever" }),
    DNSServers: backed(text(64, { owner: "shared", about: "IP addresses, separated by commas" })),
  },
}, {
  path: `${LAN_DEVICE}LANEthernetInterfaceConfig.{i}.`,
  owner: "itms",
  table: { access: "readOnly", max: 32 },
  parameters: {
    Enable: backed(flag()),
    Status: told(text(16, { values: ["Up", "NoLink", "Error", "Disabled"] })),
    Name: told(text(16)),
    MACAddress: told(text(17)),
    MaxBitRate: told(text(8, { about: "Mbit/s, or Auto" })),
  },
}, {
  path: `${LAN_DEVICE}LANEthernetInterfaceConfig.{i}.Stats.`,
  owner: "itms",
  parameters: {
    BytesSent: told(unsigned()),
    BytesReceived: told(unsigned()),
    PacketsSent: told(unsigned()),
    PacketsReceived: told(unsigned()),
  },
}, {
  path: `${LAN_DEVICE}Hosts.`,
  owner: "itms",
  parameters: { HostNumberOfEntries: { type: "unsignedInt", access: "readOnly", counts: "Host" } },
}, {
  path: `${LAN_DEVICE}Hosts.Host.{i}.`,
  owner: "itms",
  table: { access: "readOnly", max: 1024 },
  parameters: {
    IPAddress: told(text(45)),
    AddressSource: told(text(16, { values: ["DHCP", "Static", "AutoIP"] })),
    LeaseTimeRemaining: told({ type: "int", min: -1, access: "readOnly", about: "Seconds" }),
    MACAddress: told(text(17)),
    HostName: told(text(64)),
    InterfaceType: told(text(16, { values: ["Ethernet", "USB", "802.11", "HomePNA", "HomePlug", "Other"] })),
    Active: told(flag()),
  },
}];
