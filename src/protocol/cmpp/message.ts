/**
 * Every message of the protocol, and the two functions that turn them into octets and back.
 *
 * @module
 */
import type { Codec, Head } from "./codec.ts";
import { commandIdOf, type CommandName } from "./commands.ts";
import { type Deliver, deliver, type DeliverResp } from "./deliver.ts";
import { CmppError } from "./errors.ts";
import { type Fwd, fwd, type FwdResp, fwdResp } from "./forward.ts";
import * as link from "./link.ts";
import * as mo from "./mo_routes.ts";
import * as mt from "./mt_routes.ts";
import * as q from "./query.ts";
import { resultResp, type Submit, submit, type SubmitResp } from "./submit.ts";
import type { Dialect } from "./versions.ts";
import { HEADER_OCTETS, Reader, Writer } from "./wire.ts";

/** Any message. */
export type Message =
  | link.Connect
  | link.ConnectResp
  | link.Terminate
  | link.TerminateResp
  | link.ActiveTest
  | link.ActiveTestResp
  | Submit
  | SubmitResp
  | Deliver
  | DeliverResp
  | q.Query
  | q.QueryResp
  | q.Cancel
  | q.CancelResp
  | Fwd
  | FwdResp
  | mt.MtRoute
  | mt.MtRouteResp
  | mt.GetMtRoute
  | mt.GetMtRouteResp
  | mt.MtRouteUpdate
  | mt.MtRouteUpdateResp
  | mt.PushMtRouteUpdate
  | mt.PushMtRouteUpdateResp
  | mo.MoRoute
  | mo.MoRouteResp
  | mo.GetMoRoute
  | mo.GetMoRouteResp
  | mo.GetRoute
  | mo.GetRouteResp
  | mo.MoRouteUpdate
  | mo.MoRouteUpdateResp
  | mo.PushMoRouteUpdate
  | mo.PushMoRouteUpdateResp;

type ByName = { [M in Message as M["command"]]: Codec<M> };
type InBoth = Omit<ByName, "GET_MT_ROUTE" | "GET_MO_ROUTE" | "GET_ROUTE" | `GET_${string}_RESP`>;

/** The messages that both dialects have. */
function common(dialect: Dialect): InBoth {
  return {
    CONNECT: link.connect,
    CONNECT_RESP: link.connectResp(dialect),
    TERMINATE: link.terminate,
    TERMINATE_RESP: link.terminateResp,
    ACTIVE_TEST: link.activeTest,
    ACTIVE_TEST_RESP: link.activeTestResp,
    SUBMIT: submit(dialect),
    SUBMIT_RESP: resultResp("SUBMIT_RESP", dialect),
    DELIVER: deliver(dialect),
    DELIVER_RESP: resultResp("DELIVER_RESP", dialect),
    QUERY: q.query,
    QUERY_RESP: q.queryResp,
    CANCEL: q.cancel,
    CANCEL_RESP: q.cancelResp(dialect),
    FWD: fwd(dialect),
    FWD_RESP: fwdResp(dialect),
    MT_ROUTE: mt.mtRoute,
    MT_ROUTE_RESP: mt.mtRouteResp(dialect),
    MO_ROUTE: mo.moRoute,
    MO_ROUTE_RESP: mo.moRouteResp(dialect),
    MT_ROUTE_UPDATE: mt.mtRouteUpdate(dialect),
    MT_ROUTE_UPDATE_RESP: mt.mtRouteUpdateResp(dialect),
    MO_ROUTE_UPDATE: mo.moRouteUpdate(dialect),
    MO_ROUTE_UPDATE_RESP: mo.moRouteUpdateResp(dialect),
    PUSH_MT_ROUTE_UPDATE: mt.pushMtRouteUpdate(dialect),
    PUSH_MT_ROUTE_UPDATE_RESP: mt.pushMtRouteUpdateResp,
    PUSH_MO_ROUTE_UPDATE: mo.pushMoRouteUpdate(dialect),
    PUSH_MO_ROUTE_UPDATE_RESP: mo.pushMoRouteUpdateResp,
  };
}

