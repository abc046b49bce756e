/**
 * Diagnosis of a network that does not exist.
 *
 * @module
 */
import type { Random } from "../../../base/mod.ts";
import type { SimulatedNameServers } from "../dns/mod.ts";
import { checkPing, checkQuestion, checkTraceroute } from "./bounds.ts";
import type {
  Diagnosis,
  Hop,
  InformReport,
  PingOptions,
  PingReport,
  TracerouteOptions,
} from "./diagnosis.ts";

/** The {@linkcode Diagnosis} that simulates: everything that may be asked answers. */
export class SimulatedDiagnosis implements Diagnosis {
  readonly #random: Random;

  constructor(random: Random, private readonly dns: Pick<SimulatedNameServers, "redirected">) {
    this.#random = random;
  }

  // deno-lint-ignore require-await -- what may not be asked rejects, as on Linux
  async ping(destination: string, { count, size }: PingOptions): Promise<PingReport> {
    checkPing(destination, { count, size });
    const times = Array.from({ length: count }, () => 1 + Math.round(this.#random.float() * 200) / 10);
    return {
      sent: count,
      received: count,
      minMs: Math.min(...times),
      avgMs: Math.round(times.reduce((sum, time) => sum + time, 0) / count * 100) / 100,
      maxMs: Math.max(...times),
    };
  }

  // deno-lint-ignore require-await -- as `ping`
  async traceroute(destination: string, { maxHops }: TracerouteOptions): Promise<Hop[]> {
    checkTraceroute(destination, { maxHops });
    const hops = ["100.64.0.1", "192.0.2.1", "192.0.2.9"].slice(0, maxHops);
    return hops.map((address, i) => ({ hop: i + 1, address, ms: 2 * (i + 1) }));
  }

  /** What a name was redirected to, else an address that documentation is written with: nothing is to be reached there. */
  // deno-lint-ignore require-await -- as `ping`
  async lookup(name: string, type: "A" | "AAAA"): Promise<string[]> {
    checkQuestion(name);
    const redirected = this.dns.redirected(name);
    if (redirected !== undefined) {
      return redirected.includes(":") === (type === "AAAA") ? [redirected] : [];
    }
    return [type === "A" ? "192.0.2.9" : "2001:db8::9"];
  }

  inform(): Promise<InformReport> {
    return Promise.resolve({ ok: true, text: "simulated: the ITMS took the report" });
  }
}
