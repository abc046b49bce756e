/**
 * Messages between a gateway and its operations platform over UDP, and the triggers that come back on the same
 * association (reference §3).
 *
 * @module
 */
import type { HostPort } from "../../base/mod.ts";
import type { PlatformId } from "./distribution.ts";
import {
  digestText,
  hostPort,
  interval,
  looseText,
  mac,
  optional,
  port,
  random,
  result,
  text,
  word,
} from "./fields.ts";
import { decodeHeartbeat, isHeartbeatAck } from "./heartbeat.ts";
import { parseObject } from "./json.ts";
import { MAX_DATAGRAM_BYTES } from "./limits.ts";
import { encodeBody, readShape, RequestCodec, type Shape } from "./shape.ts";

/** A gateway comes up. */
export interface AccessBoot {
  readonly method: "Boot";
  readonly vendor: string;
  readonly model: string;
  readonly firmwareVer: string;
  readonly hardwareVer: string;
  readonly mac: string;
  /** The random value that keys of triggers and the binding SN are made with: 32 upper-case hex digits. */
  readonly devRnd: string;
  readonly platformId: PlatformId;
  readonly loid: string;
  readonly card: string;
  readonly ipAddr: string;
  readonly osVer: string;
  readonly appVer: string;
}

/** The gateway answers the challenge. */
export interface AccessRegister {
  readonly method: "Register";
  readonly mac: string;
  /** H(ChallengeCode, SN). */
  readonly checkSn: string;
  /** H(SN, LOID). */
  readonly userId: string;
  readonly pppoeName: string;
  /** Its values are not documented anywhere; "0" is what gateways send. */
  readonly flag: string;
}

/** A heartbeat. The first one after Register has flag "1" and says the address. */
export interface Heartbeat {
  readonly method: "Hb";
  readonly mac: string;
  readonly flag: "0" | "1";
  readonly ipAddr?: string;
}

/** Platform to gateway: connect to the plug-in centre at this address. */
export interface RequestPlugin {
  readonly method: "RequestPlug-in";
  /** H(DevRND, SN). */
  readonly key: string;
  readonly deviceSn: string;
  readonly serverAddr: string;
  readonly serverPort: number;
}

/** Platform to gateway: take this address as the distribution platform (mode "0") or the operations platform. */
export interface RequestDistri {
  readonly method: "RequestDistri";
  readonly key: string;
  readonly mode: string;
  readonly serverAddr: string;
  readonly serverPort: number;
}

/**
 * Any answer on this link, whichever way it goes. Which fields matter depends on the question:
 * Boot (0 with `challengeCode`), Register (2 with the addresses), Hb (0, perhaps with `interval`), a trigger
 * (0 with the new DevRND, -1 with the current one if the gateway is connected already, -1 alone for a wrong key),
 * and the platform's word that it took the new DevRND (1).
 */
export interface AccessReply {
  readonly result: number;
  readonly challengeCode?: string;
  /** Where heartbeats go; absent: they stay on the same socket. */
  readonly heartbeatAddr?: HostPort;
  readonly messageServer?: HostPort;
  readonly updateServer?: string;
  /** Seconds. */
  readonly interval?: number;
  /** With result -5: `host:port` to reconnect to. */
  readonly serverIp?: string;
  readonly devRnd?: string;
}

/** What goes over this link with a method: the first three to the platform, the last two to the gateway. */
export type AccessRequest = AccessBoot | AccessRegister | Heartbeat | RequestPlugin | RequestDistri;
/** What is made of a datagram on this link: a request, or an answer under the method "Reply". */
export type AccessMessage = AccessRequest | { readonly method: "Reply" } & AccessReply;

const requests = new RequestCodec<AccessRequest>({
  Boot: {
    vendor: looseText("Vendor"),
    model: looseText("Model"),
    firmwareVer: looseText("FirmwareVer"),
    hardwareVer: looseText("HardwareVer"),
    mac: mac("MAC"),
    devRnd: random("DevRND"),
    platformId: word("PlatformID", ["OSGI", "OTHER"], "OTHER"),
    loid: looseText("LOID"),
    card: looseText("Card"),
    ipAddr: looseText("IPAddr"),
    osVer: looseText("OsVer"),
    appVer: looseText("AppVer"),
  },
  Register: {
    mac: mac("MAC"),
    checkSn: digestText("CheckSN"),
    userId: digestText("UserID"),
    pppoeName: looseText("pppoename"),
    flag: looseText("flag", "0"),
  },
  Hb: {
    ipAddr: optional(text("IPAddr")),
    mac: mac("MAC"),
    flag: word("FLAG", ["0", "1"], "0"),
  },
  "RequestPlug-in": {
    key: digestText("Key"),
    deviceSn: looseText("DeviceSN"),
    serverAddr: text("ServerAddr"),
    serverPort: port("ServerPort"),
  },
  RequestDistri: {
    key: digestText("Key"),
    mode: looseText("mode", "0"),
    serverAddr: text("ServerAddr"),
    serverPort: port("ServerPort"),
  },
});

const reply: Shape<AccessReply> = {
  result: result(),
  challengeCode: optional(digestText("ChallengeCode")),
  heartbeatAddr: hostPort("HeartbeatIPAddr"),
  messageServer: hostPort("MessageServer"),
  updateServer: optional(text("UPDATEServer")),
  interval: optional(interval()),
  serverIp: optional(text("ServerIP")),
  devRnd: optional(random("DevRND")),
};

/** The datagram of a request. Throws {@linkcode ProtocolError} for a value that may not be sent. */
export function encodeAccessRequest(message: AccessRequest): Uint8Array<ArrayBuffer> {
  return requests.encode(message);
}

/**
 * Reads any datagram of this link, a plain heartbeat without parsing JSON. A datagram without `RPCMethod` is an
 * answer. Throws {@linkcode ProtocolError}.
 */
export function decodeAccessRequest(bytes: Uint8Array): AccessMessage {
  const heartbeat = decodeHeartbeat(bytes);
  if (heartbeat !== undefined) return { method: "Hb", mac: heartbeat, flag: "0" };
  if (isHeartbeatAck(bytes)) return PLAIN_ACK;
  const source = parseObject(bytes, MAX_DATAGRAM_BYTES);
  if (RequestCodec.isRequest(source)) return requests.decode(source);
  return readShape<{ method: "Reply" } & AccessReply>(
    reply as Shape<{ method: "Reply" } & AccessReply>,
    source,
    { method: "Reply" },
  );
}

const PLAIN_ACK = Object.freeze({ method: "Reply" as const, result: 0 });

/** The datagram of an answer. */
export function encodeAccessReply(message: AccessReply): Uint8Array<ArrayBuffer> {
  return encodeBody(reply, message);
}
