/**
 * Messages of the plug-in channel, one JSON object a frame, gateway the TCP client (reference §4): the session's
 * own (Boot, Register, Heartbeat, Disconnect), Post, and the plug-in management methods.
 *
 * @module
 */
import { digestText, id, int, looseText, mac, optional, result, text } from "./fields.ts";
import type { Field } from "./fields.ts";
import { MAX_FRAME_BYTES } from "./framing.ts";
import type { TransactionId } from "./identifiers.ts";
import { parseObject } from "./json.ts";
import { type PluginEntry, pluginList } from "./plugin_list.ts";
import { encodeBody, readShape, RequestCodec, type Shape } from "./shape.ts";

/** The gateway says what it is. */
export interface ChannelBoot {
  readonly method: "Boot";
  readonly vendor: string;
  readonly model: string;
  readonly firmwareVer: string;
  readonly hardwareVer: string;
  readonly mac: string;
  readonly ipAddr: string;
  readonly loid: string;
  readonly card: string;
}

/** The gateway answers the challenge: H(ChallengeCode, SN). */
export interface ChannelRegister {
  readonly method: "Register";
  readonly checkSn: string;
}

/** The gateway is still there. */
export interface ChannelHeartbeat {
  readonly method: "Heartbeat";
  readonly mac: string;
  readonly ipAddr: string;
}

/** What a request about one plug-in names. `pluginName` may be empty in a Post: the CmdType chooses. */
export interface PluginRequest<Method extends string> {
  readonly method: Method;
  readonly id: TransactionId;
  readonly pluginName: string;
  /** Dotted decimal, or empty for whichever there is. */
  readonly version: string;
}

/** A request for a plug-in: base64 of the inner JSON in `parameter`. */
export interface Post extends PluginRequest<"Post"> {
  readonly parameter: string;
}

/** The platform ends the session. */
export interface Disconnect {
  readonly method: "Disconnect";
  readonly id: TransactionId;
}

/** Fetch a package and install it. */
export interface Install extends PluginRequest<"Install"> {
  readonly downloadUrl: string;
  /** Bytes. */
  readonly pluginSize: number;
  /** See {@linkcode PluginOs}. */
  readonly os: number;
  /** Our addition: `sha256:<hex>` of the package. */
  readonly digest?: string;
}

/** Give a plug-in its parameters: base64 of JSON. */
export interface SetPluginParameterValues extends PluginRequest<"SetPlug-inParameterValues"> {
  readonly parameter: string;
}

/** Which plug-ins are there. */
export interface ListPlugin {
  readonly method: "ListPlugin";
  readonly id: TransactionId;
}

/** What a gateway asks. */
export type ChannelUpRequest = ChannelBoot | ChannelRegister | ChannelHeartbeat;
/** What a platform asks. */
export type ChannelDownRequest =
  | Post
  | Disconnect
  | Install
  | PluginRequest<"Install_query">
  | PluginRequest<"Install_cancel">
  | PluginRequest<"UnInstall">
  | PluginRequest<"Run">
  | PluginRequest<"Stop">
  | PluginRequest<"FactoryPlugin">
  | ListPlugin
  | SetPluginParameterValues;
/** Any request of the channel. */
export type ChannelRequest = ChannelUpRequest | ChannelDownRequest;

/** Any answer of the channel; which fields it has depends on the question. */
export interface ChannelReply {
  readonly result: number;
  readonly id?: TransactionId;
  readonly challengeCode?: string;
  /** Base64 of the inner JSON reply. */
  readonly returnParameter?: string;
  readonly plugins?: readonly PluginEntry[];
}

/** What is made of a frame: a request, or an answer under the method "Reply". */
export type ChannelMessage = ChannelRequest | { readonly method: "Reply" } & ChannelReply;

/** The longest base64 text: the frame bounds it. */
const MAX_BASE64 = MAX_FRAME_BYTES;
const MAX_URL = 1024;

const plugin: Shape<Omit<PluginRequest<string>, "method">> = {
  pluginName: looseText("Plugin_Name"),
  version: looseText("Version"),
  id: id(),
};

const requests = new RequestCodec<ChannelRequest>({
  Boot: {
    vendor: looseText("Vendor"),
    model: looseText("Model"),
    firmwareVer: looseText("FirmwareVer"),
    hardwareVer: looseText("HardwareVer"),
    mac: mac("MAC"),
    ipAddr: looseText("IPAddr"),
    loid: looseText("LOID"),
    card: looseText("Card"),
  },
  Register: { checkSn: digestText("CheckSN") },
  Heartbeat: { ipAddr: looseText("IPAddr"), mac: mac("MAC") },
  Post: { ...plugin, parameter: looseText("Parameter", "", MAX_BASE64) },
  Disconnect: { id: id() },
  Install: {
    ...plugin,
    downloadUrl: text("Download_url", MAX_URL),
    pluginSize: int("Plugin_size", 0, 0x7fff_ffff),
    os: int("OS", 0, 255),
    digest: optional(text("Digest", 128)),
  },
  Install_query: plugin,
  Install_cancel: plugin,
  UnInstall: plugin,
  Run: plugin,
  Stop: plugin,
  FactoryPlugin: plugin,
  ListPlugin: { id: id() },
  "SetPlug-inParameterValues": { ...plugin, parameter: looseText("Parameter", "", MAX_BASE64) },
});

const reply: Shape<ChannelReply> = {
  result: result(),
  id: optional(id()),
  challengeCode: optional(digestText("ChallengeCode")),
  returnParameter: optional(text("return_Parameter", MAX_BASE64)),
  plugins: optional(pluginList("Plugin") as Field<readonly PluginEntry[]>),
};

/** The frame body of a request. Throws {@linkcode ProtocolError} for a value that may not be sent. */
export function encodeChannelRequest(message: ChannelRequest): Uint8Array<ArrayBuffer> {
  return requests.encode(message);
}

/** Reads any frame body of the channel; one without `RPCMethod` is an answer. Throws {@linkcode ProtocolError}. */
export function decodeChannelMessage(bytes: Uint8Array, maxBytes: number = MAX_FRAME_BYTES): ChannelMessage {
  const source = parseObject(bytes, maxBytes);
  if (RequestCodec.isRequest(source)) return requests.decode(source);
  return readShape(reply as Shape<{ method: "Reply" } & ChannelReply>, source, { method: "Reply" });
}

/** The frame body of an answer. */
export function encodeChannelReply(message: ChannelReply): Uint8Array<ArrayBuffer> {
  return encodeBody(reply, message);
}
