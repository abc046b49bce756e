import { assertEquals } from "@std/assert";
import { parseSimulatorUrl } from "./simulator_settings.ts";
import { Stage } from "./testing_stage.ts";

const PATH = "/api/v1/sms/simulator";

Deno.test("the played centre behaves as it is told over HTTP, at once, over a restart, and until it is reset", async () => {
  await using stage = await Stage.open({ behaviour: { latencyMs: [7, 7] } });
  const provider = await stage.connect();
  const stats = async () => {
    await stage.submit(provider);
    await stage.settle();
    return provider.reports().map(({ stat }) => stat);
  };
  const first = (await stage.call("GET", PATH)).body;
  assertEquals([first.latencyMs, first.outcomes], [[7, 7], {}]);
  const put = await stage.call("PUT", PATH, { outcomes: { UNDELIV: 1 } });
  assertEquals([put.status, put.body.latencyMs, put.body.outcomes], [200, [0, 0], { UNDELIV: 1 }]);
  assertEquals(await stats(), ["UNDELIV"]);
  await stage.call("PUT", PATH, { refused: { share: 1, stat: "MB:0008" } });
  assertEquals(await stats(), ["UNDELIV", "MB:0008"]);
  await stage.stop();
  await stage.start({ latencyMs: [9, 9] });
  assertEquals((await stage.call("GET", PATH)).body.refused, { share: 1, stat: "MB:0008" });
  const reset = await stage.call("DELETE", PATH);
  assertEquals([reset.body.latencyMs, reset.body.refused], [[9, 9], { share: 0, stat: "MB:0001" }]);
  await stage.stop();
  await stage.start();
  assertEquals((await stage.call("GET", PATH)).body.latencyMs, [0, 0]);
});

Deno.test("a busy centre takes messages again once it is told to, and a behaviour that is none is refused", async () => {
  await using stage = await Stage.open();
  const provider = await stage.connect();
  await stage.call("PUT", PATH, { busy: true });
  await stage.submit(provider);
  await stage.settle();
  assertEquals(provider.reports(), []);
  for (
    const wrong of [
      { latencyMs: [5, 4] },
      { latencyMs: [0, 3_600_001] },
      { latencyMs: [1.5, 2] },
      { outcomes: { UNDELIV: 0.6, EXPIRED: 0.5 } },
      { outcomes: { EIGHT_CH: 0.1 } },
      { outcomes: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`X${i}`, 0])) },
      { silent: -0.1 },
      { refused: { share: 2 } },
      { busy: "yes" },
      { unknown: 1 },
    ]
  ) assertEquals((await stage.call("PUT", PATH, wrong)).status, 400, JSON.stringify(wrong));
  assertEquals((await stage.call("PUT", PATH, {})).body.busy, false);
  await stage.clock.advance(5_000);
  await stage.settle();
  assertEquals(provider.reports().map(({ stat }) => stat), ["DELIVRD"]);
});

Deno.test("a real centre has no behaviour to set", async () => {
  await using stage = await Stage.open();
  await stage.stop();
  const real = {
    name: "smpp",
    connected: true,
    keepsRefs: false,
    receiptGraceMs: 0,
    window: 1,
    status: () => ({
      name: "smpp",
      connected: true,
      since: 0,
      unanswered: 0,
      unreported: 0,
      lastError: undefined,
    }),
    restore() {},
    listen() {},
    submit: () => ({ kind: "busy" as const }),
    forget() {},
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  await stage.start({}, real);
  for (const [method, body] of [["GET"], ["PUT", {}], ["DELETE"]] as const) {
    assertEquals((await stage.call(method, PATH, body)).status, 409);
  }
});

Deno.test("one URL says how the played centre behaves; what is wrong in it is none", () => {
  const whole =
    "simulator:?latency=100-500&outcomes=UNDELIV:0.1,MB:0011:0.05&silent=0.01&refused=0.02&busy=yes";
  assertEquals(parseSimulatorUrl(whole), {
    latencyMs: [100, 500],
    outcomes: { "UNDELIV": 0.1, "MB:0011": 0.05 },
    silent: 0.01,
    refused: { share: 0.02, stat: "MB:0001" },
    busy: true,
  });
  assertEquals(parseSimulatorUrl("simulator:?latency=20")?.latencyMs, [20, 20]);
  for (
    const wrong of [
      "simulators",
      "simulator:",
      "simulator:?speed=1",
      "simulator:?constructor=1",
      "simulator:?latency=",
      "simulator:?latency=1-2-3",
      "simulator:?latency=9-1",
      "simulator:?latency=1&latency=2",
      "simulator:?outcomes=UNDELIV",
      "simulator:?outcomes=UNDELIV:2",
      "simulator:?silent=-1",
      "simulator:?busy=maybe",
      "smpp://a:b@c",
    ]
  ) assertEquals(parseSimulatorUrl(wrong), undefined, wrong);
});
