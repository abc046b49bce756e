/**
 * The wireless networks.
 *
 * @module
 */
export { LinuxWifi } from "./linux.ts";
export { SimulatedWifi } from "./simulated.ts";
export { type Wifi, WIFI_SECURITY, type WifiSecurity, type Wlan, type WlanChange } from "./wifi.ts";
