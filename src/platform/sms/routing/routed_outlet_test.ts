import { assertEquals } from "@std/assert";
import { FakeClock, silentLog } from "../../../base/mod.ts";
import type { Outlet, Receipt } from "../outlet.ts";
import { SUBMIT } from "../testing_stage.ts";
import { RoutedOutlet } from "./routed_outlet.ts";
import type { Decision, Router } from "./router.ts";

Deno.test("a message whose route was not known at first is held, and told of by the centre's name once that has it", async () => {
  const clock = new FakeClock(0), told: Receipt[] = [];
  let decision: Decision = { kind: "unknown" };
  const router = { trivial: false, decide: () => Promise.resolve(decision) } as unknown as Router;
  const inner = {
    listen: () => {},
    submit: () => ({ kind: "accepted", ref: "77" }),
  } as unknown as Outlet;
  await using outlet = new RoutedOutlet({ clock, log: silentLog }, inner, router, () => undefined);
  outlet.listen({
    onReceipt: (receipt) => Promise.resolve(void told.push(receipt)),
    onMobileOriginated: () => Promise.resolve(false),
  });
  const answer = await outlet.submit({ msgId: 1n, submit: SUBMIT, expiresAt: 1e9 });
  assertEquals(answer, { kind: "accepted", ref: "", held: true });
  await clock.advance(5_000);
  assertEquals(told, []);
  decision = { kind: "local" };
  await clock.advance(2_000);
  assertEquals(told, [{ msgId: 1n, stat: "ACCEPTD", smscSequence: 0, ref: "77" }]);
});
