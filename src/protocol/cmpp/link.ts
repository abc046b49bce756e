/**
 * The messages that keep a connection: CONNECT, TERMINATE, ACTIVE_TEST (reference §4).
 *
 * @module
 */
import { badLength, type Codec, type Fixed, fixed, type Head } from "./codec.ts";
import { layout, octets, text, u32, u8 } from "./layout.ts";
import type { Dialect } from "./versions.ts";

const CONNECT = layout({
  Source_Addr: text(6),
  AuthenticatorSource: octets(16),
  Version: u8,
  Timestamp: u32,
});
const NOTHING = layout({});
const ACTIVE_TEST_RESP = layout({ Reserved: u8 });

/** Who wants in: Source_Addr is the SP_Id, between gateways the own gateway code. */
export type Connect = Fixed<"CONNECT", typeof CONNECT.fields>;
/** How CONNECT was taken. */
export interface ConnectResp extends Head<"CONNECT_RESP"> {
  /** 0: in; see {@linkcode ConnectStatus}. */
  readonly Status: number;
  /** Proves that the server knows the secret too; 16 zero octets where Status is not 0. */
  readonly AuthenticatorISMG: Uint8Array;
  /** The highest version that the server speaks. */
  readonly Version: number;
  /** How wide Status was on the wire, as read: 1 octet in 2.0, 4 in 3.0. Ignored when written. */
  readonly statusOctets?: 1 | 4;
}
/** Ends a connection in good order. */
export type Terminate = Head<"TERMINATE">;
/** Answers {@linkcode Terminate}. */
export type TerminateResp = Head<"TERMINATE_RESP">;
/** Asks whether the peer is still there. */
export type ActiveTest = Head<"ACTIVE_TEST">;
/** Answers {@linkcode ActiveTest}. */
export type ActiveTestResp = Fixed<"ACTIVE_TEST_RESP", typeof ACTIVE_TEST_RESP.fields>;

/** Status of CONNECT_RESP (reference §4); what goes beyond the standard is in use between operators (§8). */
export const ConnectStatus = {
  ok: 0,
  structure: 1,
  sourceAddress: 2,
  authentication: 3,
  version: 4,
  other: 5,
  tooManyConnections: 56,
  loginAddress: 57,
} as const;

/** The codecs of this family; TERMINATE and ACTIVE_TEST are the same in both dialects. */
export const connect: Codec<Connect> = fixed("CONNECT", CONNECT);
export const terminate: Codec<Terminate> = fixed("TERMINATE", NOTHING);
export const terminateResp: Codec<TerminateResp> = fixed("TERMINATE_RESP", NOTHING);
export const activeTest: Codec<ActiveTest> = fixed("ACTIVE_TEST", NOTHING);
export const activeTestResp: Codec<ActiveTestResp> = fixed("ACTIVE_TEST_RESP", ACTIVE_TEST_RESP);

/**
 * CONNECT_RESP is written in the dialect of its connection and read in either: a server may answer in its own version
 * before the client knows which that is, and the two lengths tell them apart.
 */
export function connectResp(dialect: Dialect): Codec<ConnectResp> {
  const widths = { 1: 30, 4: 33 };
  return {
    total: () => dialect === 3 ? widths[4] : widths[1],
    write(to, message) {
      if (dialect === 3) to.u32(message.Status, "Status");
      else to.u8(message.Status, "Status");
      to.octets(message.AuthenticatorISMG, "AuthenticatorISMG", 16);
      to.u8(message.Version, "Version");
    },
    read(from, sequence) {
      const { length } = from.pdu;
      if (length !== widths[4] && length !== widths[1]) {
        throw badLength(from.pdu, "CONNECT_RESP", dialect === 3 ? widths[4] : widths[1]);
      }
      const statusOctets = length === widths[4] ? 4 : 1;
      return {
        command: "CONNECT_RESP",
        sequence,
        Status: statusOctets === 4 ? from.u32() : from.u8(),
        AuthenticatorISMG: from.octets(16).slice(),
        Version: from.u8(),
        statusOctets,
      };
    },
  };
}
