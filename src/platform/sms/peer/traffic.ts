/**
 * What goes to other gateways and comes from them: messages, and reports on the way back (reference §5).
 *
 * Every gateway on the way keeps a message until its report is on its way back, and the report goes back to where the
 * message came from: so each needs to know its neighbours only. A message keeps the Msg_Id of the gateway that it
 * began at on every wire; within this gateway it has one of its own besides.
 *
 * @module
 */
import { type Deps, messageOf, sleep } from "../../../base/mod.ts";
import {
  decodeReport,
  type Fwd,
  FwdType,
  msgIdHex,
  parseMsgId,
  Result,
  Stat,
  type StatusReport,
  statWithCode,
} from "../../../protocol/cmpp/mod.ts";
import type { LocalTimes } from "../local_times.ts";
import type { Page } from "../mailbox.ts";
import type { Mt, OutboxItem } from "../message.ts";
import type { OutletMessage, Receipt } from "../outlet.ts";
import type { SmsSettings } from "../settings.ts";
import type { SmsStore } from "../store.ts";
import type { Tallies } from "../tallies.ts";
import { fwdOfReport, fwdOfSubmit } from "./fwd.ts";
import type { PeerHub } from "./hub.ts";
import type { ForwardItem } from "./item.ts";
import type { Also, Ledger, Received } from "./ledger.ts";
import type { LineEvents } from "./line.ts";

/** How a provider that is a gateway is named where providers are: no SP_Id has seven characters. */
export const peerSpId = (code: string) => `@${code}`;
/** Whether that is such a name. */
export const isPeerSpId = (spId: string) => spId.length === 7 && spId.startsWith("@");

/** What the traffic works with. */
export interface TrafficParts {
  readonly settings: SmsSettings;
  readonly store: SmsStore;
  readonly ledger: Ledger;
  readonly hub: PeerHub;
  readonly tallies: Tallies;
  readonly times: LocalTimes;
  /** Whether there is such a peer. */
  readonly knows: (code: string) => boolean;
  /** Tells the dispatcher what became of a message. */
  readonly tell: (receipt: Receipt) => void;
}

/** What another gateway has said of a message to a phone. */
interface Abroad {
  /** Who has it, or is to get it: nobody else may report on it. */
  readonly peer: string;
  state: "waiting" | "accepted";
  /** Done_time of the report that came. */
  doneTime?: string;
}

/** What goes with an end, and happens after it is on disk. */
export interface WithEnd {
  readonly also: Also;
  readonly after: () => void;
}

const REPORT_TIMEOUT = 55;
const UNREACHED = 51;

/** The traffic. */
export class Traffic implements LineEvents {
  /** Messages that are with other gateways, or wait for them. */
  readonly #abroad = new Map<bigint, Abroad>();
  /** Messages that gateways have sent here and that have not ended, by what they are called here. */
  readonly #received = new Map<bigint, Received>();
  /** Who waits for an end to be on disk. */
  readonly #waiting = new Map<bigint, (() => void)[]>();

  constructor(
    private readonly deps: Pick<Deps, "clock" | "log" | "metrics">,
    private readonly parts: TrafficParts,
  ) {}

  /** Takes up what an earlier run has left. Before the dispatcher starts. */
  async start(): Promise<void> {
    for (const received of await this.parts.ledger.open(FwdType.mt)) {
      this.#received.set(received.localId, received);
    }
  }

  /** A message to a phone that a peer has sent was kept: its report will go back. */
  remember(received: Received): void {
    this.#received.set(received.localId, received);
  }

