/**
 * The machine under the gateway: the real one, or a simulated one.
 *
 * @module
 */
export { inNetwork, isLanPeer, isPublic } from "./addresses.ts";
export type { Hop, PingOptions, PingReport } from "./diagnosis/diagnosis.ts";
export type { NameServers, Redirection } from "./dns/dns.ts";
export { parseRedirections } from "./dns/dnsmasq.ts";
export type { Driver } from "./driver.ts";
export { DriverError, unsupported } from "./errors.ts";
export { type DeviceAccess, type DeviceBandwidth, deviceMac, type Lan, MAX_DEVICES } from "./lan/lan.ts";
export { LinuxDriver, type LinuxOptions, type LinuxSettings } from "./linux/linux.ts";
export { PROGRAMS } from "./linux/programs.ts";
export { type Runner, SystemRunner } from "./linux/run.ts";
export type { InterfaceAddress, Machine, MachineInfo, MemoryUse } from "./machine.ts";
export type { Firmware, Power } from "./power/power.ts";
export type { HouseServices } from "./service/service.ts";
export { SimulatedDriver } from "./simulated.ts";
export { type Wifi, WIFI_SECURITY, type WifiSecurity, type Wlan, type WlanChange } from "./wifi/wifi.ts";
