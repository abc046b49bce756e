/**
 * Captures made by hand, for other people's dissectors to read.
 *
 * @module
 */

/** One piece of TCP payload: from the client (to the server's port), or back. */
export interface Segment {
  readonly fromClient: boolean;
  readonly payload: Uint8Array;
}

const CLIENT_PORT = 40_000;

/** A capture file (raw IPv4) of one TCP conversation with `serverPort`. */
export function capture(segments: readonly Segment[], serverPort: number): Uint8Array<ArrayBuffer> {
  const head = new DataView(new ArrayBuffer(24));
  head.setUint32(0, 0xa1b2c3d4);
  head.setUint16(4, 2);
  head.setUint16(6, 4);
  head.setUint32(16, 65_535);
  head.setUint32(20, 101); // LINKTYPE_RAW
  const next = { client: 1, server: 1 };
  const parts = [new Uint8Array(head.buffer)];
  segments.forEach(({ fromClient, payload }, i) => {
    const packet = ipPacket(fromClient, payload, serverPort, next.client, next.server);
    if (fromClient) next.client += payload.length;
    else next.server += payload.length;
    const record = new DataView(new ArrayBuffer(16));
    record.setUint32(0, 1_790_000_000 + i);
    record.setUint32(8, packet.length);
    record.setUint32(12, packet.length);
    parts.push(new Uint8Array(record.buffer), packet);
  });
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

function ipPacket(
  fromClient: boolean,
  payload: Uint8Array,
  serverPort: number,
  clientSequence: number,
  serverSequence: number,
): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(40 + payload.length), view = new DataView(packet.buffer);
  packet.set([0x45, 0], 0);
  view.setUint16(2, packet.length);
  packet.set([64, 6], 8);
  const client = [10, 0, 0, 1], server = [10, 0, 0, 2];
  packet.set(fromClient ? [...client, ...server] : [...server, ...client], 12);
  view.setUint16(20, fromClient ? CLIENT_PORT : serverPort);
  view.setUint16(22, fromClient ? serverPort : CLIENT_PORT);
  view.setUint32(24, fromClient ? clientSequence : serverSequence);
  view.setUint32(28, fromClient ? serverSequence : clientSequence);
  packet.set([0x50, 0x18, 0xff, 0xff], 32);
  packet.set(payload, 40);
  return packet;
}