  /** Hands a message to another gateway's line; the Stat where it can't go there. */
  forward(message: OutletMessage, code: string): string | undefined {
    const { settings, ledger, hub, knows } = this.parts;
    if (!knows(code)) return statWithCode("IA", Result.noRoute);
    const received = this.#received.get(message.msgId);
    if (received && (code === received.peer || code === received.fwd.Source_Id)) {
      return statWithCode("IA", Result.routingLoop);
    }
    const fwd: Fwd = received
      ? { ...received.fwd, Destination_Id: code, NodesCount: received.fwd.NodesCount + 1 }
      : fwdOfSubmit(message.submit, {
        from: settings.gatewayCode,
        to: code,
        expiresAt: message.expiresAt,
        utcOffsetMinutes: settings.utcOffsetMinutes,
      });
    const { expiresAt, msgId } = message;
    this.#abroad.set(msgId, { peer: code, state: "waiting" });
    const item = ledger.item(code, fwd, this.deps.clock.now());
    hub.line(code).offerMt({ ...item, expiresAt, mt: message });
    return undefined;
  }

  /** Takes back what waits for gateways that are away, for another way: routes, or gateways, have changed. */
  recall(): OutletMessage[] {
    return this.parts.hub.drainMts().flatMap((item) => {
      const message = item.mt!;
      if (!this.alive(item)) return [];
      this.#abroad.delete(message.msgId);
      return [message];
    });
  }

  load(code: string, after: number, limit: number): Promise<Page<ForwardItem>> {
    return this.parts.ledger.queued(code, after, limit);
  }

  alive({ mt, expiresAt }: ForwardItem): boolean {
    return mt !== undefined && this.#abroad.has(mt.msgId) && expiresAt > this.deps.clock.now();
  }

  mtAccepted({ mt, fwd }: ForwardItem): void {
    const { msgId } = mt!, abroad = this.#abroad.get(msgId);
    if (!abroad) return; // its report was quicker than its answer
    if (fwd.Registered_Delivery === 1) {
      abroad.state = "accepted";
      this.parts.tell({ msgId, stat: Stat.accepted, smscSequence: 0 });
    } // Nobody asked for a report: that it was forwarded is all that there will be to know.
    else this.parts.tell({ msgId, stat: Stat.delivered, smscSequence: 0 });
  }

  mtFailed({ mt }: ForwardItem, stat: string): void {
    const { msgId } = mt!;
    if (this.#abroad.has(msgId)) this.parts.tell({ msgId, stat, smscSequence: 0 });
  }

  /** A kept item was answered for good. */
  async done(item: ForwardItem, result: number): Promise<void> {
    const { store, ledger } = this.parts, { fwd } = item;
    if (fwd.Msg_Fwd_Type !== FwdType.mo) {
      if (result !== Result.ok) this.#lost(item, result);
      return await store.write({ also: ledger.drop(item) });
    }
    if (result === Result.ok && fwd.Registered_Delivery === 1) {
      return await store.write({ also: ledger.accepted(item) });
    }
    const stat = result === Result.ok ? Stat.delivered : statWithCode("IB", result);
    await this.#endMo(item, stat, this.deps.clock.now());
  }

  /** What a message's end is told as: one that another gateway has and never reported on has not just expired. */
  statOf({ msgId }: Pick<Mt, "msgId">, stat: string): string {
    const silent = stat === Stat.expired && this.#abroad.get(msgId)?.state === "accepted";
    return silent ? statWithCode("IC", REPORT_TIMEOUT) : stat;
  }

  /** Done_time as the gateway that delivered it says. */
  doneTimeOf({ msgId }: Pick<Mt, "msgId">): string | undefined {
    return this.#abroad.get(msgId)?.doneTime;
  }

  /** The report on a peer's message, on its way back. */
  reportBack(mt: Pick<Mt, "msgId">, report: StatusReport): WithEnd | undefined {
    const received = this.#received.get(mt.msgId);
    if (!received) return undefined;
    const { ledger } = this.parts, { fwd } = received;
    const reported = ledger.reported(received.localId, FwdType.mt, fwd.Pk_number);
    if (fwd.Registered_Delivery !== 1) return { also: reported, after: () => {} };
    return this.#back(
      received,
      { ...report, Msg_Id: fwd.Msg_Id, Dest_terminal_Id: fwd.Dest_Id[0]! },
      reported,
    );
  }