const CODECS = {
  2: table({ ...common(2), GET_ROUTE: mo.getRoute, GET_ROUTE_RESP: mo.getRouteResp }),
  3: table({
    ...common(3),
    GET_MT_ROUTE: mt.getMtRoute,
    GET_MT_ROUTE_RESP: mt.getMtRouteResp,
    GET_MO_ROUTE: mo.getMoRoute,
    GET_MO_ROUTE_RESP: mo.getMoRouteResp,
  }),
};

interface Table {
  readonly byName: ReadonlyMap<string, { readonly id: number; readonly codec: Codec }>;
  readonly byId: ReadonlyMap<number, Codec>;
}

function table(codecs: Partial<ByName>): Table {
  const byName = new Map<string, { id: number; codec: Codec }>(), byId = new Map<number, Codec>();
  for (const [name, one] of Object.entries(codecs)) {
    const id = commandIdOf(name as CommandName);
    // Each codec is only ever handed messages of its own name: the maps' keys see to that.
    const codec = one as unknown as Codec;
    byName.set(name, { id, codec });
    byId.set(id, codec);
  }
  return { byName, byId };
}

/** The names of all messages of a dialect. */
export function commandsOf(dialect: Dialect): readonly CommandName[] {
  return [...CODECS[dialect].byName.keys()] as CommandName[];
}

/**
 * The octets of `message` in a dialect. A response carries its request's Sequence_Id.
 *
 * @throws {CmppError} `value` where a field does not fit, `command` where the dialect has no such message
 * @example
 * ```ts
 * import { decodeMessage, encodeMessage } from "./mod.ts";
 * const pdu = encodeMessage({ command: "CANCEL", sequence: 3, Msg_Id: 5n }, 2);
 * const message = decodeMessage(pdu, 2);
 * if (message.command !== "CANCEL" || message.Msg_Id !== 5n) throw new Error("not the same");
 * ```
 */
export function encodeMessage(message: Message, dialect: Dialect): Uint8Array<ArrayBuffer> {
  const entry = CODECS[dialect].byName.get(message.command);
  if (!entry) throw new CmppError("command", `version ${dialect}.0 has no message "${message.command}"`);
  const { id, codec } = entry;
  const writer = new Writer(codec.total(message), id, message.sequence);
  codec.write(writer, message);
  return writer.pdu;
}

/**
 * The message in a whole PDU, as {@linkcode PduDecoder} cuts them. Contents are views into `pdu`: copy what is kept.
 *
 * @throws {CmppError} `total_length`, `command`, `length` or `value`; nothing else, whatever the octets are
 */
export function decodeMessage(pdu: Uint8Array, dialect: Dialect): Message {
  const { commandId, sequence } = readHeader(pdu);
  const codec = CODECS[dialect].byId.get(commandId);
  if (!codec) {
    const id = `0x${commandId.toString(16).padStart(8, "0")}`;
    throw new CmppError("command", `version ${dialect}.0 has no Command_Id ${id}`, commandId, sequence);
  }
  return codec.read(new Reader(pdu), sequence) as Head as Message;
}

/** Command_Id and Sequence_Id of a whole PDU. @throws {CmppError} `total_length` */
export function readHeader(pdu: Uint8Array): { commandId: number; sequence: number } {
  if (pdu.length < HEADER_OCTETS) {
    throw new CmppError("total_length", `a PDU of ${pdu.length} octets has no whole header`);
  }
  const view = new DataView(pdu.buffer, pdu.byteOffset, pdu.byteLength), total = view.getUint32(0);
  const commandId = view.getUint32(4), sequence = view.getUint32(8);
  if (total !== pdu.length) {
    throw new CmppError(
      "total_length",
      `Total_Length says ${total}, there are ${pdu.length}`,
      commandId,
      sequence,
    );
  }
  return { commandId, sequence };
}
