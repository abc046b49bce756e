/**
 * The telephone lines of a home gateway that does not exist: one in use, one not.
 *
 * @module
 */
import type { Voip, VoipLine } from "./voip.ts";

/** The {@linkcode Voip} that simulates. */
export class SimulatedVoip implements Voip {
  lines(): Promise<readonly VoipLine[]> {
    return Promise.resolve([
      {
        line: 1,
        enabled: true,
        number: "+862100000001",
        server: "ims.example.com",
        protocol: "SIP",
        registration: "registered",
      },
      { line: 2, enabled: false, protocol: "SIP", registration: "disabled" },
    ]);
  }
}