  /** A message's end is on disk. */
  ended({ msgId }: Pick<Mt, "msgId">): void {
    if (this.#abroad.size === 0 && this.#received.size === 0) return; // all that a lone gateway ever does
    this.#abroad.delete(msgId);
    this.#received.delete(msgId);
    for (const resolve of this.#waiting.get(msgId) ?? []) resolve();
    this.#waiting.delete(msgId);
  }

  /** A report of `peer` on a message to a phone; its Result is 0 once the end is on disk. */
  async mtReport(peer: string, fwd: Fwd): Promise<number> {
    const report = decodeReport(fwd.Msg_Content), local = await this.#localOf(fwd, report);
    if (local === undefined) return Result.notServed;
    const abroad = this.#abroad.get(local);
    // Not handed out yet after a restart, though it will be: too early. Or it has ended: told already.
    if (!abroad) return await this.#isOpen(local) ? Result.flowControl : Result.ok;
    if (abroad.peer !== peer) return Result.notServed;
    if (report.Stat === Stat.accepted) return Result.ok;
    abroad.doneTime = report.Done_time;
    const over = new AbortController();
    const ended = new Promise<number>((resolve) => {
      const waiting = this.#waiting.get(local) ?? [];
      waiting.push(() => resolve(Result.ok));
      this.#waiting.set(local, waiting);
    });
    this.parts.tell({ msgId: local, stat: report.Stat, smscSequence: report.SMSC_sequence });
    // The end is tried until the disk takes it: that may be after the peer has lost its patience.
    const late = sleep(this.deps.clock, this.parts.settings.responseMs, over.signal)
      .then(() => Result.flowControl, () => Result.flowControl);
    const result = await Promise.race([ended, late]);
    over.abort();
    return result;
  }

  /** A report of `peer` on a message of a phone. */
  async moReport(peer: string, fwd: Fwd): Promise<number> {
    const { ledger } = this.parts, report = decodeReport(fwd.Msg_Content);
    const item = await ledger.openMo(report.Msg_Id);
    if (item && item.peer !== peer) return Result.notServed;
    if (item) {
      await this.#endMo(item, report.Stat, undefined, report);
      return Result.ok;
    }
    const known = this.#isOwn(report.Msg_Id) || (await ledger.received(FwdType.mo, report.Msg_Id)).length > 0;
    return known ? Result.ok : Result.notServed;
  }

  /** What goes with the end of an item of a provider's that a gateway has sent: the report back. */
  async moEnd(
    item: Pick<OutboxItem, "deliver">,
    result: number | undefined,
    sentAt: number,
  ): Promise<WithEnd | undefined> {
    const { deliver } = item;
    if (this.#isOwn(deliver.Msg_Id)) return undefined;
    const found = (await this.parts.ledger.received(FwdType.mo, deliver.Msg_Id)).find((one) =>
      one.open && sameOctets(one.fwd.Msg_Content, deliver.Msg_Content)
    );
    return found && this.#moReportBack(found, moStat(result), sentAt);
  }

  /** Ends what has waited too long: nobody came for it, or nobody reported on it. */
  async giveUpStale(before: number): Promise<number> {
    const { ledger, store } = this.parts;
    let given = 0;
    let page: Page<ForwardItem> | undefined;
    do {
      page = await ledger.stale(before, page?.last);
      for (const item of page.items) {
        if (item.fwd.Msg_Fwd_Type === FwdType.mo) {
          await this.#endMo(item, statWithCode("IA", UNREACHED), this.deps.clock.now());
        } else await store.write({ also: ledger.drop(item) });
      }
      given += page.items.length;
    } while (page.last !== undefined);
    for (const received of await ledger.open(FwdType.mo, before)) {
      const { also, after } = this.#moReportBack(
        received,
        statWithCode("SA", REPORT_TIMEOUT),
        received.createdAt,
      );
      await store.write({ also });
      after();
      given++;
    }
    return given;
  }

  /** A message of a phone has ended at another gateway, or on the way there. */
  async #endMo(
    item: ForwardItem,
    stat: string,
    at: number | undefined,
    report?: StatusReport,
  ): Promise<void> {
    const { ledger, store, tallies } = this.parts, { fwd } = item;
    const received = this.#isOwn(fwd.Msg_Id)
      ? undefined
      : (await ledger.received(FwdType.mo, fwd.Msg_Id)).find((one) =>
        one.open && one.fwd.Pk_number === fwd.Pk_number
      );
    const back = received && this.#moReportBack(received, stat, at ?? received.createdAt, report);
    const moved = stat === Stat.delivered ? "mo_delivered" : "mo_failed";
    await store.write({
      count: tallies.of(item.createdAt, peerSpId(item.peer), fwd.Service_Id, { [moved]: 1 }),
      also: both(ledger.drop(item), back?.also),
    });
    back?.after();
  }

  #moReportBack(received: Received, stat: string, sentAt: number, from?: StatusReport): WithEnd {
    const { ledger, times } = this.parts, { fwd } = received;
    const reported = ledger.reported(received.localId, FwdType.mo, fwd.Pk_number);
    if (fwd.Registered_Delivery !== 1) return { also: reported, after: () => {} };
    const report = from ?? {
      Msg_Id: fwd.Msg_Id,
      Stat: stat,
      Submit_time: times.report(sentAt),
      Done_time: times.report(this.deps.clock.now()),
      Dest_terminal_Id: fwd.Dest_Id[0]!,
      SMSC_sequence: 0,
    };
    return this.#back(received, report, reported);
  }

