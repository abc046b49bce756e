/**
 * What a write comes to: which changes, and why not where it may not be (reference §9). Nothing is changed here.
 *
 * @module
 */
import { type Bindings, type ParameterChange, parentOf } from "./binding.ts";
import type { Contents } from "./contents.ts";
import { mayWrite, type Owner, type ParameterValue, type Source } from "./definition.ts";
import { errorOf, ParameterError, type ParameterFault } from "./errors.ts";
import { type Described, isTable, parseName } from "./model.ts";
import type { Stamp } from "./store.ts";
import { valueOf } from "./value.ts";

/** The most values that one write may have. */
export const MOST_VALUES = 10_000;

/** A change that nobody has stamped yet. */
export type Planned = Omit<ParameterChange, keyof Stamp>;

/** Plans on what is in the tree now. All throw ParameterError. */
export class Planner {
  constructor(private readonly contents: Contents, private readonly bindings: Bindings) {}

  /** What writing these values changes. `skipped`: takes what this writer may not write, instead of a fault for it. */
  values(
    values: Readonly<Record<string, unknown>>,
    source: Source,
    added: ReadonlySet<string> = new Set(),
    skipped?: ParameterFault[],
  ): Planned[] {
    const names = Object.keys(values), faults: ParameterFault[] = [];
    if (names.length > MOST_VALUES) {
      throw new ParameterError("limit", `more than ${MOST_VALUES} values at once`);
    }
    const changes: Planned[] = [];
    for (const name of names) {
      // What is passed over need not be there: the app platform's instances are not the management system's to add.
      const known = skipped ? this.contents.model.parameter(parseName(name)?.template ?? "") : undefined;
      try {
        const found = known ?? this.contents.described(name, added);
        const refusal = this.#refusal(name, found, source, skipped !== undefined);
        if (refusal) {
          (skipped ?? faults).push(refusal);
          continue;
        }
        const { template, indices } = this.contents.described(name, added);
        const value = this.#read(name, found, values[name]);
        changes.push({
          ...changeOf("set", name, template, indices),
          value,
          before: this.contents.value(name),
        });
      } catch (error) {
        if (!(error instanceof ParameterError)) throw error;
        const { code, message } = error;
        // A machine with fewer ports or networks than the one that the configuration is of.
        const passed = skipped && known && code === "unknown";
        (passed ? skipped : faults).push({ name, code, message });
      }
    }
    if (faults.length > 0) throw errorOf(faults);
    return changes;
  }

  /** Adding an instance, with values by the last part of their names. `index`: its number, where it is given. */
  addition(
    table: string,
    source: Source,
    values: Readonly<Record<string, unknown>>,
    given?: number,
  ): { index: number; changes: Planned[] } {
    const { name, template, indices } = this.contents.table(table);
    this.#mayChange(name, template, source);
    const rows = this.contents.instances(name, template, indices);
    const { max } = this.contents.model.object(template)!.table!;
    if (rows.length >= max) {
      throw new ParameterError("limit", `"${name}" has ${max} instances, and may have no more`);
    }
    const index = given ?? this.contents.record(name, template).next, row = `${name}${index}.`;
    if (!parseName(row)?.indices[indices.length]) {
      throw new ParameterError("value", `"${name}": an instance's number is from 1 to 999999999`);
    }
    if (rows.includes(index)) throw new ParameterError("value", `"${row}" is there already`);
    const named = Object.entries(values).map(([part, value]) => [row + part, value]);
    const sets = this.values(Object.fromEntries(named), source, new Set([row]));
    return { index, changes: [changeOf("add", row, template, [...indices, index]), ...sets] };
  }

