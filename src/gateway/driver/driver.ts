/**
 * The port between the gateway and the machine that it runs on, one interface a part. A part that a machine does not
 * have is there all the same and answers DriverError `unsupported` with the reason.
 *
 * @module
 */
import type { Diagnosis } from "./diagnosis/mod.ts";
import type { NameServers } from "./dns/mod.ts";
import type { Lan } from "./lan/mod.ts";
import type { Machine } from "./machine.ts";
import type { Pon } from "./pon/mod.ts";
import type { Power } from "./power/mod.ts";
import type { HouseServices } from "./service/mod.ts";
import type { Voip } from "./voip/mod.ts";
import type { Wan } from "./wan/mod.ts";
import type { Wifi } from "./wifi/mod.ts";

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
