/**
 * The gateway's core: takes messages from providers, has them dispatched, and brings reports and messages back.
 *
 * @module
 */
import { type Clock, type Deps, KeyedRate, messageOf, type Timer } from "../../base/mod.ts";
import {
  authenticatorIsmg,
  authenticatorSource,
  CmppError,
  ConnectStatus,
  type Deliver,
  dialectOf,
  encodeReport,
  equalAuthenticators,
  type Message,
  msgIdInGroup,
  type Query,
  Result,
  Stat,
  type Submit,
  VERSION_3_0,
} from "../../protocol/cmpp/mod.ts";
import type { Account, AccountStore } from "./accounts.ts";
import { refusalOf, timesOf } from "./checks.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { LocalTimes } from "./local_times.ts";
import { Mailbox } from "./mailbox.ts";
import { keyOf, messageRow, type Mt, type OutboxItem, outboxItemOf, outboxRow } from "./message.ts";
import type { MsgIds } from "./msg_ids.ts";
import type { MobileOriginated } from "./outlet.ts";
import type { Seal } from "./seal.ts";
import type { Session, SessionHost, SubmitOutcome } from "./session.ts";
import type { SmsSettings } from "./settings.ts";
import type { Count, SmsStore } from "./store.ts";

/** What the core works with. */
export interface IsmgParts {
  readonly accounts: AccountStore;
  readonly store: SmsStore;
  readonly seal: Seal;
  readonly ids: MsgIds;
  /** The largest id that the outbox has used. */
  readonly lastOutboxId: number;
}

/** How often a provider may refuse an item before it is given up. */
const MAX_REFUSALS = 3;
/** How long a count that nothing depends on may wait for others, in milliseconds. */
const COUNT_MS = 200;
const NO_AUTHENTICATOR = new Uint8Array(16);

/** One gateway. */
export class Ismg implements SessionHost {
  readonly clock: Clock;
  readonly sessions = new Set<Session>();
  /** Set before the first connection. */
  dispatcher!: Dispatcher;
  readonly #mailboxes = new Map<string, Mailbox>();
  readonly #wrong: KeyedRate<string>;
  readonly #blocked = new Map<string, number>();
  readonly #refusals = new Map<number, number>();
  /** Outbox ids that were taken and are just being removed. */
  readonly #leaving = new Set<number>();
  readonly #timers = new Set<Timer>();
  readonly #results: (result: number) => void;
  readonly #times: LocalTimes;
  #counts: Count[] = [];
  #counting: Timer | undefined;
  #outboxId: number;

