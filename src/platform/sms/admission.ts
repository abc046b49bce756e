/**
 * CONNECT of a provider: who it is, whether it proves it, and what it may (reference §4).
 *
 * @module
 */
import type { Deps } from "../../base/mod.ts";
import {
  authenticatorIsmg,
  authenticatorSource,
  type Connect,
  ConnectStatus,
  dialectOf,
  equalAuthenticators,
  VERSION_3_0,
} from "../../protocol/cmpp/mod.ts";
import type { Account, AccountStore } from "./accounts.ts";
import type { Doorkeeper } from "./doorkeeper.ts";
import type { Session } from "./session.ts";

const NO_AUTHENTICATOR = new Uint8Array(16);

/** Decides about CONNECTs. */
export class Admission {
  constructor(
    private readonly deps: Pick<Deps, "log" | "metrics">,
    private readonly accounts: AccountStore,
    private readonly doorkeeper: Doorkeeper,
    /** How many connections a provider has. */
    private readonly connectionsOf: (spId: string) => number,
  ) {}

  /** Answers a CONNECT through its session; true where the provider is in. */
  answer(session: Session, message: Connect): boolean {
    const { sequence, Version: version } = message, dialect = dialectOf(version);
    const address = session.connection.remote.host;
    const account = this.accounts.find(message.Source_Addr);
    const status = dialect === undefined
      ? (version > VERSION_3_0 ? ConnectStatus.version : ConnectStatus.structure)
      : this.#status(session, message, account);
    // Whoever speaks 2.x reads its widths, also for a refusal.
    session.dialect = version < VERSION_3_0 && version !== 0 ? 2 : 3;
    const highest = account?.version ?? VERSION_3_0;
    const accepted = status === ConnectStatus.ok && account !== undefined && dialect !== undefined;
    this.deps.metrics.counter("gatehouse_sms_connects_total", "CONNECTs by their Status", {
      status: String(status),
    }).inc();
    if (accepted) session.admit(account, version);
    session.send({
      command: "CONNECT_RESP",
      sequence,
      Status: status,
      AuthenticatorISMG: accepted
        ? authenticatorIsmg(status, message.AuthenticatorSource, account.secret, session.dialect)
        : NO_AUTHENTICATOR,
      Version: highest,
    });
    if (!accepted) {
      this.deps.log.warn("CONNECT refused", { spId: message.Source_Addr, address, status });
      if (status === ConnectStatus.authentication || status === ConnectStatus.sourceAddress) {
        this.doorkeeper.countWrong(address);
      }
      session.end();
      return false;
    }
    this.deps.log.info("provider connected", { spId: account.spId, address, kind: session.kind, version });
    return true;
  }

  #status(session: Session, message: Connect, account: Account | undefined): number {
    if (!account) return ConnectStatus.sourceAddress;
    const { secret, addresses, version, maxConnections, spId } = account;
    const expected = authenticatorSource(spId, secret, message.Timestamp);
    if (!equalAuthenticators(expected, message.AuthenticatorSource)) return ConnectStatus.authentication;
    if (addresses.length > 0 && !addresses.includes(session.connection.remote.host)) {
      return ConnectStatus.loginAddress;
    }
    if (message.Version > version) return ConnectStatus.version;
    return this.connectionsOf(spId) >= maxConnections ? ConnectStatus.tooManyConnections : ConnectStatus.ok;
  }
}
