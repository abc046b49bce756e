import { assert, assertEquals } from "@std/assert";
import { FakeClock, Metrics, silentLog } from "../../base/mod.ts";
import { formatSmppTime, msgIdInGroup, Stat } from "../../protocol/cmpp/mod.ts";
import { Dispatcher } from "./dispatcher.ts";
import { keyOf, messageRow, type Mt } from "./message.ts";
import type { Outlet, OutletAnswer, OutletListener, OutletMessage } from "./outlet.ts";
import type { MessageRow } from "./schema.ts";
import type { SmsStore } from "./store.ts";
import { Provider, SP, Stage, SUBMIT } from "./testing_stage.ts";
import { Unreadable } from "./unreadable.ts";

/** A centre that takes everything, and reports when the test says so. */
class QuietCentre implements Outlet {
  readonly name = "quiet";
  readonly connected = true;
  readonly receiptGraceMs = 0;
  readonly window = Infinity;
  listener!: OutletListener;
  readonly got: bigint[] = [];

  constructor(readonly keepsRefs: boolean) {}

  status() {
    return { name: "quiet", connected: true, since: 0, unanswered: 0, unreported: 0, lastError: undefined };
  }
  restore(): void {}
  forget(): void {}
  listen(listener: OutletListener): void {
    this.listener = listener;
  }
  submit({ msgId }: OutletMessage): OutletAnswer {
    this.got.push(msgId);
    return { kind: "accepted", ref: String(msgId) };
  }
  report(msgId: bigint): Promise<void> {
    return this.listener.onReceipt({ msgId, stat: Stat.delivered, smscSequence: 1 });
  }
  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(13800138000 + i));

/** Submits so many groups of 90; their Msg_Ids. */
async function submitGroups(stage: Stage, provider: Provider, groups: number): Promise<bigint[]> {
  const ids: bigint[] = [];
  for (let i = 0; i < groups; i++) {
    const { Msg_Id, Result } = await stage.submit(provider, { Dest_terminal_Id: numbers(90) });
    assertEquals(Result, 0);
    ids.push(...numbers(90).map((_, n) => msgIdInGroup(Msg_Id, n)));
  }
  return ids;
}

Deno.test("phones that are off keep nobody's messages out, however many they are", async () => {
  await using stage = await Stage.open({
    behaviour: { silent: 1 },
    settings: { maxBacklog: 150, activeTestMs: 1e12 },
    account: { ratePerSecond: 100_000 },
  });
  const provider = await stage.connect();
  await submitGroups(stage, provider, 5);
  await stage.clock.advance(3_600_000);
  assertEquals((await stage.submit(provider)).Result, 0);
  const { body } = await stage.call("GET", "/api/v1/sms/status");
  assertEquals(body.backlog, 0);
  assert(stage.metrics.render().includes("gatehouse_sms_unreported 451"));
});

Deno.test("a provider whose messages wait leaves as much room as it takes: the next one finds some", async () => {
  await using stage = await Stage.open({
    behaviour: { busy: true },
    settings: { maxBacklog: 100 },
    account: { ratePerSecond: 100_000, window: 1000 },
  });
  await stage.call("POST", "/api/v1/sms/accounts", { spId: "900002", secret: "888888", spCode: "1066" });
  const one = await stage.connect(), other = await stage.connect({ spId: "900002" });
  const fill = async (provider: Provider, changes: object = {}) => {
    let taken = 0;
    while ((await stage.submit(provider, changes)).Result === 0) taken++;
    return taken;
  };
  assertEquals(await fill(one), 50);
  assertEquals(await fill(other, { Msg_src: "900002", Src_Id: "1066" }), 25);
});