  constructor(
    private readonly deps: Pick<Deps, "clock" | "log" | "metrics">,
    readonly settings: SmsSettings,
    private readonly parts: IsmgParts,
  ) {
    this.clock = deps.clock;
    this.#outboxId = parts.lastOutboxId;
    this.#times = new LocalTimes(settings.utcOffsetMinutes);
    this.#wrong = new KeyedRate(deps.clock, settings.wrongSecretsPerMinute, 60_000, 100_000);
    const counters = new Map<number, { inc(): void }>();
    this.#results = (result) => {
      let counter = counters.get(result);
      if (!counter) {
        counter = deps.metrics.counter("gatehouse_sms_submits_total", "SUBMITs by their Result", {
          result: String(result),
        });
        counters.set(result, counter);
      }
      counter.inc();
    };
  }

  /** Gives up what no provider has come for in a long time; gives how much. */
  async giveUpStale(): Promise<number> {
    const before = this.clock.now() - this.settings.outboxMs;
    let given = 0;
    while (true) {
      const rows = await this.parts.store.stale(before);
      if (rows.length === 0) return given;
      await Promise.all(rows.map((row) =>
        this.parts.store.write({
          taken: { spId: row.sp_id, id: row.id },
          ...(row.kind === "mo"
            ? { count: this.#count(row.created_at, row.sp_id, row.service_id, { mo_failed: 1 }) }
            : {}),
        })
      ));
      given += rows.length;
    }
  }

  /** Leaves no timer behind, and no count unwritten. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    await this.#writeCounts();
  }

  /** Whether connections from an address are let in at all: not after too many wrong secrets. */
  welcome(address: string): boolean {
    const until = this.#blocked.get(address);
    if (until === undefined) return true;
    if (until > this.clock.monotonic()) return false;
    this.#blocked.delete(address);
    return true;
  }

  /** The connections of a provider that it was let in on. */
  sessionsOf(spId: string): Session[] {
    return [...this.sessions].filter((session) => session.account?.spId === spId);
  }

  connect(session: Session, message: Message & { command: "CONNECT" }): void {
    const { sequence, Version: version } = message, dialect = dialectOf(version);
    const address = session.connection.remote.host;
    const account = this.parts.accounts.find(message.Source_Addr);
    const status = dialect === undefined
      ? (version > VERSION_3_0 ? ConnectStatus.version : ConnectStatus.structure)
      : this.#connectStatus(session, message, account);
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
        this.#countWrong(address);
      }
      return session.end();
    }
    this.deps.log.info("provider connected", { spId: account.spId, address, kind: session.kind, version });
    if (session.kind === "long") this.#mailbox(account.spId).attach(session);
  }

  submit(session: Session, submit: Submit): Promise<SubmitOutcome> | SubmitOutcome {
    const outcome = this.#take(session, submit);
    if (!(outcome instanceof Promise)) {
      this.#results(outcome.result);
      return outcome;
    }
    return outcome.then((one) => {
      this.#results(one.result);
      return one;
    });
  }

  async query(session: Session, message: Query): Promise<Message> {
    const { Time, Query_Type, Query_Code } = message, { spId } = session.account!;
    await this.#writeCounts();
    const sums = await this.parts.store.counters(Time, spId, Query_Type === 1 ? Query_Code : undefined);
    return {
      command: "QUERY_RESP",
      sequence: message.sequence,
      Time,
      Query_Type,
      Query_Code,
      MT_TLMsg: sums.mt_messages,
      MT_Tlusr: sums.mt_users,
      MT_Scs: sums.mt_sent,
      MT_WT: Math.max(0, sums.mt_users - sums.mt_sent - sums.mt_failed),
      MT_FL: sums.mt_failed,
      MO_Scs: sums.mo_delivered,
      MO_WT: Math.max(0, sums.mo_taken - sums.mo_delivered - sums.mo_failed),
      MO_FL: sums.mo_failed,
    };
  }

  async cancel(session: Session, msgId: bigint): Promise<boolean> {
    try {
      return await this.dispatcher.cancel(msgId, session.account!.spId, keyOf(msgId));
    } catch (error) {
      this.deps.log.error("a message could not be taken back", { error: messageOf(error) });
      return false;
    }
  }

  /** Writes down how a message ended, with its report if it wants one; then the provider gets it. */
  async end(mt: Mt, stat: string, smscSequence: number): Promise<void> {
    const now = this.clock.now(), { submit } = mt, delivered = stat === Stat.delivered;
    const item = submit.Registered_Delivery === 1 ? this.#reportItem(mt, stat, smscSequence, now) : undefined;
    const state = delivered ? "delivered" : stat === Stat.deleted ? "cancelled" : "failed";
    const count = this.#count(mt.submittedAt, mt.spId, submit.Service_Id, {
      [delivered ? "mt_sent" : "mt_failed"]: 1,
    });
    if (!mt.kept && !item) return this.#countSoon(count);
    await this.parts.store.write({
      ...(mt.kept ? { moved: { msgId: mt.key, state, stat, at: now } } : {}),
      count,
      ...(item ? { outbox: outboxRow(item, this.parts.seal) } : {}),
    });
    if (item) this.#mailbox(mt.spId).offer(item);
  }

  /** A phone has written; false where no provider has this number. */
  async mobileOriginated(mo: MobileOriginated): Promise<boolean> {
    const account = this.parts.accounts.byNumber(mo.to);
    const msgId = account && this.parts.ids.take();
    if (!account || msgId === undefined) {
      this.deps.metrics.counter("gatehouse_sms_mo_unrouted_total", "Messages from phones to no provider")
        .inc();
      return false;
    }
    const now = this.clock.now();
    const deliver: Deliver = {
      command: "DELIVER",
      sequence: 0,
      Msg_Id: msgId,
      Dest_Id: mo.to,
      Service_Id: account.serviceIds[0] ?? "",
      TP_pid: mo.TP_pid,
      TP_udhi: mo.TP_udhi,
      Msg_Fmt: mo.Msg_Fmt,
      Src_terminal_Id: mo.from,
      Src_terminal_type: 0,
      Registered_Delivery: 0,
      Msg_Content: mo.content.slice(),
      LinkID: "",
    };
    const item = this.#item(account.spId, deliver, now, undefined);
    await this.parts.store.write({
      outbox: outboxRow(item, this.parts.seal),
      count: this.#count(now, account.spId, item.serviceId, { mo_taken: 1 }),
    });
    this.#mailbox(account.spId).offer(item);
    return true;
  }

  taken(item: OutboxItem, result: number): void {
    if (result !== Result.ok && !this.#givesUp(item)) {
      // Refused for now: it comes again, behind what else waits, when the link is next used.
      this.deps.clock.setTimer(
        () => this.#mailboxes.get(item.spId)?.putBack([item]),
        this.settings.responseMs,
      );
      return;
    }
    this.#refusals.delete(item.id);
    const moved = result === Result.ok ? "mo_delivered" : "mo_failed";
    this.parts.store.write({
      taken: { spId: item.spId, id: item.id },
      ...(item.kind === "mo"
        ? { count: this.#count(item.createdAt, item.spId, item.serviceId, { [moved]: 1 }) }
        : {}),
    }).then(() => void this.#leaving.delete(item.id), (error) =>
      // It stays on disk, and comes again after a restart: a duplicate, which the protocol allows.
      this.deps.log.error("a delivery was not written down", { id: item.id, error: messageOf(error) }));
  }

  putBack(session: Session, items: readonly OutboxItem[]): void {
    const { account } = session;
    if (!account) return;
    const mailbox = this.#mailbox(account.spId);
    if (!session.connection.open) mailbox.detach(session);
    if (items.length > 0) mailbox.putBack(items);
  }

  room(session: Session): void {
    this.#mailboxes.get(session.account!.spId)?.pump();
  }

  fault(session: Session, fault: string): void {
    this.deps.metrics.counter("gatehouse_sms_faults_total", "What peers did wrong, by what it was", { fault })
      .inc();
    this.deps.log.debug("peer fault", {
      fault,
      spId: session.account?.spId,
      address: session.connection.remote.host,
    });
  }

  #connectStatus(
    session: Session,
    message: Message & { command: "CONNECT" },
    account: Account | undefined,
  ): number {
    if (!account) return ConnectStatus.sourceAddress;
    const { secret, addresses, version, maxConnections, spId } = account;
    const expected = authenticatorSource(spId, secret, message.Timestamp);
    if (!equalAuthenticators(expected, message.AuthenticatorSource)) return ConnectStatus.authentication;
    if (addresses.length > 0 && !addresses.includes(session.connection.remote.host)) {
      return ConnectStatus.loginAddress;
    }
    if (message.Version > version) return ConnectStatus.version;
    return this.sessionsOf(spId).length >= maxConnections
      ? ConnectStatus.tooManyConnections
      : ConnectStatus.ok;
  }

  #countWrong(address: string): void {
    if (this.#wrong.take(address) || this.#blocked.size >= 100_000) return;
    this.#blocked.set(address, this.clock.monotonic() + 60_000);
  }

  #take(session: Session, submit: Submit): Promise<SubmitOutcome> | SubmitOutcome {
    const account = session.account!, now = this.clock.now(), { Dest_terminal_Id: numbers } = submit;
    const refused = refusalOf(submit, account, session.dialect);
    if (refused !== undefined) return { msgId: 0n, result: refused };
    let times;
    try {
      times = timesOf(submit, now, this.settings.validityMs);
    } catch (error) {
      if (error instanceof CmppError) return { msgId: 0n, result: Result.structure };
      throw error;
    }
    if (typeof times === "number") return { msgId: 0n, result: times };
    const full = this.dispatcher.backlog + numbers.length > this.settings.maxBacklog;
    // A group counts as as many messages as it has numbers (annex 1).
    const msgId = full || !account.rate.take(numbers.length)
      ? undefined
      : this.parts.ids.take(numbers.length);
    if (msgId === undefined) return { msgId: 0n, result: Result.flowControl };
    session.submitted += numbers.length;
    const kept = this.settings.durable || times.dueAt > now;
    const content = submit.Msg_Content.slice(); // a view into the receive buffer until here
    const messages = numbers.map((number, i): Mt => {
      const id = i === 0 ? msgId : msgIdInGroup(msgId, i);
      return {
        msgId: id,
        key: keyOf(id),
        spId: account.spId,
        submit: { ...submit, Msg_Id: id, Dest_terminal_Id: [number], Msg_Content: content },
        submittedAt: now,
        ...times,
        sent: false,
        kept,
      };
    });
    return this.#keep(messages, msgId);
  }

  #keep(messages: readonly Mt[], msgId: bigint): Promise<SubmitOutcome> | SubmitOutcome {
    const first = messages[0]!, now = first.submittedAt;
    const count = this.#count(now, first.spId, first.submit.Service_Id, {
      mt_messages: 1,
      mt_users: messages.length,
    });
    const taken = () => {
      for (const mt of messages) this.dispatcher.offer(mt);
      return { msgId, result: Result.ok };
    };
    const failed = (error: unknown) => {
      this.deps.log.error("a message could not be kept", { error: messageOf(error) });
      // Nothing was taken: the provider keeps it and tries again, as with every 8.
      return { msgId: 0n, result: Result.flowControl };
    };
    if (!first.kept) {
      this.#countSoon(count);
      return taken();
    }
    const rows = messages.map((mt) => messageRow(mt, this.parts.seal, now));
    return this.parts.store.write({ messages: rows, count }).then(taken, failed);
  }

  #reportItem(mt: Mt, stat: string, SMSC_sequence: number, now: number): OutboxItem {
    const { submit, msgId } = mt;
    const number = submit.Dest_terminal_Id[0]!;
    const report = {
      Msg_Id: msgId,
      Stat: stat.slice(0, 7),
      Submit_time: this.#times.report(mt.submittedAt),
      Done_time: this.#times.report(now),
      Dest_terminal_Id: number,
      SMSC_sequence,
    };
    const deliver: Deliver = {
      command: "DELIVER",
      sequence: 0,
      Msg_Id: msgId,
      Dest_Id: submit.Src_Id,
      Service_Id: submit.Service_Id,
      TP_pid: 0,
      TP_udhi: 0,
      Msg_Fmt: 0,
      Src_terminal_Id: number,
      Src_terminal_type: submit.Dest_terminal_type,
      Registered_Delivery: 1,
      Msg_Content: encodeReport(report, 3),
      LinkID: submit.LinkID,
    };
    return this.#item(mt.spId, deliver, now, report);
  }

  #item(spId: string, deliver: Deliver, createdAt: number, report: OutboxItem["report"]): OutboxItem {
    const id = ++this.#outboxId, kind = report ? "report" : "mo";
    return { id, spId, serviceId: deliver.Service_Id, kind, createdAt, deliver, report };
  }

  /** A refused item comes again after a while, if its queue is still the same: else it is read from disk again. */
  #later(item: OutboxItem): void {
    const mailbox = this.#mailbox(item.spId), { generation } = mailbox;
    const timer = this.clock.setTimer(() => {
      this.#timers.delete(timer);
      mailbox.putBack([item], generation);
    }, this.settings.responseMs);
    this.#timers.add(timer);
  }

  /** A refused item comes again a few times, unless it is too old. */
  #givesUp(item: OutboxItem): boolean {
    const refusals = (this.#refusals.get(item.id) ?? 0) + 1;
    this.#refusals.set(item.id, refusals);
    return refusals >= MAX_REFUSALS || item.createdAt + this.settings.outboxMs <= this.clock.now();
  }

  #count(
    at: number,
    sp_id: string,
    service_id: string,
    moved: Omit<Count, "day" | "sp_id" | "service_id">,
  ): Count {
    return { day: this.#times.day(at), sp_id, service_id, ...moved };
  }

  /** Counts of what is not kept: nothing waits for them, so many go in one write. */
  #countSoon(count: Count): void {
    this.#counts.push(count);
    this.#counting ??= this.clock.setTimer(() => void this.#writeCounts(), COUNT_MS);
  }

  async #writeCounts(): Promise<void> {
    this.#counting?.cancel();
    this.#counting = undefined;
    const counts = this.#counts;
    this.#counts = [];
    try {
      await Promise.all(counts.map((count) => this.parts.store.write({ count })));
    } catch (error) {
      this.deps.log.error("counters were not written", { error: messageOf(error) });
    }
  }

  #mailbox(spId: string): Mailbox {
    let mailbox = this.#mailboxes.get(spId);
    if (!mailbox) {
      mailbox = new Mailbox(async (after, limit) => {
        try {
          const rows = await this.parts.store.outboxOf(spId, after, limit);
          return rows.map((row) => outboxItemOf(row, this.parts.seal));
        } catch (error) {
          this.deps.log.error("what waits for a provider was not read", { spId, error: messageOf(error) });
          throw error;
        }
      }, (id) => this.#leaving.has(id));
      this.#mailboxes.set(spId, mailbox);
    }
    return mailbox;
  }
}
