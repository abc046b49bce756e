import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock, Metrics, type Service, silentLog } from "../base/mod.ts";
import { StartError } from "./errors.ts";
import { runRole, STOP_SIGNALS } from "./run_role.ts";

function setUp(stop: () => Promise<void> = () => Promise.resolve()) {
  const clock = new FakeClock();
  const printed: string[] = [], exits: number[] = [];
  let signal: (name: keyof typeof STOP_SIGNALS) => void = () => {};
  let listening = 0, stops = 0;
  const service: Service = {
    name: "x",
    addresses: ["udp 127.0.0.1:1", "tcp 127.0.0.1:2"],
    health: () => ({ status: "up" }),
    [Symbol.asyncDispose]() {
      stops++;
      return stop();
    },
  };
  const deps = {
    clock,
    log: silentLog,
    metrics: new Metrics(),
    print: (line: string) => void printed.push(line),
    onSignal(handler: typeof signal) {
      signal = handler;
      listening++;
      return () => void listening--;
    },
    exit: (code: number) => void exits.push(code),
  };
  return {
    clock,
    deps,
    service,
    printed,
    exits,
    send: () => signal("SIGTERM"),
    stops: () => stops,
    listening: () => listening,
  };
}

Deno.test("a role prints where it listens, and stops cleanly at a signal", async () => {
  const { clock, deps, service, printed, send, stops, listening } = setUp();
  const code = runRole("platform", deps, () => Promise.resolve(service));
  await clock.advance(0);
  assertEquals(printed, [
    "listening: udp 127.0.0.1:1",
    "listening: tcp 127.0.0.1:2",
    "ready: platform in 0 ms",
  ]);
  assertEquals([stops(), listening()], [0, 1]);
  send();
  assertEquals([await code, stops(), listening(), clock.pendingTimers], [0, 1, 0, 0]);
});

Deno.test("a signal during the start stops the role once it has started", async () => {
  const { clock, deps, service, send, stops } = setUp();
  const started = Promise.withResolvers<Service>();
  const code = runRole("platform", deps, () => started.promise);
  send();
  await clock.advance(0);
  assertEquals(stops(), 0);
  started.resolve(service);
  assertEquals([await code, stops()], [0, 1]);
});

Deno.test("a second signal ends the process at once", async () => {
  const { clock, deps, service, send, exits } = setUp(() => new Promise(() => {}));
  const code = assertRejects(() => runRole("platform", deps, () => Promise.resolve(service)));
  await clock.advance(0);
  send();
  await clock.advance(0);
  assertEquals(exits, []);
  send();
  assertEquals(exits, [143]);
  await clock.advance(60_000);
  await code;
});

Deno.test("a role that does not stop in time is given up", async () => {
  const { clock, deps, service, send } = setUp(() => new Promise(() => {}));
  const code = assertRejects(
    () => runRole("platform", deps, () => Promise.resolve(service)),
    StartError,
    "not stopped",
  );
  await clock.advance(0);
  send();
  await clock.advance(15_000);
  await code;
});

Deno.test("what keeps a role from starting is passed on, and nobody listens for signals any more", async () => {
  const { deps, listening } = setUp();
  await assertRejects(
    () => runRole("platform", deps, () => Promise.reject(new RangeError("no"))),
    RangeError,
  );
  assertEquals(listening(), 0);
});

Deno.test("an error that nobody caught is counted, and the role goes on", async () => {
  const { clock, deps, service, send } = setUp();
  const code = runRole("platform", deps, () => Promise.resolve(service));
  await clock.advance(0);
  Promise.reject(new Error("stray"));
  await clock.advance(0);
  reportError(new Error("stray too"));
  assertEquals(deps.metrics.counter("gatehouse_stray_errors_total", "").value, 2);
  send();
  assertEquals(await code, 0);
});