for (const [what, durable, keepsRefs] of [["kept", true, true], ["not kept", false, false]] as const) {
  Deno.test(`messages at the centre that memory has no room for are ended from the database (${what})`, async () => {
    await using stage = await Stage.open({
      settings: { maxTaken: 50, durable, validityMs: 120_000 },
      account: { ratePerSecond: 100_000, window: 2_000 },
    });
    await stage.stop();
    const centre = new QuietCentre(keepsRefs);
    await stage.start({}, centre);
    const provider = await stage.connect();
    const ids = await submitGroups(stage, provider, 8);
    for (let i = 0; i < 5; i++) await stage.settle();
    await stage.call("GET", "/api/v1/sms/messages"); // brings the tables up to date
    const rows = await stage.db.sql.selectFrom("sms_message").select("msg_id").execute();
    const has = (id: bigint) => rows.some(({ msg_id }) => msg_id === keyOf(id));
    assertEquals([has(ids[0]!), has(ids.at(-1)!)], [true, durable]);
    // A receipt, and the same again while the first is being written, and once more after it.
    await Promise.all([centre.report(ids[0]!), centre.report(ids[0]!), centre.report(ids.at(-1)!)]);
    await centre.report(ids[0]!);
    await centre.report(12345n);
    await stage.settle();
    assertEquals(
      new Set(provider.reports()),
      new Set([ids[0]!, ids.at(-1)!].map((id) => ({ id, stat: "DELIVRD" }))),
    );
    assertEquals(provider.reports().length, 2);
    assert(stage.metrics.render().includes(`gatehouse_sms_unreported ${ids.length - 2}`));
    await stage.clock.advance(140_000);
    for (let i = 0; i < 20; i++) await stage.settle();
    const ended = new Map(provider.reports().map(({ id, stat }) => [id, stat]));
    assertEquals([provider.reports().length, ended.size], [ids.length, ids.length]);
    assertEquals(ids.filter((id) => ended.get(id) === "EXPIRED").length, ids.length - 2);
    assert(stage.metrics.render().includes("gatehouse_sms_unreported 0"));
  });
}

Deno.test("a restart over more that waits than there is room for sends all of it, each once", async () => {
  await using stage = await Stage.open({
    behaviour: { busy: true },
    settings: { maxBacklog: 2_000 },
    account: { ratePerSecond: 100_000, window: 2_000 },
  });
  const ids = await submitGroups(stage, await stage.connect(), 10);
  await stage.stop();
  (stage.settings as { maxBacklog: number }).maxBacklog = 100;
  await stage.start();
  const provider = await stage.connect();
  for (let i = 0; i < 20; i++) {
    await stage.clock.advance(1_000);
    await stage.settle();
  }
  assertEquals(provider.reports().map(({ id }) => id).sort(), ids.toSorted());
});

Deno.test("CANCEL wins over a look for due messages that read the message before", async () => {
  const clock = new FakeClock(Date.UTC(2026, 10, 22, 3, 50, 11)), dueAt = clock.now() + 60_000;
  const mt: Mt = {
    msgId: 7n,
    key: keyOf(7n),
    spId: SP,
    submit: { ...SUBMIT, Msg_Id: 7n, At_Time: formatSmppTime(dueAt, 480) },
    submittedAt: clock.now(),
    dueAt,
    expiresAt: dueAt + 3_600_000,
    sent: false,
    kept: true,
  };
  const row = messageRow(mt, clock.now());
  const late: { rows?: PromiseWithResolvers<MessageRow[]> } = {};
  let ended = 0;
  const store = {
    due: (state: string) => state === "scheduled" && late.rows ? late.rows.promise : Promise.resolve([]),
    nextDue: () => Promise.resolve(undefined),
    message: () => Promise.resolve(row),
    write: () => Promise.resolve(),
  } as unknown as SmsStore;
  const centre = new QuietCentre(false);
  await using dispatcher = new Dispatcher({ clock, log: silentLog }, {
    store,
    outlet: centre,
    unreadable: new Unreadable({ log: silentLog, metrics: new Metrics() }),
    settings: { outletWindow: 10, maxBacklog: 10, maxTaken: 10 },
    end: () => Promise.resolve(void ended++),
  });
  await dispatcher.start();
  dispatcher.offer(mt);
  late.rows = Promise.withResolvers();
  await clock.advance(60_000); // its time has come: the row is being read
  assertEquals(await dispatcher.cancel(7n, SP, mt.key), true);
  late.rows.resolve([row]);
  await clock.advance(2_000);
  assertEquals([centre.got, ended], [[], 1]);
  assertEquals(await dispatcher.cancel(7n, "900002", mt.key), false);
});
