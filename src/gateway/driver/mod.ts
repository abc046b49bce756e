/**
 * The machine under the gateway: the real one, or a simulated one.
 *
 * @module
 */
export { inNetwork, isLocal, isLoopback, isPublic } from "../../net/mod.ts";
export type { Hop, PingOptions, PingReport } from "./diagnosis/mod.ts";
export { type NameServers, parseRedirections, type Redirection } from "./dns/mod.ts";
export type { Driver } from "./driver.ts";
export { DriverError, unsupported } from "./errors.ts";
export { type DeviceAccess, type DeviceBandwidth, deviceMac, type Lan, MAX_DEVICES } from "./lan/mod.ts";
export { PROGRAMS, type Runner, SystemRunner } from "./linux/mod.ts";
export { LinuxDriver, type LinuxOptions, type LinuxSettings } from "./linux_driver.ts";
export type { InterfaceAddress, Machine, MachineInfo, MemoryUse } from "./machine.ts";
export type { Firmware, Power } from "./power/mod.ts";
export type { HouseServices } from "./service/mod.ts";
export { SimulatedDriver } from "./simulated.ts";
export { type Wifi, WIFI_SECURITY, type WifiSecurity, type Wlan, type WlanChange } from "./wifi/mod.ts";
