/**
 * The real machine, part by part.
 *
 * @module
 */
import type { Clock } from "../../../base/mod.ts";
import type { Diagnosis } from "../diagnosis/diagnosis.ts";
import type { NameServers } from "../dns/dns.ts";
import type { Driver } from "../driver.ts";
import { absent } from "../errors.ts";
import type { Pon } from "../pon/pon.ts";
import type { Power } from "../power/power.ts";
import type { HouseServices } from "../service/service.ts";
import type { Voip } from "../voip/voip.ts";
import type { Wan } from "../wan/wan.ts";
import { LinuxDiagnosis } from "../diagnosis/linux.ts";
import { LinuxMachine } from "./machine.ts";
import { type Runner, SystemRunner } from "./run.ts";

/** What the driver works with. */
export interface LinuxOptions {
  readonly clock: Clock;
  /** Runs the machine's programs; default: those on PATH. */
  readonly runner?: Runner;
}

/** The {@linkcode Driver} for Linux. */
export class LinuxDriver extends LinuxMachine implements Driver {
  readonly name = "linux";
  readonly diagnosis: Diagnosis;
  readonly wan: Wan = absent("wan");
  readonly pon: Pon = absent("pon");
  readonly voip: Voip = absent("voip");
  readonly dns: NameServers = absent("dns");
  readonly service: HouseServices = absent("service");
  readonly power: Power = absent("power");

  constructor({ clock, runner = new SystemRunner({ clock }) }: LinuxOptions) {
    super({ clock });
    this.diagnosis = new LinuxDiagnosis(clock, runner);
  }
}
