/**
 * The thread of a datagram socket: it takes in what comes while the rest of the program is busy, and sends what it is
 * given. See `udp_thread.ts`.
 *
 * @module
 */
import type { HostPort } from "../base/mod.ts";
import { DatagramRing, type RingMemory } from "./ring.ts";

/** What it is told. */
export interface ThreadOrder {
  readonly address: HostPort;
  readonly maxBytes: number;
  readonly received: RingMemory;
  readonly toSend: RingMemory;
}

/** What it tells: where it is bound, or why not; then what went wrong while it received or sent. */
export type ThreadWord =
  | { readonly bound: HostPort }
  | { readonly failed: { readonly name: string; readonly message: string } }
  | { readonly trouble: "receive" | "send"; readonly message: string }
  | { readonly ended: true };

const scope = self as unknown as {
  onmessage: (event: MessageEvent<ThreadOrder>) => void;
  postMessage(word: ThreadWord): void;
  close(): void;
};

const messageOf = (error: unknown) => error instanceof Error ? error.message : String(error);
/** After an error of the socket: a pause, so that one that stays does not keep the processor busy. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

async function receive(socket: Deno.DatagramConn, into: DatagramRing, maxBytes: number): Promise<void> {
  const buffer = new Uint8Array(maxBytes + 1);
  while (!into.closed) {
    try {
      const [bytes, from] = await socket.receive(buffer);
      const { hostname: host, port } = from as Deno.NetAddr;
      into.write(bytes, { host, port });
    } catch (error) {
      if (into.closed) return;
      scope.postMessage({ trouble: "receive", message: messageOf(error) });
      await pause();
    }
  }
}

async function send(socket: Deno.DatagramConn, from: DatagramRing): Promise<void> {
  const buffer = new Uint8Array(65_535);
  while (true) {
    const next = from.read(buffer);
    if (!next) {
      if (from.closed) return;
      await from.filled();
      continue;
    }
    try {
      const { host: hostname, port } = next.from;
      await socket.send(buffer.subarray(0, next.length), { transport: "udp", hostname, port });
    } catch (error) {
      scope.postMessage({ trouble: "send", message: messageOf(error) });
    }
  }
}

scope.onmessage = async ({ data: { address, maxBytes, received, toSend } }) => {
  let socket: Deno.DatagramConn;
  try {
    socket = Deno.listenDatagram({ transport: "udp", hostname: address.host, port: address.port });
  } catch (error) {
    scope.postMessage({ failed: { name: (error as Error).name, message: messageOf(error) } });
    return scope.close();
  }
  const bound = socket.addr as Deno.NetAddr;
  scope.postMessage({ bound: { host: bound.hostname, port: bound.port } });
  const into = new DatagramRing(received), receiving = receive(socket, into, maxBytes);
  // What is left to send goes out before the end.
  await send(socket, new DatagramRing(toSend));
  into.close();
  socket.close();
  await receiving;
  scope.postMessage({ ended: true });
  scope.close();
};
