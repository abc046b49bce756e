import { assertEquals } from "@std/assert";
import { newId } from "../../base/mod.ts";
import { bindingSn } from "../../protocol/smart_gateway/mod.ts";
import { type CommandRow, CommandStore, GatewayStore } from "../registry/mod.ts";
import type { ChannelOutcome } from "../subjects.ts";
import { ResetWatch } from "./resets.ts";
import type { AppTables } from "./schema.ts";
import { MAC, OTHER, SN, Stage } from "./testing_stage.ts";

const RECOVERY = { parameter: { CmdType: "HG_LOCAL_RECOVERY" } };

/** Who owns the gateway now; undefined: nobody. */
async function ownerOf(stage: Stage): Promise<string | undefined> {
  return (await stage.operator("GET", `/api/v1/gateways/${MAC}/binding`)).body.name;
}

/** Lets the watch look, and what it asks the database for come. */
async function settle(stage: Stage): Promise<void> {
  for (let i = 0; i < 5; i++) await stage.clock.advance(0);
}

/** Posts on the owner's behalf, and lets time pass until it has ended. */
async function posted(stage: Stage, token: string, body: unknown, ms = 0): Promise<string> {
  stage.bus.publish("channel.opened", { mac: MAC });
  const asked = stage.call("POST", `/gateways/${MAC}/post`, token, body);
  if (ms > 0) await stage.clock.advance(ms);
  const { id } = (await asked).body;
  for (let i = 0; i < 40; i++) {
    const row = await new CommandStore(stage.db.sql).find(id);
    if (row?.finished_at) return `${row.status} ${row.error_code}`;
    await stage.clock.advance(2000);
  }
  return "open";
}

Deno.test("a gateway that reboots before it answers its recovery loses its owner, one that refuses it does not", async () => {
  const lost: ChannelOutcome = { kind: "lost", reason: "closed" }, late: ChannelOutcome = { kind: "timeout" };
  const refused: ChannelOutcome = {
    kind: "reply",
    reply: { result: 0, parameter: { CmdType: "HG_LOCAL_RECOVERY", Status: "1", FailReason: "-2" } },
  };
  for (
    const [answer, body, ended, owner] of [
      [lost, RECOVERY, "failed outcome_unknown", undefined],
      [late, RECOVERY, "timed_out no_answer", undefined],
      [refused, RECOVERY, "failed capability_failed", "li.wei"],
      [lost, { parameter: { CmdType: "X", Say: "HG_LOCAL_RECOVERY" } }, "failed outcome_unknown", "li.wei"],
    ] as const
  ) {
    await using stage = await Stage.open();
    const token = await stage.user("li.wei");
    await stage.bind(token);
    stage.answer = () => answer;
    assertEquals(await posted(stage, token, body), ended);
    await settle(stage);
    assertEquals(await ownerOf(stage), owner, ended);
  }
});

Deno.test("what was reset while nobody watched is unbound at the next start, and who bound it since keeps it", async () => {
  await using stage = await Stage.open();
  await stage.bind(await stage.user("li.wei"));
  await stage.app[Symbol.asyncDispose]();
  const recovery: CommandRow = {
    ...{
      id: newId(),
      mac: MAC,
      kind: "post",
      plugin: "",
      version: "1.0",
      actor: "admin",
      status: "succeeded",
    },
    ...{
      parameter: JSON.stringify(RECOVERY.parameter),
      result: 0,
      reply: null,
      error_code: null,
      error: null,
    },
    ...{ progress: null, attempt: 1, created_at: 0, deadline_at: 0, sent_at: stage.clock.now() + 1000 },
    ...{
      acked_at: null,
      finished_at: stage.clock.now() + 90_000,
      exclusive: 0,
      repeatable: 0,
      max_attempts: 1,
    },
    retry_delay_ms: null,
  };
  await new CommandStore(stage.db.sql).insert(recovery);
  const gateways = new GatewayStore(stage.db.sql, stage.clock), unbound: [string, number][] = [];
  let failures = 1;
  const watching = () =>
    new ResetWatch({
      ...stage.deps,
      bus: stage.bus,
      gateways,
      sql: stage.db.tables<AppTables>(),
      unbind(mac, at) {
        if (failures-- > 0) return Promise.reject(new Error("the database is away"));
        unbound.push([mac, at - stage.clock.now()]);
        return Promise.resolve(true);
      },
    });
  {
    await using _watch = watching();
    await settle(stage);
    assertEquals(unbound, []);
    // It did not work: it is tried again, and nothing is forgotten.
    await stage.clock.advance(30_000);
    await settle(stage);
    assertEquals(unbound, [[MAC, 1000 - 30_000]]);
  }
  const bound_at = recovery.sent_at! + 1;
  await stage.db.tables<AppTables>().updateTable("app_binding").set({ bound_at }).execute();
  await using _watch = watching();
  await settle(stage);
  assertEquals(unbound.length, 1, "a binding that is younger than the reset stays");
});

Deno.test("a gateway that is told to begin anew, or says that it was reset, is noted until it is unbound", async () => {
  await using stage = await Stage.open();
  const { gateways } = stage;
  await stage.bind(await stage.user("li.wei"));
  await stage.clock.advance(1000);
  await gateways.update(MAC, { renew: 1 });
  await gateways.renewed(MAC);
  assertEquals((await gateways.find(MAC))?.renew, 0);
  assertEquals((await gateways.resets(10)).map(({ mac }) => mac), [MAC]);
  stage.bus.publish("gateway.reset", { mac: MAC });
  await settle(stage);
  assertEquals([await ownerOf(stage), await gateways.resets(10)], [undefined, []]);

  // Done with an earlier reset, a later one stays; of two the later one counts.
  await gateways.renewed(OTHER);
  await stage.clock.advance(5000);
  await gateways.renewed(OTHER);
  const [row] = await gateways.resets(10);
  await gateways.resetDone(OTHER, row!.at - 1);
  assertEquals((await gateways.resets(10)).length, 1);
  // The next owner is not the one who lost it.
  stage.register(MAC, SN, "LOID1", "1".repeat(32));
  await stage.bind(await stage.user("wang.fang"), bindingSn("1".repeat(32), SN));
  stage.bus.publish("gateway.reset", { mac: MAC });
  await settle(stage);
  assertEquals(await ownerOf(stage), "wang.fang");
});
