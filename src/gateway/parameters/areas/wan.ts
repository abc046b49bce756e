/**
 * The WAN side (TR-098 `WANDevice`). `PPPOE_DIAL_REQUEST` is the phone app's way to the account.
 *
 * @module
 */
import type { Area } from "../definition.ts";
import { backed, flag, text, told, unsigned } from "./shorthand.ts";

const WAN_DEVICE = "InternetGatewayDevice.WANDevice.{i}.";
const WAN_CONNECTION_DEVICE = `${WAN_DEVICE}WANConnectionDevice.{i}.`;
const STATES = [
  "Unconfigured",
  "Connecting",
  "Connected",
  "PendingDisconnect",
  "Disconnecting",
  "Disconnected",
];

/** The account and its password are shared; the rest is the management system's. */
export const WAN: Area = [{
  path: WAN_DEVICE,
  owner: "itms",
  table: { access: "readOnly", initial: 1, max: 4 },
  parameters: {
    WANConnectionNumberOfEntries: { type: "unsignedInt", access: "readOnly", counts: "WANConnectionDevice" },
  },
}, {
  path: `${WAN_DEVICE}WANCommonInterfaceConfig.`,
  owner: "itms",
  parameters: {
    WANAccessType: told(
      text(16, { values: ["DSL", "Ethernet", "POTS", "GPON", "EPON", "X_GATEHOUSE_Other"] }),
    ),
    PhysicalLinkStatus: told(text(16, { values: ["Up", "Down", "Initializing", "Unavailable"] })),
    TotalBytesSent: told(unsigned()),
    TotalBytesReceived: told(unsigned()),
  },
}, {
  path: WAN_CONNECTION_DEVICE,
  owner: "itms",
  table: { access: "readOnly", max: 16 },
  parameters: {
    WANIPConnectionNumberOfEntries: { type: "unsignedInt", access: "readOnly", counts: "WANIPConnection" },
    WANPPPConnectionNumberOfEntries: { type: "unsignedInt", access: "readOnly", counts: "WANPPPConnection" },
  },
}, {
  path: `${WAN_CONNECTION_DEVICE}WANIPConnection.{i}.`,
  owner: "itms",
  table: { access: "readOnly", max: 8 },
  parameters: {
    Enable: backed(flag()),
    ConnectionStatus: told(text(32, { values: STATES })),
    Name: told(text(256)),
    AddressingType: backed(text(16, { values: ["DHCP", "Static"] })),
    ExternalIPAddress: backed(text(45)),
    SubnetMask: backed(text(15)),
    DefaultGateway: backed(text(45)),
    DNSServers: told(text(64)),
    MACAddress: told(text(17)),
    Uptime: told(unsigned({ about: "Seconds" })),
  },
}, {
  path: `${WAN_CONNECTION_DEVICE}WANPPPConnection.{i}.`,
  owner: "itms",
  table: { access: "readOnly", max: 8 },
  parameters: {
    Enable: backed(flag()),
    ConnectionStatus: told(text(32, { values: STATES })),
    Name: told(text(256)),
    Username: backed(text(64, { owner: "shared" })),
    Password: backed(text(64, { owner: "shared", secret: true })),
    ExternalIPAddress: told(text(45)),
    DNSServers: told(text(64)),
    LastConnectionError: told(text(64)),
    Uptime: told(unsigned({ about: "Seconds" })),
  },
}];
