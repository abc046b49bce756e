/**
 * Boot and Register: a gateway proves itself and becomes present (reference §3).
 *
 * @module
 */
import {
  type Deps,
  formatHostPort,
  type HostPort,
  KeyedRate,
  messageOf,
  withTimeout,
} from "../../base/mod.ts";
import {
  type AccessBoot,
  type AccessRegister,
  type AccessReply,
  AccessResult,
  checkSn,
  equalDigest,
  hex32,
  userId,
} from "../../protocol/smart_gateway/mod.ts";
import { StorageError } from "../../storage/mod.ts";
import {
  type Admission,
  Challenges,
  type GatewayRow,
  type GatewayStore,
  type PresenceTable,
} from "../registry/mod.ts";
import type { PlatformEvents } from "../subjects.ts";

/** What registration hands out, and where it stands itself. */
export interface RegistrationSettings {
  /** This operations platform as gateways know it. */
  readonly self: HostPort;
  readonly messageServer: HostPort | undefined;
  readonly heartbeatSeconds: number;
  /** How long the database may take before the gateway is told -4. */
  readonly databaseMs: number;
  /** How many come in a second; absent: all. */
  readonly admission?: Admission;
  /** Told of every registration. */
  readonly onRegistered?: (event: PlatformEvents["gateway.registered"]) => void;
  /** Told of every gateway that is answered with 3: it restores its defaults. */
  readonly onReset?: (mac: string) => void;
}

/**
 * Packets a second from one MAC; one more is answered with -1. More than the three of distribution: a gateway that
 * starts again a moment after it registered is not to wait a whole interval for it. Counted by host too: a stranger who
 * knows a MAC does not keep its gateway from registering.
 */
const PACKETS_PER_SECOND = 10;

interface Pending {
  readonly challenge: string;
  readonly boot: AccessBoot;
  readonly gateway: GatewayRow;
  /** Whether it has been answered rightly. */
  taken: boolean;
}

class TooSlow extends Error {}

/** The rules of Boot and Register. */
export class Registration {
  readonly #rate: KeyedRate<string>;
  readonly #pending: Challenges<Pending>;

  constructor(
    private readonly deps: Deps,
    private readonly gateways: GatewayStore,
    private readonly presence: PresenceTable,
    private readonly settings: RegistrationSettings,
  ) {
    this.#rate = new KeyedRate(deps.clock, PACKETS_PER_SECOND, 1000);
    this.#pending = new Challenges(deps.clock);
  }

  /**
   * Answers a Boot: 0 with a challenge, 3, -1, -2, -4 or -5; where too many come, -1 with the interval after which to
   * come again. `full`: there is no room for another one.
   */
  async boot(boot: AccessBoot, from: HostPort, full = false): Promise<AccessReply> {
    if (!this.#rate.take(`${boot.mac}@${from.host}`)) return { result: AccessResult.GENERAL };
    const interval = this.settings.admission?.ask(full) ?? 0;
    if (interval > 0) return { result: AccessResult.GENERAL, interval };
    return await this.#guarded(boot.mac, async () => {
      const gateway = await this.gateways.find(boot.mac);
      if (!gateway) {
        this.deps.log.info("unknown gateway refused", { mac: boot.mac, source: formatHostPort(from) });
        return { result: AccessResult.REFUSED };
      }
      if (gateway.renew) {
        await this.gateways.renewed(boot.mac);
        this.presence.forget(boot.mac);
        this.settings.onReset?.(boot.mac);
        return { result: AccessResult.NEW_DEVICE };
      }
      if (gateway.pinned_operations && gateway.pinned_operations !== formatHostPort(this.settings.self)) {
        return { result: AccessResult.REDIRECT, serverIp: gateway.pinned_operations };
      }
      const challenge = hex32(this.deps.random.bytes(16));
      this.#pending.set(key(boot.mac, from), { challenge, boot, gateway, taken: false });
      return { result: AccessResult.OK, challengeCode: challenge };
    });
  }

  /** Answers a Register: 2 with addresses and interval, -1 (no Boot before it), -2 or -4. Sent twice it is answered twice. */
  async register(register: AccessRegister, from: HostPort): Promise<AccessReply> {
    if (!this.#rate.take(`${register.mac}@${from.host}`)) return { result: AccessResult.GENERAL };
    const pending = this.#pending.get(key(register.mac, from));
    if (!pending) return { result: AccessResult.GENERAL };
    const { gateway, boot, challenge } = pending;
    const proved = equalDigest(register.checkSn, checkSn(challenge, gateway.sn)) &&
      equalDigest(register.userId, userId(gateway.sn, gateway.loid));
    if (!proved) {
      this.deps.log.warn("registration refused: wrong CheckSN or UserID", {
        mac: register.mac,
        source: formatHostPort(from),
      });
      return { result: AccessResult.REFUSED };
    }
    // Sent again because its answer was lost, or by somebody who heard it: nothing changes by it, since the DevRND may
    // be another by now, and whoever was forgotten meanwhile begins with Boot.
    if (pending.taken) {
      return this.presence.get(register.mac) ? this.#welcome() : { result: AccessResult.GENERAL };
    }
    return await this.#guarded(register.mac, async () => {
      const event = {
        mac: register.mac,
        address: formatHostPort(from),
        wanIp: boot.ipAddr,
        firmware: boot.firmwareVer,
      };
      const there = await this.gateways.noteRegistered(learned(boot, from, this.deps.clock.now()), event);
      if (!there) return { result: AccessResult.REFUSED }; // removed since its Boot
      pending.taken = true;
      this.presence.register({
        mac: gateway.mac,
        sn: gateway.sn,
        loid: gateway.loid,
        hostname: from.host,
        port: from.port,
        devRnd: boot.devRnd,
        previousDevRnd: undefined,
      });
      this.settings.onRegistered?.(event);
      this.deps.log.info("gateway registered", { mac: register.mac, source: formatHostPort(from) });
      return this.#welcome();
    });
  }

  #welcome(): AccessReply {
    return {
      result: AccessResult.VERIFIED,
      ...(this.settings.messageServer ? { messageServer: this.settings.messageServer } : {}),
      interval: this.settings.heartbeatSeconds,
    };
  }

  /** The database is the only thing here that can be slow or away: -4 in the one case, -1 (try again) in the other. */
  async #guarded(mac: string, work: () => Promise<AccessReply>): Promise<AccessReply> {
    try {
      return await withTimeout(this.deps.clock, work(), this.settings.databaseMs, () => new TooSlow());
    } catch (error) {
      if (error instanceof TooSlow || (error instanceof StorageError && error.code === "slow")) {
        this.deps.log.warn("the database is slow, gateway told to try again", { mac });
        return { result: AccessResult.TIMEOUT };
      }
      this.deps.log.error("registration failed", { mac, error: messageOf(error) });
      return { result: AccessResult.GENERAL };
    }
  }
}

function key(mac: string, from: HostPort): string {
  return `${mac}@${from.host}:${from.port}`;
}

function learned(boot: AccessBoot, from: HostPort, now: number): Partial<GatewayRow> {
  return {
    vendor: boot.vendor || null,
    model: boot.model || null,
    firmware: boot.firmwareVer,
    hardware: boot.hardwareVer,
    os_version: boot.osVer,
    app_version: boot.appVer,
    card: boot.card,
    wan_ip: boot.ipAddr,
    address: formatHostPort(from),
    dev_rnd: boot.devRnd,
    previous_dev_rnd: null,
    registered_at: now,
    last_seen_at: now,
    online: 1,
  };
}
