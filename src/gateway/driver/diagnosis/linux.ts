/**
 * Diagnosis with the machine's own programs.
 *
 * @module
 */
import * as v from "valibot";
import type { Clock } from "../../../base/mod.ts";
import type { Runner, Vendor } from "../linux/mod.ts";
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

const INFORM = v.object({ ok: v.boolean(), text: v.optional(v.string(), "") });

/** The {@linkcode Diagnosis} of Linux. */
export class LinuxDiagnosis implements Diagnosis {
  constructor(
    private readonly clock: Clock,
    private readonly runner: Runner,
    private readonly vendor: Vendor,
  ) {}

  ping(destination: string, options: PingOptions): Promise<PingReport> {
    return ping(this.runner, destination, options);
  }

  traceroute(destination: string, options: TracerouteOptions): Promise<Hop[]> {
    return traceroute(this.clock, this.runner, destination, options);
  }

  lookup(name: string, type: "A" | "AAAA", signal: AbortSignal): Promise<string[]> {
    return lookup(name, type, signal);
  }

  inform(signal: AbortSignal): Promise<InformReport> {
    return this.vendor.ask("inform", "report to an ITMS", {}, INFORM, { timeoutMs: 60_000, signal });
  }
}
