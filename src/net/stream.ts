/**
 * The port for connections: what the framed connection above sees of TCP, whether real or in memory, and of framing.
 *
 * @module
 */
import type { HostPort } from "../base/mod.ts";

/** One end of a connection, as bytes in order. */
export interface ByteStream {
  readonly local: HostPort;
  readonly remote: HostPort;
  /** Fills `buffer` from its start; resolves with the number of bytes, null once the peer has finished sending. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Takes some of `bytes`, at least one; resolves with how many. Waits while the peer's window is full. */
  write(bytes: Uint8Array): Promise<number>;
  /** Says that nothing more will be sent; reading goes on. */
  closeWrite(): Promise<void>;
  /** Ends both directions at once; what is being read or written then rejects. Twice does nothing. */
  close(): void;
}

/** A bound port that takes connections. */
export interface StreamListener {
  readonly address: HostPort;
  /** The next connection; undefined once the listener is closed. */
  accept(): Promise<ByteStream | undefined>;
  close(): void;
}

/** Cuts a stream of bytes into frames; one for each connection. */
export interface FrameDecoder {
  /**
   * Takes the next bytes; gives the frames that are complete with them, without their prefix. A frame may be a view
   * into `chunk`. Throws where the bytes can't be framed: the connection is then closed.
   */
  push(chunk: Uint8Array): Iterable<Uint8Array>;
  /** How many bytes of an unfinished frame (its prefix included) it holds. */
  readonly pending: number;
}

/** How frames are cut and made. */
export interface Framing {
  decoder(): FrameDecoder;
  /** The bytes on the wire for `payload`. */
  encode(payload: Uint8Array): Uint8Array;
}
