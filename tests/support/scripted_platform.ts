/**
 * A platform made of scripts, on real sockets of this machine: it says what a test tells it to say, also what a real
 * platform never would.
 *
 * @module
 */
import { formatHostPort, type HostPort, silentLog, systemClock } from "../../src/base/mod.ts";
import { type DatagramSocket, FramedConnection, FramedServer, systemNetwork } from "../../src/net/mod.ts";
import {
  type AccessMessage,
  type AccessReply,
  type CapabilityReply,
  type ChannelDownRequest,
  type ChannelMessage,
  type ChannelReply,
  checkSn,
  decodeAccessRequest,
  decodeCapabilityReply,
  decodeChannelMessage,
  decodeDistributionRequest,
  type DistributionReply,
  type DistributionRequest,
  encodeAccessReply,
  encodeAccessRequest,
  encodeCapabilityRequest,
  encodeChannelReply,
  encodeChannelRequest,
  encodeDistributionReply,
  encodeFrame,
  FrameDecoder,
  triggerKey,
} from "../../src/protocol/smart_gateway/mod.ts";

const CHALLENGE = "00112233445566778899AABBCCDDEEFF";
const deps = { clock: systemClock, log: silentLog };
const network = systemNetwork(deps);
const LOOPBACK = { host: "127.0.0.1", port: 0 };
/** Framing of the TCP links. */
export const FRAMING = {
  decoder: () => new FrameDecoder(),
  encode: (payload: Uint8Array) => encodeFrame(payload),
};

/** Something to wait for, by polling what other tasks of this process change. */
export async function until<T>(what: string, look: () => T | undefined | false, ms = 10_000): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The scripted platform. Its answers can be replaced at any time. */
export class ScriptedPlatform implements AsyncDisposable {
  readonly #distribution: DatagramSocket = network.datagram(LOOPBACK);
  readonly #access: DatagramSocket = network.datagram(LOOPBACK);
  readonly #center: FramedServer;
  readonly #downloads: Deno.HttpServer<Deno.NetAddr>;
  readonly heard: (DistributionRequest | AccessMessage)[] = [];
  readonly channelHeard: ChannelMessage[] = [];
  /** Packages by path, for Install. */
  readonly packages = new Map<string, Uint8Array<ArrayBuffer>>();
  gateway: HostPort | undefined;
  devRnd = "";
  channel: FramedConnection | undefined;
  distribution: (message: DistributionRequest) => DistributionReply | undefined;
  access: (message: AccessMessage) => AccessReply | undefined;
  onChannel: (message: ChannelMessage) => ChannelReply | undefined;
  readonly #replies = new Map<unknown, (reply: ChannelReply) => void>();
  #nextId = 1;

  constructor(readonly sn: string) {
    this.distribution = (message) =>
      message.method === "BootFirst"
        ? { result: 0, challengeCode: CHALLENGE, interval: 60 }
        : { result: 2, serverAddr: "127.0.0.1", serverPort: this.#access.address.port };
    this.access = (message) => {
      if (message.method === "Boot") return { result: 0, challengeCode: CHALLENGE };
      if (message.method === "Register") return { result: 2, interval: 60 };
      return message.method === "Hb" ? { result: 0 } : undefined;
    };
    this.onChannel = (message) => {
      if (message.method === "Boot") return { result: 0, challengeCode: CHALLENGE };
      if (message.method === "Register") {
        return { result: message.checkSn === checkSn(CHALLENGE, sn) ? 0 : -2 };
      }
      return message.method === "Heartbeat" ? { result: 0 } : undefined;
    };
    this.#distribution.onDatagram((bytes, from) => {
      const message = decodeDistributionRequest(bytes);
      this.heard.push(message);
      const reply = this.distribution(message);
      if (reply) this.#distribution.send(encodeDistributionReply(reply), from);
    });
    this.#access.onDatagram((bytes, from) => {
      const message = decodeAccessRequest(bytes);
      this.gateway = from;
      this.heard.push(message);
      if (message.method === "Boot") this.devRnd = message.devRnd;
      const reply = this.access(message);
      if (reply) this.say(encodeAccessReply(reply));
    });
    this.#center = new FramedServer(network.listen(LOOPBACK), {
      ...deps,
      framing: FRAMING,
      onConnection: (connection) => {
        this.channel = connection;
        return (frame) => this.#onFrame(frame, connection);
      },
    });
    this.#downloads = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      const bytes = this.packages.get(new URL(request.url).pathname);
      return bytes ? new Response(bytes) : new Response(null, { status: 404 });
    });
  }

  get distributionAt(): HostPort {
    return this.#distribution.address;
  }

  get accessAt(): HostPort {
    return this.#access.address;
  }

  url(path: string): string {
    return `http://${formatHostPort({ host: "127.0.0.1", port: this.#downloads.addr.port })}${path}`;
  }

  methods(): string[] {
    return this.heard.map(({ method }) => method);
  }

  /** Sends bytes to the gateway from the operations platform's address. */
  say(bytes: Uint8Array): void {
    this.#access.send(bytes, this.gateway!);
  }

  /** RequestPlug-in with its handshake; resolves when the gateway has registered on the channel. */
  async connectGateway(): Promise<void> {
    this.channel = undefined;
    const before = this.heard.length;
    this.say(encodeAccessRequest({
      method: "RequestPlug-in",
      key: triggerKey(this.devRnd, this.sn),
      deviceSn: this.sn,
      serverAddr: "127.0.0.1",
      serverPort: this.#center.address.port,
    }));
    this.devRnd = await until("an answer to RequestPlug-in", () => {
      const reply = this.heard.slice(before).find((message) => message.method === "Reply");
      return reply?.method === "Reply" && reply.result === 0 && reply.devRnd;
    });
    const seen = this.channelHeard.length;
    this.say(encodeAccessReply({ result: 1 }));
    await until(
      "the gateway on the plug-in channel",
      () => this.channelHeard.slice(seen).some(({ method }) => method === "Register"),
    );
  }

  /** Asks something on the channel, and waits for the answer. */
  ask(request: Distributed<ChannelDownRequest>): Promise<ChannelReply> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#replies.set(id, resolve);
      this.channel!.send(encodeChannelRequest({ ...request, id } as ChannelDownRequest));
    });
  }

  /** Posts a command; its result and decoded reply. */
  async post(
    pluginName: string,
    cmdType: string,
    fields: Record<string, string> = {},
    version = "",
  ): Promise<{ result: number; reply: CapabilityReply }> {
    const parameter = encodeCapabilityRequest({ cmdType, sequenceId: "0000ABCD", fields });
    const { result, returnParameter } = await this.ask({ method: "Post", pluginName, version, parameter });
    return { result, reply: decodeCapabilityReply(returnParameter!) };
  }

  #onFrame(frame: Uint8Array, connection: FramedConnection): void {
    const message = decodeChannelMessage(frame);
    this.channelHeard.push(message);
    if (message.method === "Reply") {
      const waiting = this.#replies.get(message.id);
      this.#replies.delete(message.id);
      return waiting?.(message);
    }
    const reply = this.onChannel(message);
    if (reply) connection.send(encodeChannelReply(reply));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#distribution[Symbol.asyncDispose]();
    await this.#access[Symbol.asyncDispose]();
    await this.#center.stop(200);
    await this.#downloads.shutdown();
  }
}

/** `Omit<T, "id">` over each member of a union. */
type Distributed<T> = T extends { id: unknown } ? Omit<T, "id"> : never;
