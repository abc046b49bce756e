/**
 * The gateway's core: what its sessions ask of it, and what comes back from the centre. What it does lies beside it:
 * admission, intake, outbox.
 *
 * @module
 */
import { type Clock, type Deps, messageOf } from "../../base/mod.ts";
import {
  type Connect,
  type Message,
  parseMsgId,
  type Query,
  Stat,
  type StatusReport,
  type Submit,
} from "../../protocol/cmpp/mod.ts";
import type { Account, AccountStore } from "./accounts.ts";
import { Admission } from "./admission.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { Doorkeeper } from "./doorkeeper.ts";
import { Intake } from "./intake.ts";
import { LocalTimes } from "./local_times.ts";
import { keyOf, type Mt, type OutboxItem, outboxRow, receivedRow } from "./message.ts";
import { Meters } from "./meters.ts";
import type { MsgIds } from "./msg_ids.ts";
import { Outbox } from "./outbox.ts";
import type { MobileOriginated } from "./outlet.ts";
import { type Desk, isPeerSpId, type Traffic } from "./peer/mod.ts";
import { moDeliver, reportDeliver, reportOf } from "./reports.ts";
import { nationalNumber, type Router } from "./routing/mod.ts";
import type { Seal } from "../credentials/mod.ts";
import type { Session, SessionHost, SubmitOutcome } from "./session.ts";
import type { SmsSettings } from "./settings.ts";
import type { SmsStore } from "./store.ts";
import { Tallies } from "./tallies.ts";
import type { Unreadable } from "./unreadable.ts";

/** The ways to and from other gateways. */
export interface Elsewhere {
  readonly traffic: Traffic;
  readonly desk: Desk;
  readonly router: Router;
}

/** What the core works with. */
export interface IsmgParts {
  readonly accounts: AccountStore;
  readonly store: SmsStore;
  readonly seal: Seal;
  readonly ids: MsgIds;
  readonly unreadable: Unreadable;
  /** The largest id that the outbox has used. */
  readonly lastOutboxId: number;
}

/** One gateway. */
export class Ismg implements SessionHost {
  readonly clock: Clock;
  readonly sessions = new Set<Session>();
  /** Set before the first connection. */
  dispatcher!: Dispatcher;
  /** Set before the first connection. */
  elsewhere!: Elsewhere;
  readonly times: LocalTimes;
  readonly tallies: Tallies;
  readonly meters: Meters;
  readonly outbox: Outbox;
  readonly #intake: Intake;
  readonly #doorkeeper: Doorkeeper;
  readonly #admission: Admission;

