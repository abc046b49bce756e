/**
 * What other gateways send, taken or refused: every Result from a cause of its own (reference §5).
 *
 * @module
 */
import { type Deps, messageOf } from "../../../base/mod.ts";
import { CmppError, type Fwd, FwdType, msgIdHex, msgIdInGroup, Result } from "../../../protocol/cmpp/mod.ts";
import type { AccountStore } from "../accounts.ts";
import { type TimeLimits, type Times, timesOf } from "../checks.ts";
import type { Dispatcher } from "../dispatcher.ts";
import { keyOf, messageRow, type Mt, type OutboxItem, outboxRow, receivedRow } from "../message.ts";
import type { MsgIds } from "../msg_ids.ts";
import type { Outbox } from "../outbox.ts";
import type { MobileOriginated } from "../outlet.ts";
import { moDeliver } from "../reports.ts";
import { type Decision, nationalNumber, type Router } from "../routing/mod.ts";
import type { Seal } from "../../credentials/mod.ts";
import type { SmsSettings } from "../settings.ts";
import type { SmsStore } from "../store.ts";
import type { Tallies } from "../tallies.ts";
import { deliverOfFwd, fwdOfDeliver, submitOfFwd } from "./fwd.ts";
import { refusalOfFwd } from "./fwd_checks.ts";
import type { PeerHub } from "./hub.ts";
import type { Also, Ledger, ReceivedKey } from "./ledger.ts";
import type { Peer } from "./peers.ts";
import { peerSpId, type Traffic } from "./traffic.ts";

/** What the desk works with. */
export interface DeskParts {
  readonly settings: SmsSettings;
  readonly store: SmsStore;
  readonly seal: Seal;
  readonly ids: MsgIds;
  readonly accounts: AccountStore;
  readonly router: Router;
  readonly ledger: Ledger;
  readonly hub: PeerHub;
  readonly traffic: Traffic;
  readonly outbox: Outbox;
  readonly tallies: Tallies;
  readonly dispatcher: () => Pick<Dispatcher, "hasRoom" | "offer">;
  /** Whether there is such a peer. */
  readonly knows: (code: string) => boolean;
}

/** Takes what peers send. */
export class Desk {
  /** Messages that are just being taken: a second of the same must not be taken too. */
  readonly #taking = new Map<string, { readonly peer: string; readonly work: Promise<number> }>();

  /** The last that is being taken for each number. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(private readonly deps: Pick<Deps, "clock" | "log">, private readonly parts: DeskParts) {}

  /** Takes a FWD; its Result, 0 once it is on disk. Never rejects. */
  async take(peer: Peer, fwd: Fwd): Promise<number> {
    // The content is a view into the receive buffer until here.
    const own: Fwd = { ...fwd, Msg_Content: fwd.Msg_Content.slice() };
    try {
      const refused = refusalOfFwd(own);
      if (refused !== undefined) return refused;
      if (own.Msg_Fwd_Type === FwdType.mtReport) return await this.parts.traffic.mtReport(peer.code, own);
      if (own.Msg_Fwd_Type === FwdType.moReport) return await this.parts.traffic.moReport(peer.code, own);
      return await this.#once(peer, own);
    } catch (error) {
      this.deps.log.error("a message of a gateway could not be kept", { error: messageOf(error) });
      return Result.flowControl; // nothing was taken: the peer keeps it and tries again
    }
  }

  /** A message of a phone at the own centre goes to a provider elsewhere; false where there is no way. */
  async forwardMo(mo: MobileOriginated): Promise<boolean> {
    const { ids, ledger, hub, store, tallies, settings, knows } = this.parts;
    const decision = await this.moWay(mo.to);
    if (decision.kind !== "gateway" || !knows(decision.code)) return false;
    const msgId = ids.take();
    if (msgId === undefined) return false;
    const now = this.deps.clock.now(), ways = { from: settings.gatewayCode, to: decision.code };
    const item = ledger.item(decision.code, fwdOfDeliver(moDeliver(mo, msgId, ""), ways), now);
    await store.write({
      also: ledger.keep(item),
      count: tallies.of(now, peerSpId(item.peer), "", { mo_taken: 1 }),
    });
    hub.line(item.peer).offer(item);
    return true;
  }

  /** Where a message to a provider's number goes: to its provider here, unless a route fits it better. */
  moWay(number: string): Decision | Promise<Decision> {
    const account = this.parts.accounts.byNumber(number);
    if (account && account.spCode.length >= this.parts.router.matchOf("mo", number)) return { kind: "local" };
    const decide = (decision: Decision): Decision => decision.kind === "local" ? { kind: "none" } : decision;
    const decision = this.parts.router.decide("mo", number);
    return decision instanceof Promise ? decision.then(decide) : decide(decision);
  }

  /** Takes a message once, however often it comes. */
  async #once(peer: Peer, fwd: Fwd): Promise<number> {
    const key = receivedKey(fwd), name = Object.values(key).join(" ");
    const taking = this.#taking.get(name);
    if (taking) return taking.peer === peer.code ? await taking.work : Result.routingLoop;
    const work = this.#inTurn(fwd.Dest_Id[0]!, () => this.#message(peer, fwd, key))
      .finally(() => this.#taking.delete(name));
    this.#taking.set(name, { peer: peer.code, work });
    return await work;
  }

  /** Messages to one number are taken in the order that they came in, whatever each has to wait for. */
  async #inTurn(number: string, take: () => Promise<number>): Promise<number> {
    const before = this.#turns.get(number), mine = Promise.withResolvers<void>();
    this.#turns.set(number, mine.promise);
    try {
      await before;
      return await take();
    } finally {
      if (this.#turns.get(number) === mine.promise) this.#turns.delete(number);
      mine.resolve();
    }
  }

