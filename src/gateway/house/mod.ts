/**
 * What the gateway does with its machine over time.
 *
 * @module
 */
export type { DeviceRules } from "./attached_devices.ts";
export { House, type HouseOptions } from "./house.ts";
export type { DayWindow } from "./day_window.ts";
export { ACTION_DELAY_MS } from "./power_actions.ts";
export type { SleepPlan } from "./sleep.ts";
export type { UpgradeOrder, UpgradeStatus } from "./upgrade.ts";
export type { WifiSwitch } from "./wifi_timer.ts";
