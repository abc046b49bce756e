/**
 * What attached terminals may (shared; of what is shared the only thing that the app platform may restore,
 * reference §9).
 *
 * @module
 */
import type { Area } from "../definition.ts";

/** `SET_ATTACH_DEVICE_RIGHT`, `…_NAME`, `…_BANDWIDTH`. */
export const ATTACHED: Area = [{
  path: "InternetGatewayDevice.X_GATEHOUSE_AttachedDevice.{i}.",
  owner: "shared",
  appRestores: true,
  table: { access: "readWrite", max: 256 },
  parameters: {
    MACAddress: {
      type: "string",
      maxLength: 17,
      pattern: { test: /^$|^[0-9A-F]{2}(?::[0-9A-F]{2}){5}$/, says: "a MAC address as in 64:D9:54:20:21:4B" },
      access: "readWrite",
      default: "",
      about: "Which terminal",
    },
    DeviceName: {
      type: "string",
      maxLength: 64,
      access: "readWrite",
      default: "",
      about: "What its owner calls it",
    },
    InternetAccess: {
      type: "string",
      maxLength: 8,
      values: ["ON", "OFF"],
      access: "readWrite",
      default: "ON",
      about: "Whether it may go to the internet",
    },
    StorageAccess: {
      type: "string",
      maxLength: 8,
      values: ["ON", "OFF"],
      access: "readWrite",
      default: "ON",
      about: "Whether it may use the gateway's storage",
    },
    UsBandwidth: {
      type: "unsignedInt",
      access: "readWrite",
      default: 0,
      about: "The most that it sends, in kbit/s; 0: no limit",
    },
    DsBandwidth: {
      type: "unsignedInt",
      access: "readWrite",
      default: 0,
      about: "The most that it receives, in kbit/s; 0: no limit",
    },
  },
}, {
  path: "InternetGatewayDevice.",
  owner: "shared",
  parameters: {
    X_GATEHOUSE_AttachedDeviceNumberOfEntries: {
      type: "unsignedInt",
      access: "readOnly",
      counts: "X_GATEHOUSE_AttachedDevice",
      about: "Terminals with settings of their own",
    },
  },
}];