  async #message(peer: Peer, fwd: Fwd, key: ReceivedKey): Promise<number> {
    const { settings, dispatcher } = this.parts;
    // It began here, or has been here: it goes in a circle.
    if (fwd.Source_Id === settings.gatewayCode) return Result.routingLoop;
    const sender = await this.parts.ledger.senderOf(key);
    if (sender !== undefined) return sender === peer.code ? Result.ok : Result.routingLoop;
    if (fwd.NodesCount > settings.maxNodes) return Result.tooManyNodes;
    if (!dispatcher().hasRoom(peerSpId(peer.code), fwd.Dest_Id.length)) return Result.flowControl;
    return fwd.Msg_Fwd_Type === FwdType.mt ? await this.#mt(peer, fwd, key) : await this.#mo(peer, fwd, key);
  }

  async #mt(peer: Peer, fwd: Fwd, key: ReceivedKey): Promise<number> {
    const { store, ids, ledger, traffic, tallies, settings, dispatcher } = this.parts;
    for (const number of fwd.Dest_Id) {
      const refused = this.#wayRefused(
        peer,
        fwd,
        await this.parts.router.decide("mt", nationalNumber(number)),
      );
      if (refused !== undefined) return refused;
    }
    const now = this.deps.clock.now(), { length } = fwd.Dest_Id;
    const times = timesOfFwd(fwd, now, settings);
    if (typeof times === "number") return times;
    const first = ids.take(length);
    if (first === undefined) return Result.flowControl;
    const spId = peerSpId(peer.code), taken: Mt[] = [], kept: Also[] = [];
    fwd.Dest_Id.forEach((number, i) => {
      const localId = msgIdInGroup(first, i), Msg_Id = msgIdInGroup(fwd.Msg_Id, i);
      const received = {
        peer: peer.code,
        localId,
        createdAt: now,
        fwd: { ...fwd, Msg_Id, Dest_Id: [number] },
      };
      traffic.remember(received);
      kept.push(ledger.receive({ ...key, msg_id: msgIdHex(Msg_Id) }, received, "open"));
      const submit = submitOfFwd(fwd, localId, number);
      taken.push({
        msgId: localId,
        key: keyOf(localId),
        spId,
        submit,
        submittedAt: now,
        ...times,
        sent: false,
        kept: true,
      });
    });
    try {
      await store.write({
        messages: taken.map((mt) => messageRow(mt, now)),
        count: tallies.of(now, spId, fwd.Service_Id, { mt_messages: 1, mt_users: length }),
        also: async (transaction) => {
          for (const one of kept) await one(transaction);
        },
      });
    } catch (error) {
      for (const mt of taken) traffic.ended(mt);
      throw error;
    }
    for (const mt of taken) dispatcher().offer(mt);
    return Result.ok;
  }

  async #mo(peer: Peer, fwd: Fwd, key: ReceivedKey): Promise<number> {
    const { store, seal, ids, ledger, hub, outbox, tallies, accounts } = this.parts;
    const number = fwd.Dest_Id[0]!, decision = await this.moWay(number);
    const refused = this.#wayRefused(peer, fwd, decision);
    if (refused !== undefined) return refused;
    const localId = ids.take();
    if (localId === undefined) return Result.flowControl;
    const now = this.deps.clock.now();
    // Nobody asked for a report: nothing is left to do once it is taken.
    const state = fwd.Registered_Delivery === 1 ? "open" : "done";
    const receive = ledger.receive(key, { peer: peer.code, localId, createdAt: now, fwd }, state);
    if (decision.kind === "gateway") {
      const onward = { ...fwd, Destination_Id: decision.code, NodesCount: fwd.NodesCount + 1 };
      const item = ledger.item(decision.code, onward, now), keep = ledger.keep(item);
      await store.write({
        also: async (transaction) => {
          await receive(transaction);
          await keep(transaction);
        },
        count: tallies.of(now, peerSpId(item.peer), fwd.Service_Id, { mo_taken: 1 }),
      });
      hub.line(item.peer).offer(item);
      return Result.ok;
    }
    const { spId } = accounts.byNumber(number)!;
    const item: OutboxItem = outbox.item(spId, deliverOfFwd(fwd), now, undefined);
    const row = outboxRow(item, seal);
    await store.write({
      outbox: row,
      received: receivedRow(item, row.pdu),
      also: receive,
      count: tallies.of(now, spId, item.serviceId, { mo_taken: 1 }),
    });
    outbox.offer(item);
    return Result.ok;
  }

  /** The Result where a message can't go its way. */
  #wayRefused(peer: Peer, fwd: Fwd, decision: Decision): number | undefined {
    if (decision.kind === "local") return undefined;
    if (decision.kind === "unknown") return Result.flowControl;
    // "Forwarding misjudged": whom it is for is not served here.
    if (decision.kind !== "gateway") return Result.notServed;
    if (decision.code === peer.code || decision.code === fwd.Source_Id) return Result.routingLoop;
    if (fwd.NodesCount >= this.parts.settings.maxNodes) return Result.tooManyNodes;
    return this.parts.knows(decision.code) ? undefined : Result.noRoute;
  }
}

function receivedKey(fwd: Fwd): ReceivedKey {
  return {
    kind: fwd.Msg_Fwd_Type,
    msg_id: msgIdHex(fwd.Msg_Id),
    pk_number: fwd.Pk_number,
    source_id: fwd.Source_Id,
  };
}

/** As of a SUBMIT; a time that is none is a fault of structure. */
function timesOfFwd(fwd: Fwd, now: number, limits: TimeLimits): Times | number {
  try {
    return timesOf(submitOfFwd(fwd, 0n, ""), now, limits);
  } catch (error) {
    if (error instanceof CmppError) return Result.structure;
    throw error;
  }
}
