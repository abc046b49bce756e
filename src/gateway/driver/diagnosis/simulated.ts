/**
 * Diagnosis of a network that does not exist.
 *
 * @module
 */
import type { Random } from "../../../base/mod.ts";
import type { SimulatedNameServers } from "../dns/mod.ts";
import type {
  Diagnosis,
  Hop,
  InformReport,
  PingOptions,
  PingReport,
  TracerouteOptions,
} from "./diagnosis.ts";

/** The {@linkcode Diagnosis} that simulates: everything answers. */
export class SimulatedDiagnosis implements Diagnosis {
  readonly #random: Random;

  constructor(random: Random, private readonly dns: Pick<SimulatedNameServers, "redirected">) {
    this.#random = random;
  }

  ping(_destination: string, { count }: PingOptions): Promise<PingReport> {
    const times = Array.from({ length: count }, () => 1 + Math.round(this.#random.float() * 200) / 10);
    return Promise.resolve({
      sent: count,
      received: count,
      minMs: Math.min(...times),
      avgMs: Math.round(times.reduce((sum, time) => sum + time, 0) / count * 100) / 100,
      maxMs: Math.max(...times),
    });
  }

  traceroute(_destination: string, { maxHops }: TracerouteOptions): Promise<Hop[]> {
    const hops = ["100.64.0.1", "192.0.2.1", "192.0.2.9"].slice(0, maxHops);
    return Promise.resolve(hops.map((address, i) => ({ hop: i + 1, address, ms: 2 * (i + 1) })));
  }

  /** What a name was redirected to, else an address that documentation is written with: nothing is to be reached there. */
  lookup(name: string, type: "A" | "AAAA"): Promise<string[]> {
    const redirected = this.dns.redirected(name);
    if (redirected !== undefined) {
      return Promise.resolve(redirected.includes(":") === (type === "AAAA") ? [redirected] : []);
    }
    return Promise.resolve([type === "A" ? "192.0.2.9" : "2001:db8::9"]);
  }

  inform(): Promise<InformReport> {
    return Promise.resolve({ ok: true, text: "simulated: the ITMS took the report" });
  }
}
