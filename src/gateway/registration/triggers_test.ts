import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  type AccessMessage,
  isHex32,
  type RequestDistri,
  type RequestPlugin,
  triggerKey,
} from "../../protocol/smart_gateway/mod.ts";
import { OPERATIONS, SN, Stage } from "./testing.ts";

function requestPlugin(devRnd: string, serverPort = 12114): RequestPlugin {
  return {
    method: "RequestPlug-in",
    key: triggerKey(devRnd, SN),
    deviceSn: SN,
    serverAddr: "10.0.0.2",
    serverPort,
  };
}

/** What the gateway answered to triggers. */
function answers(stage: Stage): Extract<AccessMessage, { method: "Reply" }>[] {
  return stage.heard.map(({ message }) => message).filter((message) => message.method === "Reply");
}

async function registered(): Promise<Stage> {
  const stage = await Stage.open();
  stage.start();
  await stage.settle();
  return stage;
}

Deno.test("a trigger is acted on only after the platform took the new DevRND, which is then kept", async () => {
  await using stage = await registered();
  const old = stage.state.get().devRnd;
  stage.say(requestPlugin(old));
  await stage.settle();
  const offer = answers(stage)[0]!;
  assert(offer.result === 0 && isHex32(offer.devRnd!));
  assertNotEquals(offer.devRnd, old);
  assertEquals([stage.acted.length, stage.state.get().devRnd], [0, old]);
  stage.say({ result: 1 });
  await stage.settle();
  assertEquals(stage.acted, [requestPlugin(old)]);
  assertEquals(stage.state.get().devRnd, offer.devRnd);
  const file = JSON.parse(await Deno.readTextFile(`${stage.folder}/gateway.json`));
  assertEquals(file.devRnd, offer.devRnd);
});

Deno.test("the offer is repeated about every five seconds, and not for ever", async () => {
  await using stage = await registered();
  const old = stage.state.get().devRnd;
  stage.say(requestPlugin(old));
  await stage.advance(59_000);
  const offers = stage.heard.filter(({ message }) => message.method === "Reply");
  assertEquals(offers.map(({ at }) => at), [0, 5_000, 10_000, 15_000, 20_000, 25_000]);
  assertEquals(new Set(answers(stage).map(({ devRnd }) => devRnd)).size, 1);
  stage.say({ result: 1 });
  await stage.settle();
  assertEquals([stage.acted.length, stage.state.get().devRnd], [0, old], "too late");
});

Deno.test("a trigger that is resent gets the same offer", async () => {
  await using stage = await registered();
  const trigger = requestPlugin(stage.state.get().devRnd);
  for (let i = 0; i < 3; i++) stage.say(trigger);
  await stage.settle();
  assertEquals(new Set(answers(stage).map(({ devRnd }) => devRnd)).size, 1);
  stage.say({ result: 1 });
  stage.say({ result: 1 });
  await stage.settle();
  assertEquals(stage.acted.length, 1);
  const before = answers(stage).length;
  stage.say(trigger);
  await stage.settle();
  assertEquals(answers(stage).length, before, "an echo of a completed trigger is not answered");
});

Deno.test("a wrong key is answered by -1 and nothing else", async () => {
  await using stage = await registered();
  stage.say(requestPlugin("0".repeat(32)));
  stage.say({ ...requestPlugin(stage.state.get().devRnd), deviceSn: "64D954-OTHER" });
  stage.say({ result: 1 });
  await stage.settle();
  assertEquals(answers(stage), [{ method: "Reply", result: -1 }, { method: "Reply", result: -1 }]);
  assertEquals(stage.acted.length, 0);
});

Deno.test("a trigger that somebody heard and sends again is acted on once, at once or a day later", async () => {
  await using stage = await registered();
  const heard = requestPlugin(stage.state.get().devRnd);
  stage.say(heard);
  await stage.settle();
  stage.say({ result: 1 });
  await stage.settle();
  const devRnd = stage.state.get().devRnd;
  for (const wait of [0, 30_000, 86_400_000]) {
    await stage.advance(wait);
    const before = answers(stage).length;
    stage.say(heard);
    await stage.settle();
    stage.say({ result: 1 }); // nor does the word that would end a handshake
    await stage.settle();
    const said = answers(stage).slice(before);
    assertEquals(said.filter(({ result, devRnd }) => result !== -1 || devRnd !== undefined), []);
    // The same order to another place has another key to show.
    stage.say({ ...heard, serverAddr: "10.6.6.6" });
    await stage.settle();
  }
  assertEquals([stage.acted.length, stage.state.get().devRnd], [1, devRnd]);
});

Deno.test("a gateway that is connected answers -1 with its DevRND", async () => {
  await using stage = await registered();
  stage.connected = true;
  const devRnd = stage.state.get().devRnd;
  stage.say(requestPlugin(devRnd));
  await stage.settle();
  assertEquals(answers(stage), [{ method: "Reply", result: -1, devRnd }]);
});

Deno.test("a key made with the offered DevRND shows that the platform took it, although its word was lost", async () => {
  await using stage = await registered();
  stage.say(requestPlugin(stage.state.get().devRnd));
  await stage.advance(40_000);
  const offered = answers(stage)[0]!.devRnd!;
  stage.say(requestPlugin(offered, 9));
  await stage.settle();
  assertEquals(stage.state.get().devRnd, offered);
  stage.say({ result: 1 });
  await stage.settle();
  assertEquals(stage.acted.map(({ serverPort }) => serverPort), [9]);
});

Deno.test("RequestDistri is a trigger too, and works while connected", async () => {
  await using stage = await registered();
  stage.connected = true;
  const trigger: RequestDistri = {
    method: "RequestDistri",
    key: triggerKey(stage.state.get().devRnd, SN),
    mode: "0",
    serverAddr: "dist.example",
    serverPort: 1,
  };
  stage.say(trigger);
  await stage.settle();
  stage.say({ result: 1 });
  await stage.settle();
  assertEquals(stage.acted, [trigger]);
});

Deno.test("triggers of anyone but the operations platform are not heard", async () => {
  await using stage = await registered();
  const stranger = { host: "10.66.6.6", port: OPERATIONS.port };
  stage.addAccess(stranger);
  stage.say(requestPlugin(stage.state.get().devRnd), stranger);
  await stage.settle();
  assertEquals(answers(stage), []);
});

Deno.test("a flood of triggers gets few answers", async () => {
  await using stage = await registered();
  for (let i = 0; i < 5_000; i++) stage.say(requestPlugin("0".repeat(32), 1 + i));
  await stage.settle();
  assertEquals(answers(stage).length, 20);
});
