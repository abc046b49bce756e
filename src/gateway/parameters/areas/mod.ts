/**
 * What parameters there are, area by area. Names, types and ranges follow TR-098; objects that begin with
 * `X_GATEHOUSE_` are this gateway's own, for what TR-098 has no name.
 *
 * @module
 */
import type { Area } from "../definition.ts";
import { ATTACHED } from "./attached.ts";
import { DEVICE } from "./device.ts";
import { DNS_REDIRECT } from "./dns_redirect.ts";
import { LAN } from "./lan.ts";
import { MANAGEMENT_SERVER } from "./management_server.ts";
import { MGT, MGT_PATH } from "./mgt.ts";
import { SERVICE } from "./service.ts";
import { TIME } from "./time.ts";
import { WAN } from "./wan.ts";
import { WIFI_TIMER } from "./wifi_timer.ts";
import { WLAN } from "./wlan.ts";

export { MGT_PATH };

/** Every area. */
export const AREAS: readonly Area[] = [
  DEVICE,
  MANAGEMENT_SERVER,
  TIME,
  LAN,
  WLAN,
  WAN,
  ATTACHED,
  WIFI_TIMER,
  DNS_REDIRECT,
  SERVICE,
  MGT,
];
