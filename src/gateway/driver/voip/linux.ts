/**
 * The telephone lines of a Linux machine, as the vendor's command tells of them.
 *
 * @module
 */
import * as v from "valibot";
import type { Vendor } from "../linux/mod.ts";
import type { Voip, VoipLine } from "./voip.ts";

const LINES = v.object({
  lines: v.pipe(
    v.array(v.object({
      line: v.pipe(v.number(), v.integer(), v.minValue(1)),
      enabled: v.boolean(),
      number: v.optional(v.string()),
      server: v.optional(v.string()),
      protocol: v.optional(v.string()),
      registration: v.picklist(["registered", "registering", "failed", "disabled"]),
      reason: v.optional(v.string()),
    })),
    v.maxLength(32),
  ),
});

/** The {@linkcode Voip} of Linux. */
export class LinuxVoip implements Voip {
  constructor(private readonly vendor: Vendor) {}

  async lines(): Promise<readonly VoipLine[]> {
    return (await this.vendor.ask("voip-lines", "tell about telephone lines", {}, LINES)).lines;
  }
}
