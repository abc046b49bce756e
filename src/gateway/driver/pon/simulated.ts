/**
 * The fibre of a home gateway that does not exist.
 *
 * @module
 */
import type { Clock, Random } from "../../../base/mod.ts";
import type { Pon, PonOptics, PonRegistration, PonStatus } from "./pon.ts";

/** How long a registration takes. */
const REGISTER_MS = 1_000;

/** The {@linkcode Pon} that simulates. Users that begin with `bad` are refused. */
export class SimulatedPon implements Pon {
  #since: number;
  #asked: { at: number; user: string } | undefined;
  #rxPower = -19;

  constructor(private readonly clock: Pick<Clock, "monotonic">, private readonly random: Random) {
    this.#since = clock.monotonic();
  }

  status(): Promise<PonStatus> {
    const uptimeSeconds = Math.floor((this.clock.monotonic() - this.#since) / 1000);
    return Promise.resolve({ up: true, kind: "GPON", uptimeSeconds });
  }

  optics(): Promise<PonOptics> {
    this.#rxPower = Math.min(-15, Math.max(-26, this.#rxPower + this.random.float() - 0.5));
    const about = (value: number, step: number) => round(value + (this.random.float() - 0.5) * step);
    return Promise.resolve({
      temperature: about(46, 4),
      voltage: about(3.3, 0.05),
      current: about(12, 1),
      txPower: about(2.2, 0.2),
      rxPower: round(this.#rxPower),
    });
  }

  register(user: string, _password: string): Promise<void> {
    this.#asked = { at: this.clock.monotonic(), user };
    return Promise.resolve();
  }

  registration(): Promise<PonRegistration> {
    if (!this.#asked) return Promise.resolve({ state: "none", text: "" });
    if (this.clock.monotonic() - this.#asked.at < REGISTER_MS) {
      return Promise.resolve({ state: "running", text: "" });
    }
    return Promise.resolve(
      this.#asked.user.startsWith("bad")
        ? { state: "failed", text: "the operator does not know this user" }
        : { state: "succeeded", text: "" },
    );
  }

  /** As after a restart of the machine. */
  restart(): void {
    this.#since = this.clock.monotonic();
    this.#asked = undefined;
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
