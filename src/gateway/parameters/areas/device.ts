/**
 * What the gateway is (TR-098 `DeviceInfo`). Filled in by the gateway itself, but for its name.
 *
 * @module
 */
import type { Area } from "../definition.ts";
import { text, told, unsigned } from "./shorthand.ts";

/** The management system's. */
export const DEVICE: Area = [{
  path: "InternetGatewayDevice.DeviceInfo.",
  owner: "itms",
  parameters: {
    Manufacturer: told(text(64)),
    ManufacturerOUI: told(text(6)),
    ModelName: told(text(64)),
    ProductClass: told(text(64)),
    SerialNumber: told(text(64)),
    HardwareVersion: told(text(64)),
    SoftwareVersion: told(text(64)),
    SpecVersion: told(text(16, { default: "1.0" })),
    ProvisioningCode: text(64, { default: "", about: "What the provider gave it to know it by" }),
    UpTime: told(unsigned({ about: "Seconds since the machine started" })),
    X_GATEHOUSE_Name: text(64, { owner: "shared", default: "", about: "What the family calls it" }),
    FirstUseDate: told({ type: "dateTime", access: "readOnly" }),
  },
}, {
  path: "InternetGatewayDevice.DeviceInfo.MemoryStatus.",
  owner: "itms",
  parameters: {
    Total: told(unsigned({ about: "KiB" })),
    Free: told(unsigned({ about: "KiB" })),
  },
}, {
  path: "InternetGatewayDevice.DeviceInfo.ProcessStatus.",
  owner: "itms",
  parameters: {
    CPUUsage: told(unsigned({ max: 100, about: "Percent" })),
  },
}];
