/**
 * All definitions, found by name: which parameter `InternetGatewayDevice.LANDevice.1.…` is an instance of.
 *
 * @module
 */
import type { Area, ObjectDefinition, Owner, ParameterDefinition } from "./definition.ts";
import { valueOf } from "./value.ts";

/** The longest name that is looked at. CWMP has 256 characters. */
export const LONGEST_NAME = 256;

/** A parameter's definition with what it has from its object. */
export interface Described {
  /** `InternetGatewayDevice.LANDevice.{i}.WLANConfiguration.{i}.SSID` */
  readonly template: string;
  readonly definition: ParameterDefinition;
  readonly object: ObjectDefinition;
  readonly owner: Owner;
}

/** A name that was taken apart. */
export interface Parsed {
  /** With `{i}` for each number. */
  readonly template: string;
  readonly indices: readonly number[];
}

/** The definitions. */
export class Model {
  readonly #objects = new Map<string, ObjectDefinition>();
  readonly #parameters = new Map<string, Described>();

  /** Throws TypeError where definitions contradict each other or themselves. */
  constructor(areas: readonly Area[]) {
    for (const object of areas.flat()) {
      if (!/^[A-Z][A-Za-z0-9_-]*\.(?:(?:[A-Z][A-Za-z0-9_-]*|\{i\})\.)*$/.test(object.path)) {
        throw new TypeError(`"${object.path}" is no path of an object`);
      }
      if (this.#objects.has(object.path)) throw new TypeError(`"${object.path}" is defined twice`);
      if (isTable(object.path) !== (object.table !== undefined)) {
        throw new TypeError(
          `"${object.path}": a path that ends with {i}. needs a table, and no other has one`,
        );
      }
      this.#objects.set(object.path, object);
      for (const [name, definition] of Object.entries(object.parameters)) {
        const template = object.path + name;
        if (definition.default !== undefined) valueOf(definition, definition.default);
        this.#parameters.set(template, {
          template,
          definition,
          object,
          owner: definition.owner ?? object.owner,
        });
      }
    }
    for (const { object, definition, template } of this.#parameters.values()) {
      if (definition.counts !== undefined && !this.#objects.has(`${object.path}${definition.counts}.{i}.`)) {
        throw new TypeError(`"${template}" counts a table that is not defined`);
      }
    }
  }

  /** Every object, in the order of definition. */
  objects(): Iterable<ObjectDefinition> {
    return this.#objects.values();
  }

  /** Every parameter, in the order of definition. */
  parameters(): Iterable<Described> {
    return this.#parameters.values();
  }

  parameter(template: string): Described | undefined {
    return this.#parameters.get(template);
  }

  object(template: string): ObjectDefinition | undefined {
    return this.#objects.get(template);
  }
}

/** Whether a template is that of a table's instances. */
export function isTable(template: string): boolean {
  return template.endsWith(".{i}.");
}

/** Takes a name of a parameter, or of an object (with a dot at its end), apart; undefined where it can't be one. */
export function parseName(name: string): Parsed | undefined {
  if (name.length > LONGEST_NAME) return undefined;
  const indices: number[] = [];
  const segments = name.split(".").map((segment) => {
    if (!/^[1-9]\d{0,8}$/.test(segment)) return segment;
    indices.push(Number(segment));
    return "{i}";
  });
  return name.includes("{") ? undefined : { template: segments.join("."), indices };
}

/** The name of a template with its numbers filled in. */
export function nameOf(template: string, indices: readonly number[]): string {
  let at = 0;
  return template.replaceAll("{i}", () => String(indices[at++] ?? "{i}"));
}

/** Compares names with numbers in them as people do: 2 before 10. */
export function compareNames(a: string, b: string): number {
  const left = a.split("."), right = b.split(".");
  for (let i = 0; i < left.length && i < right.length; i++) {
    const x = left[i]!, y = right[i]!;
    if (x === y) continue;
    const bothNumbers = /^\d+$/.test(x) && /^\d+$/.test(y);
    return bothNumbers ? Number(x) - Number(y) : x < y ? -1 : 1;
  }
  return left.length - right.length;
}
