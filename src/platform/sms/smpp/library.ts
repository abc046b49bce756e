/**
 * The npm library `smpp`, as far as it is used here: what it knows of PDUs, not its connections.
 *
 * Its sessions have no time limits, windows or reconnecting, and its reader turns contents into text by `data_coding`,
 * which loses octets that are none (user data headers beside it, binary, GBK). So its tables of commands, parameters
 * and TLVs read and write PDUs here, and connections are the house's own. It has no declarations: these are ours.
 *
 * @module
 */

/** How one field is read and written, at an offset of a buffer. */
export interface FieldType {
  read(buffer: Uint8Array, offset: number, length?: number): unknown;
  size(value: unknown): number;
}

/** One optional parameter. */
export interface TlvType {
  readonly tag: string;
  readonly type: FieldType;
}

/** The part of the library that is used. */
export interface SmppLibrary {
  readonly PDU: new (
    command: string,
    fields: Readonly<Record<string, unknown>>,
  ) => { toBuffer(): Uint8Array };
  readonly commands: Readonly<
    Record<string, { readonly params?: Readonly<Record<string, { readonly type: FieldType }>> }>
  >;
  readonly commandsById: Readonly<Record<number, { readonly command: string }>>;
  readonly tlvsById: Readonly<Record<number, TlvType>>;
  readonly gsmCoder: {
    encode(text: string, table: number): Uint8Array;
    decode(octets: Uint8Array, table: number): string;
  };
}

/** Loads it: only where a centre is spoken to over SMPP. */
export async function loadSmpp(): Promise<SmppLibrary> {
  const { default: library } = await import("smpp");
  return library as unknown as SmppLibrary;
}
