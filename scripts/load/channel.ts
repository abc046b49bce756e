/**
 * A simulated gateway's plug-in channel: signs in over real TCP, answers what it is asked.
 *
 * @module
 */
import {
  type ChannelDownRequest,
  type ChannelReply,
  checkSn,
  decodeChannelMessage,
  encodeChannelReply,
  encodeChannelRequest,
  encodeFrame,
  FrameDecoder,
} from "../../src/protocol/smart_gateway/mod.ts";

/** Whose channel it is. */
export interface ChannelGateway {
  readonly mac: string;
  readonly sn: string;
  readonly loid: string;
  /** The answer to a request, without its id. */
  answer(request: ChannelDownRequest): Promise<Omit<ChannelReply, "id">> | Omit<ChannelReply, "id">;
}

/** How a channel is kept. */
export interface ChannelTiming {
  /** Milliseconds without a request after which the gateway hangs up; 0: never. */
  readonly idleMs: number;
  /** Milliseconds between its heartbeats. */
  readonly heartbeatMs: number;
  /** Milliseconds for connecting and signing in. */
  readonly signInMs: number;
}

const READ_BYTES = 4096;

/** An open channel. */
export class SimulatedChannel {
  #lastAsked = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #writing: Promise<unknown> = Promise.resolve();
  /** Resolves when the channel has ended. */
  readonly ended: Promise<void>;

  private constructor(
    private readonly connection: Deno.TcpConn,
    private readonly decoder: FrameDecoder,
    private readonly gateway: ChannelGateway,
    private readonly timing: ChannelTiming,
    early: readonly Uint8Array[],
  ) {
    this.ended = this.#run(early);
    this.#watch();
  }

  /** Connects and signs in; throws where that fails. */
  static async open(
    gateway: ChannelGateway,
    at: { readonly hostname: string; readonly port: number },
    timing: ChannelTiming,
  ): Promise<SimulatedChannel> {
    const connection = await Deno.connect(at);
    const timer = setTimeout(() => connection.close(), timing.signInMs);
    try {
      connection.setNoDelay(true);
      const decoder = new FrameDecoder(), frames: Uint8Array[] = [];
      const ask = async (body: Uint8Array) => {
        await writeAll(connection, encodeFrame(body));
        while (frames.length === 0) {
          const chunk = new Uint8Array(READ_BYTES), count = await connection.read(chunk);
          if (count === null) throw new Error("the platform hung up");
          frames.push(...decoder.push(chunk.subarray(0, count)));
        }
        const reply = decodeChannelMessage(frames.shift()!);
        if (reply.method !== "Reply" || reply.result !== 0) {
          throw new Error("the platform refused the channel");
        }
        return reply;
      };
      const { mac, sn, loid } = gateway;
      const boot = await ask(encodeChannelRequest({
        method: "Boot",
        vendor: "Simulated",
        model: "Load",
        firmwareVer: "1",
        hardwareVer: "1",
        mac,
        ipAddr: "100.64.0.1",
        loid,
        card: "",
      }));
      await ask(encodeChannelRequest({ method: "Register", checkSn: checkSn(boot.challengeCode ?? "", sn) }));
      return new SimulatedChannel(connection, decoder, gateway, timing, frames);
    } catch (error) {
      try {
        connection.close();
      } catch {
        // the timer was quicker
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.connection.close();
  }

  #watch(): void {
    const { idleMs, heartbeatMs } = this.timing;
    this.#timer = setTimeout(() => {
      if (idleMs > 0 && performance.now() - this.#lastAsked >= idleMs) return this.close();
      this.#write(
        encodeChannelRequest({ method: "Heartbeat", mac: this.gateway.mac, ipAddr: "100.64.0.1" }),
      );
      this.#watch();
    }, idleMs > 0 ? idleMs : heartbeatMs);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  async #run(early: readonly Uint8Array[]): Promise<void> {
    try {
      for (const frame of early) this.#take(frame);
      const chunk = new Uint8Array(READ_BYTES);
      while (true) {
        const count = await this.connection.read(chunk);
        if (count === null) break;
        for (const frame of this.decoder.push(chunk.subarray(0, count))) this.#take(frame);
      }
    } catch {
      // cut off, or what came was not of the protocol: either way it ends here
    }
    this.close();
  }

  #take(frame: Uint8Array): void {
    const message = decodeChannelMessage(frame);
    switch (message.method) {
      case "Reply": // of a heartbeat
      case "Boot":
      case "Register":
      case "Heartbeat":
        return;
      case "Disconnect":
        return this.close();
    }
    this.#lastAsked = performance.now();
    const answer = this.gateway.answer(message);
    const send = (reply: Omit<ChannelReply, "id">) =>
      this.#write(encodeChannelReply({ ...reply, id: message.id }));
    if (answer instanceof Promise) answer.then(send, () => this.close());
    else send(answer);
  }

  #write(body: Uint8Array): void {
    if (this.#closed) return;
    this.#writing = this.#writing.then(() => writeAll(this.connection, encodeFrame(body))).catch(() =>
      this.close()
    );
  }
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
