/**
 * How parameters are described: data, one file an area (`areas/`), in the names of TR-098.
 *
 * @module
 */

/** Who manages a parameter (reference §9). */
export type Owner = "itms" | "app" | "shared";

/**
 * Who writes. `itms`: the management system over CWMP; `app`: the phone apps' platform; `local`: the phone app on the
 * LAN; `plugin`: a plug-in of its own accord; `system`: this gateway and its machine, which may write anything.
 */
export type Source = "itms" | "app" | "local" | "plugin" | "system";
/** Every {@linkcode Source}. */
export const SOURCES = ["itms", "app", "local", "plugin", "system"] as const satisfies readonly Source[];

/** A value: text for `string`, `dateTime` and `base64`. */
export type ParameterValue = string | number | boolean;

/** The types of TR-106 that are used, with their ranges. Lengths count characters (of base64: bytes). */
export type ParameterType =
  | {
    readonly type: "string";
    readonly maxLength: number;
    readonly minLength?: number;
    /** The only values, in the spelling of the model. */
    readonly values?: readonly string[];
    /** What else the text must look like, and that in words. */
    readonly pattern?: { readonly test: RegExp; readonly says: string };
  }
  | { readonly type: "int" | "unsignedInt"; readonly min?: number; readonly max?: number }
  | { readonly type: "boolean" }
  | { readonly type: "dateTime" }
  | { readonly type: "base64"; readonly maxLength: number };

/** A parameter, beneath the object that it is in. */
export type ParameterDefinition = ParameterType & {
  /** `readWrite`: whoever its owner class lets may write. `readOnly`: only the gateway itself. */
  readonly access: "readOnly" | "readWrite";
  /** Default: that of the object. */
  readonly owner?: Owner;
  /** What it is at the factory. Absent: unknown until somebody writes it or the machine tells. */
  readonly default?: ParameterValue;
  /** Lives in the machine: never written without something bound that brings it into force. */
  readonly backed?: true;
  /** Reads as an empty text from outside, as passwords do. */
  readonly secret?: true;
  /** How many instances the table beside it has, by its name (`Host`): kept by the tree itself. */
  readonly counts?: string;
  /** In a few words, for the documents. */
  readonly about?: string;
};

/** An object with parameters in it. A path that ends with `{i}.` is a table of many. */
export interface ObjectDefinition {
  /** `InternetGatewayDevice.LANDevice.{i}.WLANConfiguration.{i}.` */
  readonly path: string;
  readonly owner: Owner;
  readonly parameters: Readonly<Record<string, ParameterDefinition>>;
  /** Of a table. */
  readonly table?: {
    /** `readWrite`: instances may be added and removed by whoever the owner class lets. */
    readonly access: "readOnly" | "readWrite";
    /** Instances at the factory, numbered from 1. Default 0. */
    readonly initial?: number;
    readonly max: number;
  };
  /** Not to be seen in lists and exports; read and written by its exact name (reference §8). */
  readonly hidden?: true;
  /** Keeps its values over upgrade, configuration download and restoring factory presets (reference §8). */
  readonly sticky?: true;
  /** Of what is shared, the app platform may restore this (reference §9: access control of attached terminals). */
  readonly appRestores?: true;
}

/** A group of objects. */
export type Area = readonly ObjectDefinition[];

/** Whether a writer may write what has this owner (reference §9). */
export function mayWrite(source: Source, owner: Owner): boolean {
  if (source === "system" || owner === "shared") return true;
  return source === "itms" ? owner === "itms" : owner === "app";
}
