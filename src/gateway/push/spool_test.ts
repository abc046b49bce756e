import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { createLog, silentLog } from "../../base/mod.ts";
import { PushError } from "./errors.ts";
import { DEFAULT_SPOOL_LIMITS, Spool, type SpoolLimits } from "./spool.ts";
import { type SpoolFile, type SpoolFiles, spoolFolder } from "./spool_files.ts";
import { crc32, encodeLine } from "./spool_record.ts";

const OWN = "@gateway";

async function inFolder(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-spool-" });
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function open(dir: string, limits: Partial<SpoolLimits> = {}, wrap = (files: SpoolFiles) => files) {
  return await Spool.open(wrap(await spoolFolder(dir)), {
    log: silentLog,
    limits: { ...DEFAULT_SPOOL_LIMITS, ...limits },
    own: OWN,
  });
}

const message = (n: number | string, plugin = "p", size = 0) => ({
  plugin,
  time: "20260101000000",
  mac: "64D95420214B",
  message: `${n}${"x".repeat(size)}`,
  md5: `md5-${n}`,
});

/** Everything that waits, taken out. */
async function drain(spool: Spool): Promise<string[]> {
  const all: string[] = [];
  for (let head = spool.head; head; head = spool.head) {
    all.push((await spool.read(head))?.message ?? "damaged");
    spool.shift();
  }
  return all;
}

const count = (to: number) => Array.from({ length: to }, (_, i) => String(i));

Deno.test("the checksum is the one that everybody calls CRC-32", () => {
  assertEquals(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
});

Deno.test("what was taken comes out in order, also after a restart, and only what was not delivered", () =>
  inFolder(async (dir) => {
    const first = await open(dir);
    await Promise.all(count(50).map((n) => first.add(message(n))));
    assertEquals([first.depth, first.knows("md5-7"), first.knows("md5-50")], [50, true, false]);
    for (let i = 0; i < 20; i++) first.shift();
    await first.close();
    const second = await open(dir);
    await second.add(message(50));
    assertEquals(await drain(second), count(51).slice(20));
    assertEquals([second.depth, second.bytes], [0, 0]);
    await second.close();
    const third = await open(dir);
    assertEquals([third.depth, third.knows("md5-3")], [0, true]);
    await third.close();
  }));

Deno.test("a spool that is cut off at any byte keeps every whole message before the cut, and takes new ones", () =>
  inFolder(async (dir) => {
    const spool = await open(dir);
    for (const n of count(4)) await spool.add(message(n));
    await spool.close();
    const name = `${dir}/0000000001.spool`, bytes = await Deno.readFile(name);
    const ends = [...bytes.keys()].filter((at) => bytes[at] === 0x0a).map((at) => at + 1);
    for (let cut = 0; cut <= bytes.length; cut++) {
      await Deno.writeFile(name, bytes.subarray(0, cut));
      const whole = count(ends.filter((end) => end <= cut).length);
      const again = await open(dir);
      assertEquals(again.depth, whole.length, `cut at ${cut}`);
      await again.add(message("new"));
      await again.close();
      const last = await open(dir);
      assertEquals(await drain(last), [...whole, "new"], `cut at ${cut}`);
      await last.close();
      await Deno.remove(`${dir}/delivered`);
    }
  }));

Deno.test("bytes that turned on the disk cost the message that they are in, and no other", () =>
  inFolder(async (dir) => {
    const spool = await open(dir);
    for (const n of count(3)) await spool.add(message(n));
    await spool.close();
    const name = `${dir}/0000000001.spool`, bytes = await Deno.readFile(name);
    const second = bytes.indexOf(0x0a) + 1;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: second, max: bytes.indexOf(0x0a, second) - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, by) => {
          if ((bytes[at]! ^ by) === 0x0a) return; // two lines then, both of them damaged
          const turned = bytes.slice();
          turned[at]! ^= by;
          await Deno.writeFile(name, turned);
          const again = await open(dir);
          assertEquals(await drain(again), ["0", "2"]);
          await again.close();
          await Deno.remove(`${dir}/delivered`);
        },
      ),
      { numRuns: 60 },
    );
  }));

Deno.test("whatever lies in the folder, a spool opens, and works", () =>
  inFolder(async (dir) => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ maxLength: 60 }),
        async (junk, said) => {
          await Deno.writeFile(`${dir}/0000000003.spool`, junk);
          await Deno.writeFile(`${dir}/delivered`, said);
          await Deno.writeFile(`${dir}/else.txt`, junk);
          const spool = await open(dir);
          await spool.add(message("new"));
          assertEquals((await drain(spool)).at(-1), "new");
          await spool.close();
        },
      ),
      { numRuns: 60 },
    );
  }));

Deno.test("a number of deliveries that was torn costs repeats, not messages", () =>
  inFolder(async (dir) => {
    const spool = await open(dir);
    for (const n of count(5)) await spool.add(message(n));
    await drain(spool);
    await spool.close();
    await Deno.writeFile(`${dir}/delivered`, encodeLine({ seq: 99 }).fill(0, 0, 3));
    const again = await open(dir);
    assertEquals(await drain(again), count(5));
    await again.close();
  }));

