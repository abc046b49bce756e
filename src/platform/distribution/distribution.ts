/**
 * BootFirst and RegisterFirst: who may come in, and where to send them (reference §2).
 *
 * @module
 */
import {
  type Deps,
  GatehouseError,
  type HostPort,
  KeyedRate,
  messageOf,
  parseHostPort,
  withTimeout,
} from "../../base/mod.ts";
import {
  type BootFirst,
  checkSn,
  decodeDistributionRequest,
  type DistributionReply,
  DistributionResult,
  equalDigest,
  hex32,
  ProtocolError,
  type RegisterFirst,
} from "../../protocol/smart_gateway/mod.ts";
import { type Admission, Challenges, type GatewayRow, type GatewayStore } from "../registry/mod.ts";
import type { Choice } from "./policy.ts";
import { PolicyScripts } from "./policy_script.ts";
import type { PolicyStore } from "./policy_store.ts";

/**
 * Packets a second from one MAC; one more is answered with -1 (reference §2). Counted by host too: a stranger who knows
 * a MAC does not keep its gateway from being answered.
 */
const PACKETS_PER_SECOND = 3;
/** How long the database may take before a gateway is told that its SN can't be looked up, in milliseconds. */
const DATABASE_MS = 5_000;

interface Pending {
  readonly challenge: string;
  readonly boot: BootFirst;
  readonly gateway: GatewayRow;
}

/** The rules of distribution, whatever carries the messages. */
export class Distribution {
  readonly #rate: KeyedRate<string>;
  readonly #pending: Challenges<Pending>;

  constructor(
    private readonly deps: Deps,
    private readonly gateways: GatewayStore,
    private readonly policy: PolicyStore,
    private readonly intervalSeconds: number,
    private readonly admission?: Admission,
    private readonly scripts: Pick<PolicyScripts, "choose"> = new PolicyScripts(deps),
  ) {
    this.#rate = new KeyedRate(deps.clock, PACKETS_PER_SECOND, 1000);
    this.#pending = new Challenges(deps.clock);
  }

  /**
   * The answer to one message from `source` (`host:port`); undefined where none is due, since what came is not of
   * this protocol. `bytes` is read before the first wait. `full`: there is no room for another BootFirst.
   */
  async answer(bytes: Uint8Array, source: string, full = false): Promise<DistributionReply | undefined> {
    let request;
    try {
      request = decodeDistributionRequest(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#count(error.code);
      this.deps.log.debug("distribution: not a request", { source, error: error.message });
      return error.code === "unknown_method" ? { result: DistributionResult.GENERAL } : undefined;
    }
    const reply = request.method === "BootFirst"
      ? await this.#bootFirst(request, source, full)
      : await this.#registerFirst(request, source);
    this.#count(`${request.method} ${reply.result}`);
    return reply;
  }

  async #bootFirst(boot: BootFirst, source: string, full: boolean): Promise<DistributionReply> {
    if (!this.#rate.take(`${boot.mac}@${hostOf(source)}`)) return { result: DistributionResult.GENERAL };
    const interval = this.admission?.ask(full) ?? 0;
    if (interval > 0) return { result: DistributionResult.GENERAL, interval };
    let gateway;
    try {
      const late = () => new GatehouseError("slow", "the database did not answer in time");
      gateway = await withTimeout(this.deps.clock, this.gateways.find(boot.mac), DATABASE_MS, late);
    } catch (error) {
      this.deps.log.error("distribution: SN look-up failed", { mac: boot.mac, error: messageOf(error) });
      return { result: DistributionResult.SN_LOOKUP_FAILED };
    }
    if (!gateway) {
      this.deps.log.info("distribution: unknown gateway refused: preset it, then start it anew", {
        mac: boot.mac,
        source,
      });
      return { result: DistributionResult.REFUSED };
    }
    const challenge = hex32(this.deps.random.bytes(16));
    const pending = { challenge, boot, gateway };
    this.#pending.set(`${boot.mac}@${source}`, pending);
    this.#pending.set(source, pending);
    return {
      result: DistributionResult.OK,
      challengeCode: challenge,
      interval: this.intervalSeconds,
      serverIp: boot.ipAddr,
    };
  }

  async #registerFirst(register: RegisterFirst, source: string): Promise<DistributionReply> {
    // Some gateways leave the MAC out: then the source address has to say who it is.
    const pending = this.#pending.get(register.mac === undefined ? source : `${register.mac}@${source}`);
    // Nothing was verified, so it is no refusal: the last of a gateway's four tries may come after its challenge was
    // forgotten, and -2 would silence it for hours.
    if (!pending) return { result: DistributionResult.GENERAL };
    const { boot, gateway, challenge } = pending;
    if (!this.#rate.take(`${boot.mac}@${hostOf(source)}`)) return { result: DistributionResult.GENERAL };
    if (!equalDigest(register.checkSn, checkSn(challenge, gateway.sn))) {
      this.deps.log.warn("distribution: wrong CheckSN", { mac: boot.mac, source });
      return { result: DistributionResult.REFUSED };
    }
    const choice = pinned(gateway) ?? await this.scripts.choose(this.policy.current, {
      mac: boot.mac,
      vendor: boot.vendor,
      model: boot.model,
      firmware: boot.firmwareVer,
      region: gateway.region ?? undefined,
    });
    if (!choice) {
      this.deps.log.warn("distribution: no operations platform for a gateway", { mac: boot.mac });
      return { result: DistributionResult.REFUSED };
    }
    if (choice.kind === "redirect") return { result: DistributionResult.REDIRECT, serverIp: choice.address };
    this.deps.log.info("distribution: gateway sent on", {
      mac: boot.mac,
      to: `${choice.target.host}:${choice.target.port}`,
      rule: choice.rule,
    });
    return {
      result: DistributionResult.VERIFIED,
      interval: this.intervalSeconds,
      serverIp: boot.ipAddr,
      serverAddr: choice.target.host,
      serverPort: choice.target.port,
    };
  }

  #count(outcome: string): void {
    this.deps.metrics.counter("gatehouse_distribution_requests_total", "Distribution requests by outcome", {
      outcome,
    }).inc();
  }
}

function hostOf(source: string): string {
  return source.slice(0, source.lastIndexOf(":"));
}

/** The operations platform that an operator has set for this one gateway. */
function pinned(gateway: GatewayRow): Choice | undefined {
  const target: HostPort | undefined = parseHostPort(gateway.pinned_operations ?? "");
  return target && { kind: "operations", target, rule: "pinned" };
}