  constructor(
    private readonly deps: Pick<Deps, "clock" | "log" | "metrics">,
    readonly settings: SmsSettings,
    private readonly parts: IsmgParts,
  ) {
    this.clock = deps.clock;
    this.times = new LocalTimes(settings.utcOffsetMinutes);
    this.tallies = new Tallies(deps, parts.store, this.times);
    this.meters = new Meters(deps);
    const shared = { ...parts, settings, tallies: this.tallies };
    const gateway = Number(settings.gatewayCode);
    this.outbox = new Outbox(deps, {
      ...shared,
      lastId: parts.lastOutboxId,
      fromAfar: (item, result, sentAt) =>
        parseMsgId(item.deliver.Msg_Id).gateway === gateway
          ? undefined
          : this.elsewhere.traffic.moEnd(item, result, sentAt),
    });
    this.#intake = new Intake(deps, {
      ...shared,
      dispatcher: () => this.dispatcher,
      hasNoRoute: (number) =>
        !this.elsewhere.router.trivial && this.elsewhere.router.hasNoRoute(nationalNumber(number)),
    });
    this.#doorkeeper = new Doorkeeper(deps.clock, settings.wrongSecretsPerMinute, {
      strangers: settings.maxStrangers,
    });
    this.#admission = new Admission(
      deps,
      parts.accounts,
      this.#doorkeeper,
      (spId) => this.sessionsOf(spId).length,
    );
  }

  /** Gives up what no provider has come for in a long time; gives how much. */
  async giveUpStale(): Promise<number> {
    const given = await this.outbox.giveUpStale();
    return given + await this.elsewhere.traffic.giveUpStale(this.clock.now() - this.settings.outboxMs);
  }

  /** Leaves no timer behind, and no count unwritten. */
  async stop(): Promise<void> {
    this.outbox.stop();
    await this.tallies.flush();
  }

  /** A connection has come. */
  came(session: Session): void {
    this.sessions.add(session);
    this.#doorkeeper.strangerCame(session.connection.remote.host);
  }

  /** A connection is over. */
  gone(session: Session): void {
    this.sessions.delete(session);
    if (!session.account) this.#doorkeeper.strangerLeft(session.connection.remote.host);
    session.close();
  }

  /** Whether connections from an address are let in at all. */
  welcome(address: string): boolean {
    return this.#doorkeeper.welcome(address);
  }

  /** The connections of a provider that it was let in on. */
  sessionsOf(spId: string): Session[] {
    return [...this.sessions].filter((session) => session.account?.spId === spId);
  }

  /** SUBMITs answered so far, by their Result. */
  get results(): Intake["results"] {
    return this.#intake.results;
  }

  /** A provider was changed: its connections go by what holds now; where it is to prove itself again, they end. */
  changed(account: Account, proveAgain: boolean): void {
    for (const session of this.sessionsOf(account.spId)) {
      session.account = account;
      if (proveAgain) session.terminate();
    }
  }

  connect(session: Session, message: Connect): void {
    if (!this.#admission.answer(session, message)) return;
    this.#doorkeeper.strangerLeft(session.connection.remote.host);
    if (session.kind === "long") this.outbox.attach(session.account!.spId, session);
  }

  submit(session: Session, submit: Submit): Promise<SubmitOutcome> | SubmitOutcome {
    const began = this.clock.monotonic();
    const outcome = this.#intake.submit(submit, session.account!, session.dialect, (messages) => {
      session.submitted += messages;
      this.meters.accepted(messages);
    });
    const answered = () => this.meters.answered(began);
    if (outcome instanceof Promise) outcome.then(answered, answered);
    else answered();
    return outcome;
  }

  async query(session: Session, message: Query): Promise<Message> {
    const { Time, Query_Type, Query_Code } = message, { spId } = session.account!;
    await this.tallies.flush();
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

  /** Writes down how a message ended, with its report if it wants one; then whoever sent it gets that. */
  async end(mt: Mt, outcome: string, smscSequence: number): Promise<void> {
    const now = this.clock.now(), { submit } = mt, { traffic } = this.elsewhere;
    const stat = traffic.statOf(mt, outcome), delivered = stat === Stat.delivered;
    const afar = isPeerSpId(mt.spId);
    const wanted = afar || submit.Registered_Delivery === 1;
    const report = wanted ? this.#report(mt, stat, smscSequence, now) : undefined;
    const item = report && !afar
      ? this.outbox.item(mt.spId, reportDeliver(mt, report), now, report)
      : undefined;
    const back = report && afar ? traffic.reportBack(mt, report) : undefined;
    const state = delivered ? "delivered" : stat === Stat.deleted ? "cancelled" : "failed";
    const count = this.tallies.of(mt.submittedAt, mt.spId, submit.Service_Id, {
      [delivered ? "mt_sent" : "mt_failed"]: 1,
    });
    if (!mt.kept && !item && !back) this.tallies.soon(count);
    else {
      await this.parts.store.write({
        ...(mt.kept ? { moved: { msgId: mt.key, state, stat, at: now } } : {}),
        count,
        ...(item ? { outbox: outboxRow(item, this.parts.seal) } : {}),
        ...(back ? { also: back.also } : {}),
      });
    }
    traffic.ended(mt);
    this.meters.ended(stat, delivered, mt.submittedAt);
    if (item) this.outbox.offer(item);
    back?.after();
  }

  /** Whether there is a provider for a number, here or elsewhere. */
  async reaches(number: string): Promise<boolean> {
    return (await this.elsewhere.desk.moWay(number)).kind !== "none";
  }

  /** A phone has written; false where no provider has this number. */
  async mobileOriginated(mo: MobileOriginated): Promise<boolean> {
    const { desk } = this.elsewhere, way = desk.moWay(mo.to);
    const here = !(way instanceof Promise) && way.kind === "local";
    if (!here && await desk.forwardMo(mo)) return true;
    const account = here ? this.parts.accounts.byNumber(mo.to) : undefined;
    const msgId = account && this.parts.ids.take();
    if (!account || msgId === undefined) {
      this.deps.metrics.counter("gatehouse_sms_mo_unrouted_total", "Messages from phones to no provider")
        .inc();
      return false;
    }
    const now = this.clock.now(), deliver = moDeliver(mo, msgId, account.serviceIds[0] ?? "");
    const item = this.outbox.item(account.spId, deliver, now, undefined);
    const outbox = outboxRow(item, this.parts.seal);
    await this.parts.store.write({
      outbox,
      received: receivedRow(item, outbox.pdu),
      count: this.tallies.of(now, account.spId, item.serviceId, { mo_taken: 1 }),
    });
    this.outbox.offer(item);
    return true;
  }

  taken(item: OutboxItem, result: number, sentAt: number): void {
    this.meters.taken(item.kind, result);
    this.outbox.taken(item, result, sentAt);
  }

  putBack(session: Session, items: readonly OutboxItem[]): void {
    const { account } = session;
    if (!account) return;
    if (!session.connection.open) this.outbox.detach(account.spId, session);
    this.outbox.putBack(account.spId, items);
  }

  room(session: Session): void {
    this.outbox.pump(session.account!.spId);
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

  #report(mt: Mt, stat: string, smscSequence: number, now: number): StatusReport {
    const report = reportOf(mt, stat, smscSequence, now, this.times);
    const Done_time = this.elsewhere.traffic.doneTimeOf(mt);
    return Done_time === undefined ? report : { ...report, Done_time };
  }
}