Deno.test("segments follow each other, and go when all in them was delivered", () =>
  inFolder(async (dir) => {
    const spool = await open(dir, { segmentBytes: 2000 });
    for (const n of count(100)) await spool.add(message(n, "p", 100));
    const before = [...Deno.readDirSync(dir)].length;
    assert(before > 8, String(before));
    for (let i = 0; i < 60; i++) spool.shift();
    await spool.close();
    const again = await open(dir, { segmentBytes: 2000 });
    assertEquals((await drain(again)).length, 40);
    await again.close();
    await (await open(dir)).close(); // removals go on behind: those that were not through are made up for
    const names = [...Deno.readDirSync(dir)].map(({ name }) => name).sort();
    assert(names.length <= 4 && names.includes("delivered"), names.join());
  }));

Deno.test("a full spool takes nothing and loses nothing; each plug-in has its part, and the gateway the last of it", () =>
  inFolder(async (dir) => {
    const spool = await open(dir, { maxMessages: 20 });
    const fill = async (plugin: string) => {
      for (let taken = 0;; taken++) {
        try {
          await spool.add(message(`${plugin}${taken}`, plugin));
        } catch (error) {
          if (!(error instanceof PushError) || error.code !== "full") throw error;
          return [taken, error.message];
        }
      }
    };
    assertEquals(await fill("a"), [
      10,
      "this plug-in's part of the push spool is full: 10 of its messages wait for the platform; try later",
    ]);
    const full = "the push spool is full: 18 messages wait for the platform; try later";
    assertEquals(await fill("b"), [8, full]);
    assertEquals(await fill("c"), [0, full]);
    assertEquals(await fill(OWN), [2, full.replace("18", "20")]);
    spool.shift();
    assertEquals((await fill(OWN))[0], 1);
    const rest = await drain(spool);
    assertEquals([rest.length, rest[0], rest.at(-1)], [20, "a1", "@gateway0"]);
    assertEquals((await fill("c"))[0], 10);
    await spool.close();
  }));

Deno.test("bytes are bounded as messages are", () =>
  inFolder(async (dir) => {
    const spool = await open(dir, { maxBytes: 10_000 });
    await spool.add(message(1, "p", 4000));
    await assertRejects(() => spool.add(message(2, "p", 4000)), PushError, "full");
    await spool.add(message(3, "q", 4000));
    await assertRejects(() => spool.add(message(4, "r", 4000)), PushError, "full");
    await spool.close();
  }));

/** A disk that fails while the test says so, in the middle of what it writes. */
function failing(state: { writes: boolean; syncs: boolean; truncates: boolean }) {
  return (files: SpoolFiles): SpoolFiles => ({
    ...files,
    async open(name) {
      const file = await files.open(name);
      return {
        ...file,
        async write(bytes, at) {
          if (!state.writes || name === "delivered") return await file.write(bytes, at);
          await file.write(bytes.subarray(0, bytes.length >> 1), at);
          throw new Error("No space left on device (os error 28)");
        },
        sync: () => state.syncs ? Promise.reject(new Error("I/O error (os error 5)")) : file.sync(),
        truncate: (length) =>
          state.truncates ? Promise.reject(new Error("I/O error (os error 5)")) : file.truncate(length),
      } satisfies SpoolFile;
    },
  });
}

for (
  const [what, broken] of [
    ["is full", { writes: true, syncs: false, truncates: false }],
    ["can't be synced", { writes: false, syncs: true, truncates: false }],
    ["does nothing any more", { writes: true, syncs: true, truncates: true }],
  ] as const
) {
  Deno.test(`a disk that ${what} refuses messages, keeps those it has, and serves again when it can`, () =>
    inFolder(async (dir) => {
      const state = { writes: false, syncs: false, truncates: false };
      const spool = await open(dir, {}, failing(state));
      await spool.add(message("a"));
      Object.assign(state, broken);
      const error = await assertRejects(() => spool.add(message("b")), PushError);
      assertEquals(error.code, "storage");
      const both = await Promise.allSettled([spool.add(message("c")), spool.add(message("d"))]);
      assertEquals(both.map(({ status }) => status), ["rejected", "rejected"]);
      assertEquals([spool.depth, spool.knows("md5-b")], [1, false]);
      Object.assign(state, { writes: false, syncs: false, truncates: false });
      await spool.add(message("e"));
      await spool.close();
      const again = await open(dir);
      const found = await drain(again);
      // Nothing that was promised is missing or out of order. What was not may be there, where the disk had it whole.
      assertEquals(found.filter((one) => "ae".includes(one)), ["a", "e"]);
      assert(found.length === 2 || broken.truncates, found.join());
      await again.close();
    }));
}

Deno.test("what the disk lost of a waiting message is noticed when it is read", () =>
  inFolder(async (dir) => {
    const spool = await open(dir);
    await spool.add(message(1));
    await spool.add(message(2));
    const name = `${dir}/0000000001.spool`, bytes = await Deno.readFile(name);
    bytes[20]! ^= 1;
    await Deno.writeFile(name, bytes);
    assertEquals(await drain(spool), ["damaged", "2"]);
    await spool.close();
  }));

Deno.test("a closed spool takes nothing, and what was on its way is on the disk", () =>
  inFolder(async (dir) => {
    const spool = await open(dir);
    const last = spool.add(message(1));
    await spool.close();
    await last;
    await assertRejects(() => spool.add(message(2)), PushError, "stopping");
    const lines: string[] = [];
    const log = createLog({
      level: "warn",
      format: "text",
      clock: { now: () => 0 },
      write: (line) => lines.push(line),
    });
    const again = await Spool.open(await spoolFolder(dir), { log, own: OWN });
    assertEquals([again.depth, lines], [1, []]);
    await again.close();
  }));
