/**
 * The port between the gateway and the machine that it runs on, one interface a part. A part that a machine does not
 * have is there all the same and answers DriverError `unsupported` with the reason.
 *
 * @module
 */
import type { Diagnosis } from "./diagnosis/diagnosis.ts";
import type { NameServers } from "./dns/dns.ts";
import type { Lan } from "./lan/lan.ts";
import type { Machine } from "./machine.ts";
import type { Pon } from "./pon/pon.ts";
import type { Power } from "./power/power.ts";
import type { HouseServices } from "./service/service.ts";
import type { Voip } from "./voip/voip.ts";
import type { Wan } from "./wan/wan.ts";
import type { Wifi } from "./wifi/wifi.ts";

/** The machine and its parts. */
export interface Driver extends Machine, AsyncDisposable {
  readonly name: "linux" | "simulated";
  readonly wan: Wan;
  readonly pon: Pon;
  readonly voip: Voip;
  readonly dns: NameServers;
  readonly service: HouseServices;
  readonly power: Power;
  readonly diagnosis: Diagnosis;
  readonly lan: Lan;
  readonly wifi: Wifi;
}
