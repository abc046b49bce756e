/**
 * Bytes that nobody should send: random ones, and valid messages with something wrong with them. Repeatable.
 *
 * @module
 */
import { assert } from "@std/assert";
import { type Random, seededRandom } from "../../src/base/mod.ts";

const encoder = new TextEncoder();
/** Texts that have broken parsers before. */
const NASTY = [
  '"',
  "\\",
  "\u0000",
  "{",
  "[",
  "]",
  "}",
  ":",
  "null",
  "1e999",
  "-0",
  "\\ud800",
  "__proto__",
  "constructor",
  "[".repeat(900),
  '{"a":'.repeat(300),
  "9".repeat(400),
  "\r\n",
  "\u202e",
];

/** An endless source of hostile messages of at most `longest` bytes, made from `valid` ones. */
export function* hostile(
  valid: readonly string[],
  longest: number,
  seed = 1,
): Generator<Uint8Array<ArrayBuffer>> {
  const random = seededRandom(seed), seeds = valid.map((text) => encoder.encode(text));
  while (true) {
    const bytes = random.float() < 0.25
      ? random.bytes(Math.floor(random.float() ** 3 * longest))
      : mutated(pick(random, seeds), random);
    yield bytes.length <= longest ? bytes : bytes.slice(0, longest);
  }
}

/** The message with one to four things wrong with it. */
export function mutated(message: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array(message);
  for (let times = 1 + Math.floor(random.float() * 4); times > 0; times--) {
    const at = Math.floor(random.float() * (bytes.length + 1));
    switch (Math.floor(random.float() * 6)) {
      case 0: // a bit turned
        if (at < bytes.length) bytes[at]! ^= 1 << Math.floor(random.float() * 8);
        break;
      case 1: // cut off
        bytes = bytes.slice(0, at);
        break;
      case 2: // something left out
        bytes = joined(bytes.slice(0, at), bytes.slice(at + 1 + Math.floor(random.float() * 8)));
        break;
      case 3: // something put in
        bytes = joined(bytes.slice(0, at), encoder.encode(pick(random, NASTY)), bytes.slice(at));
        break;
      case 4: // said twice
        bytes = joined(bytes, bytes);
        break;
      default: // raw bytes in the middle
        bytes = joined(bytes.slice(0, at), random.bytes(1 + Math.floor(random.float() * 6)), bytes.slice(at));
    }
  }
  return bytes;
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random.float() * from.length)]!;
}

/** Sends `count` hostile datagrams to a port of this machine; gives the socket's kernel its time now and then. */
export async function flood(port: number, count: number, messages: Iterator<Uint8Array>): Promise<void> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  try {
    for (let i = 0; i < count; i++) {
      await socket.send(messages.next().value, { transport: "udp", hostname: "127.0.0.1", port });
    }
  } finally {
    socket.close();
  }
}

/** Sends `count` hostile frames to a port of this machine, over as many connections as it takes. */
export async function storm(
  port: number,
  count: number,
  bodies: Iterator<Uint8Array>,
  seed = 1,
): Promise<void> {
  const random = seededRandom(seed);
  let conn: Deno.TcpConn | undefined;
  let drained: Promise<unknown> = Promise.resolve();
  for (let i = 0; i < count; i++) {
    try {
      if (!conn) {
        conn = await Deno.connect({ hostname: "127.0.0.1", port });
        drained = conn.readable.pipeTo(new WritableStream()).catch(() => {});
      }
      await writeAll(conn, framed(bodies.next().value, random));
    } catch {
      // It hung up on us, as it should: the next frame takes a new connection.
      close(conn);
      conn = undefined;
    }
  }
  close(conn);
  await drained;
}

/** A frame whose length is usually right. */
function framed(body: Uint8Array, random: Random): Uint8Array {
  const frame = new Uint8Array(4 + body.length), view = new DataView(frame.buffer);
  const lie = random.float();
  view.setUint32(
    0,
    lie < 0.02 ? Math.floor(random.float() * 0xffffffff) : lie < 0.04 ? body.length + 1 : body.length,
  );
  frame.set(body, 4);
  return frame;
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

function close(conn: Deno.Conn | undefined): void {
  try {
    conn?.close();
  } catch {
    // closed already
  }
}

/** How much more memory a storm may take than the one before it, in MiB, and how many there may be until it does not. */
const GROWTH_MIB = 40, STORMS = 5;

/** Storms, at least twice, until memory does not grow: the heap settles sooner or later, what is kept never does. */
export async function stormUntilSettled(
  storm: (seed: number) => Promise<void>,
  residentMiB: () => Promise<number>,
): Promise<void> {
  const memory: number[] = [];
  for (let n = 0; n < STORMS; n++) {
    await storm(10 * n);
    memory.push(await residentMiB());
    if (n > 0 && memory[n]! - memory[n - 1]! < GROWTH_MIB) return;
  }
  assert(false, `MiB after each storm: ${memory}`);
}
