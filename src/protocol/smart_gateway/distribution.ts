/**
 * Messages between a gateway and the distribution platform, one JSON object a datagram (reference §2).
 *
 * @module
 */
import { digestText, interval, looseText, mac, optional, port, result, text, word } from "./fields.ts";
import { parseObject } from "./json.ts";
import { MAX_DATAGRAM_BYTES } from "./limits.ts";
import { encodeBody, readShape, RequestCodec, type Shape } from "./shape.ts";

/** `PlatformID`: what the gateway's plug-ins run on. */
export type PlatformId = "OSGI" | "OTHER";

/** A gateway that has no operations platform yet says what it is. */
export interface BootFirst {
  readonly method: "BootFirst";
  readonly vendor: string;
  readonly model: string;
  readonly firmwareVer: string;
  readonly hardwareVer: string;
  /** 12 upper-case hex digits. */
  readonly mac: string;
  readonly ipAddr: string;
  readonly platformId: PlatformId;
}

/** The gateway answers the challenge. */
export interface RegisterFirst {
  readonly method: "RegisterFirst";
  /** H(ChallengeCode, SN). */
  readonly checkSn: string;
  /** Some gateways leave it out: then only the source address says who it is. We always send it. */
  readonly mac?: string;
}

/** What a distribution platform can be asked. */
export type DistributionRequest = BootFirst | RegisterFirst;

/**
 * Any answer of a distribution platform. To BootFirst: result 0 with a challenge. To RegisterFirst: result 2
 * (some say 0) with the operations platform. Result -5: `serverIp` is the `host:port` of another one to ask.
 */
export interface DistributionReply {
  readonly result: number;
  readonly challengeCode?: string;
  /** Seconds. */
  readonly interval?: number;
  /** The gateway's own `IPAddr`; with result -5, where to go. */
  readonly serverIp?: string;
  /** The operations platform. */
  readonly serverAddr?: string;
  readonly serverPort?: number;
}

const requests = new RequestCodec<DistributionRequest>({
  BootFirst: {
    vendor: looseText("Vendor"),
    model: looseText("Model"),
    firmwareVer: looseText("FirmwareVer"),
    hardwareVer: looseText("HardwareVer"),
    mac: mac("MAC"),
    ipAddr: looseText("IPAddr"),
    platformId: word("PlatformID", ["OSGI", "OTHER"], "OTHER"),
  },
  RegisterFirst: {
    checkSn: digestText("CheckSN"),
    mac: optional(mac("MAC")),
  },
});

const reply: Shape<DistributionReply> = {
  result: result(),
  challengeCode: optional(digestText("ChallengeCode")),
  interval: optional(interval()),
  serverIp: optional(text("ServerIP")),
  serverAddr: optional(text("ServerAddr")),
  serverPort: optional(port("ServerPort")),
};

/** The datagram of a request. Throws {@linkcode ProtocolError} for a value that may not be sent. */
export function encodeDistributionRequest(message: DistributionRequest): Uint8Array<ArrayBuffer> {
  return requests.encode(message);
}

/** Reads a request. Throws {@linkcode ProtocolError}. */
export function decodeDistributionRequest(bytes: Uint8Array): DistributionRequest {
  return requests.decode(parseObject(bytes, MAX_DATAGRAM_BYTES));
}

/** The datagram of an answer. */
export function encodeDistributionReply(message: DistributionReply): Uint8Array<ArrayBuffer> {
  return encodeBody(reply, message);
}

/** Reads an answer. Throws {@linkcode ProtocolError}. */
export function decodeDistributionReply(bytes: Uint8Array): DistributionReply {
  return readShape(reply, parseObject(bytes, MAX_DATAGRAM_BYTES));
}
