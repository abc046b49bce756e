import { assertEquals } from "@std/assert";
import { FakeClock } from "../../base/mod.ts";
import { Requests } from "./requests.ts";

/** Requests of a link with T 10 s, N 3 and C 60 s, and everything that came of them. */
function stage() {
  const clock = new FakeClock(), events: string[] = [];
  let open = true;
  const requests: Requests<string> = new Requests<string>({
    clock,
    times: () => ({ responseMs: 10_000, activeTestMs: 60_000, attempts: 3 }),
    encode: ({ command, sequence }) => new TextEncoder().encode(`${command} ${sequence}`),
    send: (pdu) => void events.push(`${clock.now() / 1000 - start} ${new TextDecoder().decode(pdu)}`),
    open: () => open,
    lost: (items) => void events.push(`${clock.now() / 1000 - start} lost ${items.join()}`),
    silent: () => {
      open = false;
      events.push(`${clock.now() / 1000 - start} silent`);
    },
  });
  const start = clock.now() / 1000;
  const send = (item: string) => requests.send(requests.nextSequence(), new TextEncoder().encode(item), item);
  return { clock, events, requests, send };
}

Deno.test("a request is sent N times, T apart, and then lost; others are not held up by it", async () => {
  const { clock, events, requests, send } = stage();
  send("a");
  await clock.advance(5_000);
  send("b");
  assertEquals(requests.answered(2)?.item, "b");
  assertEquals(requests.items, 1);
  await clock.advance(60_000);
  assertEquals(events, ["0 a", "5 b", "10 a", "20 a", "30 lost a"]);
  assertEquals([requests.items, requests.answered(1)], [0, undefined]);
});

Deno.test("a quiet link is tested after C, and a test that nobody answers ends it", async () => {
  const { clock, events, requests } = stage();
  requests.testWhenQuiet();
  await clock.advance(59_000);
  requests.touch();
  await clock.advance(59_999);
  assertEquals(events, []);
  await clock.advance(1);
  assertEquals(events, ["119 ACTIVE_TEST 1"]);
  requests.answered(1);
  await clock.advance(60_000);
  assertEquals(events.at(-1), "179 ACTIVE_TEST 2");
  await clock.advance(30_000);
  assertEquals(events.slice(2), ["189 ACTIVE_TEST 2", "199 ACTIVE_TEST 2", "209 silent"]);
  await clock.advance(600_000);
  assertEquals(events.length, 5, "nothing more is sent");
});

Deno.test("what was under way is handed back in its order when the connection ends", async () => {
  const { clock, events, requests, send } = stage();
  for (const item of ["a", "b", "c"]) send(item);
  requests.answered(2);
  assertEquals(requests.close(), ["a", "c"]);
  const before = events.length;
  await clock.advance(600_000);
  assertEquals(events.length, before);
});
