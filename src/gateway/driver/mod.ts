/**
 * The machine under the gateway: the real one, or a simulated one.
 *
 * @module
 */
export { inNetwork, isLanPeer, isPublic } from "./addresses.ts";
export {
  type Driver,
  DriverError,
  type Hop,
  type InterfaceAddress,
  type MachineInfo,
  type MemoryUse,
  type PingOptions,
  type PingReport,
} from "./driver.ts";
export { LinuxDriver } from "./linux.ts";
export { SimulatedDriver } from "./simulated.ts";
