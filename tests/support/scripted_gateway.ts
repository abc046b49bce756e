/**
 * A gateway as the wire sees it, each message sent and answered by the test's own hand.
 *
 * @module
 */
import { decodeBase64, encodeBase64 } from "@std/encoding";
import { createHash } from "node:crypto";

/** Upper-case hex MD5 of the texts one after the other: the protocol's H, written again on purpose. */
export function h(...texts: string[]): string {
  return createHash("md5").update(texts.join("")).digest("hex").toUpperCase();
}

/** Who the gateway is. */
export interface Identity {
  readonly mac: string;
  readonly sn: string;
  readonly loid: string;
}

/** An identity made of a number. */
export function identity(n: number): Identity {
  const tail = n.toString(16).toUpperCase().padStart(6, "0");
  return { mac: `64D954${tail}`, sn: `64D954-D6AEE64D954${tail}`, loid: `LOID${n}` };
}

type Json = Record<string, unknown>;

/** A UDP socket that asks and hears JSON. */
export class UdpPeer implements Disposable {
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  readonly #heard: Json[] = [];
  #wake: () => void = () => {};

  constructor() {
    this.#listen();
  }

  send(message: Json | Uint8Array | string, port: number): Promise<number> {
    const bytes = message instanceof Uint8Array
      ? message
      : new TextEncoder().encode(typeof message === "string" ? message : JSON.stringify(message));
    return this.#socket.send(bytes, { transport: "udp", hostname: "127.0.0.1", port });
  }

  /** The next message; throws after `ms`. */
  async hear(ms = 5000): Promise<Json> {
    const end = performance.now() + ms;
    while (this.#heard.length === 0) {
      const left = end - performance.now();
      if (left <= 0) throw new Error(`heard nothing for ${ms} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#heard.shift()!;
  }

  async ask(message: Json, port: number): Promise<Json> {
    await this.send(message, port);
    return await this.hear();
  }

  /** Asks every 200 ms until something is heard; answers that come twice are forgotten. */
  async askUntilAnswered(message: Json, port: number, tries = 100): Promise<Json> {
    for (let i = 1;; i++) {
      await this.send(message, port);
      try {
        const answer = await this.hear(200);
        this.#heard.length = 0;
        return answer;
      } catch (error) {
        if (i === tries) throw error;
      }
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  async #listen(): Promise<void> {
    try {
      for await (const [bytes] of this.#socket) {
        this.#heard.push(JSON.parse(new TextDecoder().decode(bytes)));
        this.#wake();
      }
    } catch {
      // closed
    }
  }
}

/** BootFirst and RegisterFirst; the last answer. */
export async function distribute(peer: UdpPeer, port: number, { mac, sn }: Identity): Promise<Json> {
  const boot = await peer.ask({
    RPCMethod: "BootFirst",
    Vendor: "Maker",
    Model: "M1",
    FirmwareVer: "1",
    HardwareVer: "1",
    MAC: mac,
    IPAddr: "100.64.0.9",
    PlatformID: "OTHER",
  }, port);
  if (boot.Result !== 0) return boot;
  return await peer.ask(
    { RPCMethod: "RegisterFirst", CheckSN: h(String(boot.ChallengeCode), sn), MAC: mac },
    port,
  );
}

/** Boot and Register at access; the last answer. */
export async function register(
  peer: UdpPeer,
  port: number,
  { mac, sn, loid }: Identity,
  devRnd: string,
): Promise<Json> {
  const boot = await peer.ask({
    RPCMethod: "Boot",
    Vendor: "Maker",
    Model: "M1",
    FirmwareVer: "1",
    HardwareVer: "1",
    MAC: mac,
    DevRND: devRnd,
    PlatformID: "OTHER",
    Card: "",
    IPAddr: "100.64.0.9",
    OsVer: "1",
    AppVer: "1",
    LOID: loid,
  }, port);
  if (boot.Result !== 0) return boot;
  return await peer.ask({
    RPCMethod: "Register",
    MAC: mac,
    CheckSN: h(String(boot.ChallengeCode), sn),
    UserID: h(sn, loid),
    pppoename: "",
    flag: "0",
  }, port);
}

/** A framed TCP connection that asks and hears JSON. */
export class TcpPeer implements Disposable {
  #rest = new Uint8Array(0);
  private constructor(readonly conn: Deno.Conn) {}

  static async connect(port: number): Promise<TcpPeer> {
    return new TcpPeer(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  async send(message: Json): Promise<void> {
    const body = new TextEncoder().encode(JSON.stringify(message)), frame = new Uint8Array(4 + body.length);
    new DataView(frame.buffer).setUint32(0, body.length);
    frame.set(body, 4);
    for (let at = 0; at < frame.length;) at += await this.conn.write(frame.subarray(at));
  }

  /** The next message; undefined once the peer has closed. */
  async hear(): Promise<Json | undefined> {
    while (true) {
      if (this.#rest.length >= 4) {
        const length = new DataView(this.#rest.buffer, this.#rest.byteOffset).getUint32(0);
        if (this.#rest.length >= 4 + length) {
          const body = this.#rest.slice(4, 4 + length);
          this.#rest = this.#rest.slice(4 + length);
          return JSON.parse(new TextDecoder().decode(body));
        }
      }
      const chunk = new Uint8Array(65536);
      const n = await this.conn.read(chunk).catch(() => null);
      if (n === null) return undefined;
      const grown = new Uint8Array(this.#rest.length + n);
      grown.set(this.#rest);
      grown.set(chunk.subarray(0, n), this.#rest.length);
      this.#rest = grown;
    }
  }

  async ask(message: Json): Promise<Json | undefined> {
    await this.send(message);
    return await this.hear();
  }

  /** Boot and Register on the plug-in channel; the last answer. */
  async signIn({ mac, sn, loid }: Identity): Promise<Json | undefined> {
    const boot = await this.ask({
      RPCMethod: "Boot",
      Vendor: "Maker",
      Model: "M1",
      FirmwareVer: "1",
      HardwareVer: "1",
      MAC: mac,
      IPAddr: "100.64.0.9",
      LOID: loid,
      Card: "",
    });
    if (boot?.Result !== 0) return boot;
    return await this.ask({ RPCMethod: "Register", CheckSN: h(String(boot.ChallengeCode), sn) });
  }

  [Symbol.dispose](): void {
    try {
      this.conn.close();
    } catch {
      // closed already
    }
  }
}

/** Base64 of JSON, as `Parameter` carries it. */
export function inner(value: Json): string {
  return encodeBase64(JSON.stringify(value));
}

/** What {@linkcode inner} packed. */
export function outer(text: unknown): Json {
  return JSON.parse(new TextDecoder().decode(decodeBase64(String(text))));
}
