import { assertEquals } from "@std/assert";
import { Reassembler, splitMessage } from "./mod.ts";

const parts = (text: string, reference = 1) => splitMessage(text, 0, { reference }).map((p) => p.Msg_Content);
const LONG = "x".repeat(400);

Deno.test("a message is given up when its next part does not come in time, and its late part begins anew", () => {
  const reassembler = new Reassembler({ timeoutMs: 1000 });
  const [one, two, three] = parts(LONG) as [Uint8Array, Uint8Array, Uint8Array];
  assertEquals(reassembler.push("a", one, 0), { kind: "part", missing: 2 });
  assertEquals(reassembler.push("a", two, 900), { kind: "part", missing: 1 });
  assertEquals(reassembler.expire(1899), []);
  assertEquals(reassembler.expire(1900), [
    { key: "a", have: 2, total: 3, missing: [3], content: new TextEncoder().encode("x".repeat(306)) },
  ]);
  assertEquals(reassembler.push("a", three, 1901), { kind: "part", missing: 2 });
});

Deno.test("a part whose time is over does not join a later message, even before anyone has looked", () => {
  const reassembler = new Reassembler({ timeoutMs: 1000 });
  const [one, two, three] = parts(LONG) as [Uint8Array, Uint8Array, Uint8Array];
  reassembler.push("a", one, 0);
  reassembler.push("a", two, 0);
  assertEquals(reassembler.push("a", three, 5000), { kind: "part", missing: 2 });
});

Deno.test("a late duplicate of a finished message is told as one", () => {
  const reassembler = new Reassembler();
  const all = parts(LONG);
  assertEquals(all.map((part) => reassembler.push("a", part, 0).kind), ["part", "part", "whole"]);
  assertEquals(reassembler.push("a", all[0]!, 1).kind, "duplicate");
});

Deno.test("a whole message that could not be taken is whole again with the repeat of its last part", () => {
  const reassembler = new Reassembler();
  const all = parts(LONG), [, , outcome] = all.map((part) => reassembler.push("a", part, 0));
  if (outcome?.kind !== "whole") throw new TypeError("not whole");
  outcome.undo();
  assertEquals(reassembler.push("a", all[0]!, 1).kind, "duplicate");
  const again = reassembler.push("a", all[2]!, 1);
  assertEquals(again.kind === "whole" && again.message, outcome.message);
});

Deno.test("messages of different senders, references and totals do not mix", () => {
  const reassembler = new Reassembler();
  const mine = parts(LONG, 1), other = parts("y".repeat(200), 1);
  assertEquals(reassembler.push("a", mine[0]!, 0), { kind: "part", missing: 2 });
  assertEquals(reassembler.push("b", mine[1]!, 0), { kind: "part", missing: 2 });
  assertEquals(reassembler.push("a", parts(LONG, 2)[2]!, 0), { kind: "part", missing: 2 });
  assertEquals(reassembler.push("a", other[1]!, 0), { kind: "part", missing: 1 });
  assertEquals(reassembler.size, 4);
});

Deno.test("a flood of first parts is remembered only so far, the oldest given up first", () => {
  const reassembler = new Reassembler({ maxMessages: 100 });
  for (let i = 0; i < 1000; i++) reassembler.push(`from ${i}`, parts(LONG)[0]!, i);
  assertEquals(reassembler.size, 100);
  // Nobody asked meanwhile: no more is remembered of them than of the others.
  assertEquals(
    reassembler.expire(0).map(({ key }) => key),
    Array.from({ length: 100 }, (_, i) => `from ${800 + i}`),
  );
  assertEquals(reassembler.push("from 0", parts(LONG)[1]!, 1000), { kind: "part", missing: 2 });
  assertEquals(reassembler.push("from 999", parts(LONG)[1]!, 1000), { kind: "part", missing: 1 });
});

Deno.test("content whose header counts no parts is whole by itself, without the header", () => {
  const outcome = new Reassembler().push("a", Uint8Array.of(2, 0x70, 0, 0x41), 0);
  assertEquals(outcome.kind === "whole" && outcome.message, { content: Uint8Array.of(0x41), parts: 1 });
});
