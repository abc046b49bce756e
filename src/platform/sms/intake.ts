/**
 * Taking SUBMITs: checked, given their Msg_Ids, kept, and handed to the dispatcher (reference §4).
 *
 * @module
 */
import { type Counter, type Deps, messageOf } from "../../base/mod.ts";
import { CmppError, type Dialect, msgIdInGroup, Result, type Submit } from "../../protocol/cmpp/mod.ts";
import type { Account } from "./accounts.ts";
import { refusalOf, timesOf } from "./checks.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { keyOf, messageRow, type Mt } from "./message.ts";
import type { MsgIds } from "./msg_ids.ts";
import type { SubmitOutcome } from "./session.ts";
import type { SmsSettings } from "./settings.ts";
import type { SmsStore } from "./store.ts";
import type { Tallies } from "./tallies.ts";

/** What the intake works with. */
export interface IntakeParts {
  readonly store: SmsStore;
  readonly ids: MsgIds;
  readonly settings: SmsSettings;
  readonly tallies: Tallies;
  readonly dispatcher: () => Pick<Dispatcher, "hasRoom" | "offer">;
  /** Whether it is known that there is no way to a number. */
  readonly hasNoRoute: (number: string) => boolean;
}

/** Takes messages of providers. */
export class Intake {
  readonly #results = new Map<number, Counter>();

  constructor(
    private readonly deps: Pick<Deps, "clock" | "log" | "metrics">,
    private readonly parts: IntakeParts,
  ) {}

  /** SUBMITs answered so far, by their Result. */
  get results(): ReadonlyMap<number, Counter> {
    return this.#results;
  }

  /** The answer to a SUBMIT; with Result 0 its messages are on disk. `accepted` is told how many they are. */
  submit(
    submit: Submit,
    account: Account,
    dialect: Dialect,
    accepted: (messages: number) => void,
  ): Promise<SubmitOutcome> | SubmitOutcome {
    const outcome = this.#take(submit, account, dialect, accepted);
    if (!(outcome instanceof Promise)) {
      this.#countResult(outcome.result);
      return outcome;
    }
    return outcome.then((one) => {
      this.#countResult(one.result);
      return one;
    });
  }

  #take(
    submit: Submit,
    account: Account,
    dialect: Dialect,
    accepted: (messages: number) => void,
  ): Promise<SubmitOutcome> | SubmitOutcome {
    const { settings, ids, dispatcher } = this.parts;
    const now = this.deps.clock.now(), { Dest_terminal_Id: numbers } = submit;
    const refused = refusalOf(submit, account, dialect, settings);
    if (refused !== undefined) return { msgId: 0n, result: refused };
    let times;
    try {
      times = timesOf(submit, now, settings);
    } catch (error) {
      if (error instanceof CmppError) return { msgId: 0n, result: Result.structure };
      throw error;
    }
    if (typeof times === "number") return { msgId: 0n, result: times };
    if (submit.Dest_terminal_type === 0 && numbers.some(this.parts.hasNoRoute)) {
      return { msgId: 0n, result: Result.noRoute };
    }
    const full = !dispatcher().hasRoom(account.spId, numbers.length);
    // A group counts as as many messages as it has numbers (annex 1).
    const msgId = full || !account.rate.take(numbers.length) ? undefined : ids.take(numbers.length);
    if (msgId === undefined) return { msgId: 0n, result: Result.flowControl };
    accepted(numbers.length);
    const kept = settings.durable || times.dueAt > now;
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
    const { tallies, store, dispatcher } = this.parts;
    const first = messages[0]!, now = first.submittedAt;
    const count = tallies.of(now, first.spId, first.submit.Service_Id, {
      mt_messages: 1,
      mt_users: messages.length,
    });
    const taken = () => {
      for (const mt of messages) dispatcher().offer(mt);
      return { msgId, result: Result.ok };
    };
    const failed = (error: unknown) => {
      this.deps.log.error("a message could not be kept", { error: messageOf(error) });
      // Nothing was taken: the provider keeps it and tries again, as with every 8.
      return { msgId: 0n, result: Result.flowControl };
    };
    if (!first.kept) {
      tallies.soon(count);
      return taken();
    }
    const rows = messages.map((mt) => messageRow(mt, now));
    return store.write({ messages: rows, count }).then(taken, failed);
  }

  #countResult(result: number): void {
    let counter = this.#results.get(result);
    if (!counter) {
      counter = this.deps.metrics.counter("gatehouse_sms_submits_total", "SUBMITs by their Result", {
        result: String(result),
      });
      this.#results.set(result, counter);
    }
    counter.inc();
  }
}
