import { assertEquals } from "@std/assert";
import { FakeClock } from "../../base/mod.ts";
import { type Carrier, Mailbox, type Page } from "./mailbox.ts";

interface Item {
  readonly id: number;
}

/** A mailbox over a table of ids, and what its connections got. */
function stage(ids: number[], read: () => void = () => {}) {
  const clock = new FakeClock(0), got: string[] = [];
  const mailbox = new Mailbox<Item>({
    load(after, limit): Promise<Page<Item>> {
      try {
        read();
      } catch (error) {
        return Promise.reject(error);
      }
      const rows = ids.filter((id) => id > after).slice(0, limit);
      return Promise.resolve({
        items: rows.map((id) => ({ id })),
        last: rows.length < limit ? undefined : rows.at(-1),
      });
    },
    leaving: () => false,
    after: (ms, callback) => void clock.setTimer(callback, ms),
  });
  const carrier = (name: string, lost: number[] = [], window = Infinity): Carrier<Item> => {
    let sent = 0;
    return {
      carry: ({ id }) => sent < window && (sent++, got.push(`${name}${id}`), true),
      hasLost: ({ id }) => lost.includes(id),
    };
  };
  return { clock, got, mailbox, carrier };
}

Deno.test("a page that can't be read is tried again by itself, at longer and longer intervals", async () => {
  let reads = 0;
  const { clock, got, mailbox, carrier } = stage([1, 2], () => {
    if (++reads <= 3) throw new Error("the database is away");
  });
  mailbox.attach(carrier("a"));
  await clock.advance(0);
  assertEquals([reads, got], [1, []]);
  await clock.advance(1_000);
  await clock.advance(1_999);
  assertEquals(reads, 2);
  await clock.advance(1);
  await clock.advance(4_000);
  assertEquals([reads, got], [4, ["a1", "a2"]]);
});

Deno.test("what one connection has lost goes to another; what all have lost waits for the next one", async () => {
  const { clock, got, mailbox, carrier } = stage([1, 2, 3]);
  const one = carrier("a", [1, 2]), two = carrier("b", [2]);
  mailbox.attach(one);
  mailbox.attach(two);
  await clock.advance(0);
  assertEquals(got.filter((sent) => sent !== "a3" && sent !== "b3"), ["b1"]);
  mailbox.attach(carrier("c"));
  assertEquals(got.slice(2), ["c2"]);
});

Deno.test("connections that lose everything are given no more than fits in memory, until there is another", async () => {
  const ids = Array.from({ length: 3_000 }, (_, i) => i + 1);
  const { clock, got, mailbox, carrier } = stage(ids);
  mailbox.attach(carrier("a", ids));
  for (let i = 0; i < 20; i++) await clock.advance(0);
  assertEquals(got.length, 0);
  mailbox.attach(carrier("b"));
  for (let i = 0; i < 20; i++) await clock.advance(0);
  assertEquals(got, ids.map((id) => `b${id}`));
});
