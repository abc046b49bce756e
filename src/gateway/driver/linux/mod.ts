/**
 * What the Linux parts of the driver share: running programs, OpenWrt, the vendor's command.
 *
 * @module
 */
export { LinuxMachine, type LinuxMachineOptions } from "./machine.ts";
export { hasDefaultRoute, OpenWrt, type OpenWrtInterface, type UciChange } from "./openwrt.ts";
export { type Program, PROGRAMS } from "./programs.ts";
export {
  type Runner,
  type RunOptions,
  type RunResult,
  SystemRunner,
  type SystemRunnerOptions,
} from "./run.ts";
export { orElse, Vendor, type VendorAction } from "./vendor.ts";