  #back(received: Received, report: StatusReport, reported: Also): WithEnd {
    const { ledger, hub, settings } = this.parts;
    const fwd = fwdOfReport(received.fwd, report, settings.gatewayCode);
    const item = ledger.item(received.peer, fwd, this.deps.clock.now());
    return { also: both(ledger.keep(item), reported), after: () => hub.line(item.peer).offer(item) };
  }

  /** What the message of a report is called here; undefined where it never was here. */
  async #localOf({ Pk_number }: Fwd, { Msg_Id }: StatusReport): Promise<bigint | undefined> {
    if (this.#isOwn(Msg_Id)) return Msg_Id;
    const found = (await this.parts.ledger.received(FwdType.mt, Msg_Id)).find((one) =>
      one.fwd.Pk_number === Pk_number
    );
    return found?.localId;
  }

  async #isOpen(local: bigint): Promise<boolean> {
    const row = await this.parts.store.message(msgIdHex(local));
    return row?.state === "waiting" || row?.state === "sent";
  }

  #isOwn(msgId: bigint): boolean {
    return parseMsgId(msgId).gateway === Number(this.parts.settings.gatewayCode);
  }

  #lost(item: ForwardItem, result: number): void {
    this.deps.metrics.counter("gatehouse_sms_reports_lost_total", "Reports that a gateway would not have")
      .inc();
    this.deps.log.warn("a gateway would not have a report", {
      peer: item.peer,
      msgId: msgIdHex(item.fwd.Msg_Id),
      result,
    });
  }

  /** Tells the log of what must not be lost without a word. */
  failed(what: string, error: unknown): void {
    this.deps.log.error(what, { error: messageOf(error) });
  }
}

/** How a provider took a message, as a report says it; undefined: it never answered. */
function moStat(result: number | undefined): string {
  if (result === undefined) return statWithCode("SA", REPORT_TIMEOUT);
  return result === Result.ok ? Stat.delivered : statWithCode("SB", result);
}

function both(one: Also, other: Also | undefined): Also {
  return async (transaction) => {
    await one(transaction);
    await other?.(transaction);
  };
}

function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}