  /** A table that has these rows from now on, numbered from 1, and no others. */
  replacement(
    table: string,
    source: Source,
    wanted: readonly Readonly<Record<string, unknown>>[],
  ): Planned[] {
    const { name, template, indices } = this.contents.table(table);
    this.#mayChange(name, template, source);
    const { max } = this.contents.model.object(template)!.table!;
    if (wanted.length > max) {
      throw new ParameterError("limit", `"${name}" may have no more than ${max} instances`);
    }
    const there = this.contents.instances(name, template, indices), added = new Set<string>();
    const changes = there.filter((row) => row > wanted.length)
      .flatMap((row) => this.#removal(`${name}${row}.`, template, [...indices, row]));
    const values: Record<string, unknown> = {};
    wanted.forEach((parts, i) => {
      const row = `${name}${i + 1}.`;
      if (!there.includes(i + 1)) {
        changes.push(changeOf("add", row, template, [...indices, i + 1]));
        added.add(row);
      }
      for (const [part, value] of Object.entries(parts)) values[row + part] = value;
    });
    return [...changes, ...this.values(values, source, added)];
  }

  /** Removing an instance with everything in it. */
  removal(object: string, source: Source): Planned[] {
    const { name, template, indices } = this.contents.object(object);
    if (!isTable(template)) throw new ParameterError("unknown", `"${name}" is no instance of a table`);
    this.#mayChange(parentOf(name), template, source);
    return this.#removal(name, template, indices);
  }

  /** Factory presets of what this source may restore. */
  restoration(source: Source): Planned[] {
    if (source === "plugin") {
      throw new ParameterError("no_right", "plug-ins do not restore factory presets: the platforms do");
    }
    const mine = (template: string, owner: Owner) => {
      const parameter = this.contents.model.parameter(template);
      const object = parameter?.object ?? this.contents.model.object(template);
      if (!object || object.sticky) return false;
      if (source === "system") return true;
      if (source === "itms") return owner !== "app";
      return owner === "app" || (owner === "shared" && object.appRestores === true);
    };
    const changes: Planned[] = [], gone = new Set<string>();
    for (const [table, { rows }] of this.contents.tables) {
      const parsed = parseName(table)!, template = `${parsed.template}{i}.`;
      const object = this.contents.model.object(template);
      if (!object?.table || !mine(template, object.owner)) continue;
      const initial = Array.from({ length: object.table.initial ?? 0 }, (_, i) => i + 1);
      for (const row of rows.filter((row) => !initial.includes(row))) {
        const name = `${table}${row}.`;
        if ([...gone].some((above) => name.startsWith(above))) continue;
        gone.add(name);
        changes.push(...this.#removal(name, template, [...parsed.indices, row]));
      }
      for (const row of initial.filter((row) => !rows.includes(row))) {
        changes.push(changeOf("add", `${table}${row}.`, template, [...parsed.indices, row]));
      }
    }
    for (const [name, { value: before }] of this.contents.entries) {
      const parsed = parseName(name)!, described = this.contents.model.parameter(parsed.template);
      if (!described || !mine(parsed.template, described.owner)) continue;
      if ([...gone].some((above) => name.startsWith(above))) continue;
      const value = this.contents.preset(name, described);
      // Of what the factory never said, nothing can be restored but on paper.
      if (value === undefined && described.definition.backed) continue;
      changes.push({ ...changeOf("set", name, parsed.template, parsed.indices), value, before });
    }
    return changes;
  }

  /** Instances that names speak of and that are not there, as far as this writer may add them. */
  missingRows(names: readonly string[], source: Source): Planned[] {
    const rows = new Map<string, Planned>();
    for (const name of names.slice(0, MOST_VALUES)) {
      const parsed = parseName(name);
      if (!parsed || !this.contents.model.parameter(parsed.template)) continue;
      const segments = name.split(".");
      for (let i = 1, depth = 0; i < segments.length; i++) {
        if (!/^[1-9]\d*$/.test(segments[i]!)) continue;
        const indices = parsed.indices.slice(0, ++depth), index = indices.at(-1)!;
        const table = segments.slice(0, i).join(".") + ".", row = `${table}${index}.`;
        const template = `${parseName(table)!.template}{i}.`;
        if (rows.has(row) || this.contents.instances(table, template, indices.slice(0, -1)).includes(index)) {
          continue;
        }
        try {
          this.#mayChange(table, template, source);
        } catch {
          break; // its parameters are found missing, with a name
        }
        const { max } = this.contents.model.object(template)!.table!;
        const now = this.contents.instances(table, template, indices.slice(0, -1)).length;
        const more = [...rows.values()].filter((change) => parentOf(change.name) === table).length;
        if (now + more >= max) {
          throw new ParameterError("limit", `"${table}" may have no more than ${max} instances`);
        }
        rows.set(row, changeOf("add", row, template, indices));
      }
    }
    return [...rows.values()];
  }

  #read(name: string, { definition }: Described, input: unknown): ParameterValue {
    try {
      return valueOf(definition, input);
    } catch (error) {
      if (!(error instanceof ParameterError)) throw error;
      throw new ParameterError(error.code, `"${name}": ${error.message}`);
    }
  }

  /** Why this writer may not write it. `loading`: as part of a configuration. */
  #refusal(name: string, found: Described, source: Source, loading: boolean): ParameterFault | undefined {
    const { definition, object, owner, template } = found;
    if (loading && object.sticky) {
      return {
        name,
        code: "no_right",
        message: `"${name}" keeps its value whatever configuration is loaded`,
      };
    }
    if (source === "system") return undefined;
    if (definition.access === "readOnly") {
      return { name, code: "read_only", message: `"${name}" is read-only` };
    }
    if (!mayWrite(source, owner)) {
      return { name, code: "no_right", message: `"${name}" ${BELONGS[owner]}: ${source} may not write it` };
    }
    if (definition.backed && !this.bindings.find(template, "apply")) {
      return { name, code: "unavailable", message: `"${name}" can't be set on this machine` };
    }
    return undefined;
  }

  #mayChange(table: string, template: string, source: Source): void {
    const object = this.contents.model.object(template)!;
    if (source === "system") return;
    if (object.table!.access === "readOnly") {
      throw new ParameterError("read_only", `instances of "${table}" are neither added nor removed`);
    }
    if (!mayWrite(source, object.owner)) {
      throw new ParameterError(
        "no_right",
        `"${table}" ${BELONGS[object.owner]}: ${source} may not change it`,
      );
    }
  }

  /** An instance and everything in it, from the leaves up. */
  #removal(name: string, template: string, indices: readonly number[]): Planned[] {
    const changes: Planned[] = [];
    for (const [entry, { value }] of this.contents.entries) {
      if (!entry.startsWith(name)) continue;
      const parsed = parseName(entry)!;
      changes.push({ ...changeOf("set", entry, parsed.template, parsed.indices), before: value });
    }
    for (const [table, { rows }] of this.contents.tables) {
      if (!table.startsWith(name)) continue;
      const parsed = parseName(table)!;
      for (const row of rows) {
        changes.push(
          changeOf("remove", `${table}${row}.`, `${parsed.template}{i}.`, [...parsed.indices, row]),
        );
      }
    }
    changes.push(changeOf("remove", name, template, indices));
    return changes;
  }
}

function changeOf(
  kind: Planned["kind"],
  name: string,
  template: string,
  indices: readonly number[],
): Planned {
  return { kind, name, template, indices };
}

const BELONGS: Readonly<Record<Owner, string>> = {
  itms: "belongs to the management system",
  app: "belongs to the app platform",
  shared: "belongs to both",
};
