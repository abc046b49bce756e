/**
 * Diagnosis with the machine's own programs.
 *
 * @module
 */
import type { Clock } from "../../../base/mod.ts";
import { unsupported } from "../errors.ts";
import type { Runner } from "../linux/run.ts";
import type {
  Diagnosis,
  Hop,
  InformReport,
  PingOptions,
  PingReport,
  TracerouteOptions,
} from "./diagnosis.ts";
import { lookup } from "./lookup.ts";
import { ping, traceroute } from "./ping.ts";

/** The {@linkcode Diagnosis} of Linux. */
export class LinuxDiagnosis implements Diagnosis {
  constructor(private readonly clock: Clock, private readonly runner: Runner) {}

  ping(destination: string, options: PingOptions): Promise<PingReport> {
    return ping(this.runner, destination, options);
  }

  traceroute(destination: string, options: TracerouteOptions): Promise<Hop[]> {
    return traceroute(this.clock, this.runner, destination, options);
  }

  lookup(name: string, type: "A" | "AAAA", signal: AbortSignal): Promise<string[]> {
    return lookup(name, type, signal);
  }

  inform(): Promise<InformReport> {
    return Promise.reject(unsupported("nothing on this machine reports to an ITMS"));
  }
}
