/**
 * A message as a table of fields: the one table encodes, decodes and checks. Internal to this folder.
 *
 * @module
 */
import { ProtocolError } from "./errors.ts";
import { type Field, id as idField } from "./fields.ts";
import type { TransactionId } from "./identifiers.ts";
import { type JsonObject, objectBytes, own } from "./json.ts";

/** The fields of a message `T`, in the order in which they go out. */
export type Shape<T> = { readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>> };
/** A message without its method. */
export type Body<T> = Omit<T, "method">;
/** The shape of every request of a union, by method. */
export type Shapes<M extends { method: string }> = {
  readonly [K in M["method"]]: Shape<Body<Extract<M, { method: K }>>>;
};

/** Reads the fields of `shape`; anything else in the object is ignored. */
export function readShape<T extends object>(shape: Shape<T>, source: JsonObject, into: object = {}): T {
  const target = into as Record<string, unknown>;
  for (const key in shape) {
    const field = shape[key];
    const value = field.read(own(source, field.wire));
    if (value !== undefined) target[key] = value;
  }
  return target as T;
}

/** Writes the fields of `shape`; undefined ones are left out. */
export function writeShape<T extends object>(shape: Shape<T>, value: T, into: JsonObject = {}): JsonObject {
  for (const key in shape) {
    const part = value[key];
    if (part !== undefined) {
      into[shape[key].wire] = shape[key].write(part as Exclude<T[typeof key], undefined>);
    }
  }
  return into;
}

/** The bytes of a message without a method: an ack or a reply. */
export function encodeBody<T extends object>(shape: Shape<T>, value: T): Uint8Array<ArrayBuffer> {
  return objectBytes(writeShape(shape, value));
}

/** Encoder and decoder of the requests of one link, chosen by `RPCMethod`. */
export class RequestCodec<M extends { method: string }> {
  readonly #shapes: Shapes<M>;
  /** Methods compare case-insensitively on input (reference §1). */
  readonly #byLowerCase = new Map<string, M["method"]>();

  constructor(shapes: Shapes<M>) {
    this.#shapes = shapes;
    for (const method of Object.keys(shapes)) {
      this.#byLowerCase.set(method.toLowerCase(), method as M["method"]);
    }
  }

  encode(message: M): Uint8Array<ArrayBuffer> {
    const method: M["method"] = message.method;
    if (!Object.hasOwn(this.#shapes, method)) {
      throw new ProtocolError("unknown_method", `no such method: "${method}"`, { method });
    }
    const shape = this.#shapes[method] as unknown as Shape<Record<string, unknown>>;
    return objectBytes(writeShape(shape, message as Record<string, unknown>, { RPCMethod: method }));
  }

  /** Whether the object names a method at all; one that does not is a reply. */
  static isRequest(source: JsonObject): boolean {
    return own(source, "RPCMethod") !== undefined;
  }

  decode(source: JsonObject): M {
    const given = own(source, "RPCMethod");
    if (given === undefined) {
      throw new ProtocolError("missing_field", 'field "RPCMethod" is missing', { field: "RPCMethod" });
    }
    if (typeof given !== "string") {
      throw new ProtocolError("wrong_type", 'field "RPCMethod" is not a string', { field: "RPCMethod" });
    }
    const method = given.length <= 64 ? this.#byLowerCase.get(given.toLowerCase()) : undefined;
    if (method === undefined) {
      throw new ProtocolError("unknown_method", `unknown method: ${JSON.stringify(given.slice(0, 64))}`, {
        field: "RPCMethod",
        method: given.slice(0, 64),
        id: readableId(source),
      });
    }
    const shape = this.#shapes[method] as unknown as Shape<Record<string, unknown>>;
    try {
      return readShape(shape, source, { method }) as unknown as M;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      throw new ProtocolError(error.code, `${method}: ${error.message}`, {
        field: error.field,
        method,
        id: readableId(source),
      });
    }
  }
}

const ID = idField();

function readableId(source: JsonObject): TransactionId | undefined {
  try {
    return ID.read(own(source, "ID"));
  } catch {
    return undefined;
  }
}
