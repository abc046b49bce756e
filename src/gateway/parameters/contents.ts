/**
 * What is in the tree at this moment: values that were written, instances of tables, and how names lead to them.
 *
 * @module
 */
import { type Log, messageOf } from "../../base/mod.ts";
import { type Bindings, type ParameterChange, parentOf } from "./binding.ts";
import type { ParameterValue } from "./definition.ts";
import { ParameterError } from "./errors.ts";
import { type Described, type Model, nameOf, parseName } from "./model.ts";
import type { Entry, StoredTree } from "./store.ts";
import { valueOf } from "./value.ts";

/** The instances of a table. */
export interface Table {
  /** The number that the next one gets: none is used twice. */
  next: number;
  rows: number[];
}

/** Something found by its name. */
export interface Found {
  readonly name: string;
  readonly template: string;
  readonly indices: readonly number[];
}

/** The contents, in memory. */
export class Contents {
  readonly entries: Map<string, Entry>;
  readonly tables: Map<string, Table>;
  sequence: number;
  /** What an entry took the place of, and which of them the disk refused. */
  readonly #earlier = new WeakMap<Entry, Entry>();
  readonly #refused = new WeakSet<Entry>();

  constructor(
    readonly model: Model,
    private readonly bindings: Bindings,
    readonly presets: Readonly<Record<string, ParameterValue>>,
    private readonly log: Log,
    stored: StoredTree | undefined,
  ) {
    this.sequence = stored?.sequence ?? 0;
    this.tables = new Map(Object.entries(stored?.tables ?? {}));
    this.entries = new Map(this.#fit(stored?.values ?? {}));
    for (const [name, value] of Object.entries(presets)) {
      const known = stored?.presets[name];
      // Whoever changed the preset did so after whatever was written under the earlier one.
      if (known !== undefined && known !== value) this.entries.delete(name);
    }
  }

  /** The value that was written, else the factory's. */
  value(name: string): ParameterValue | undefined {
    const entry = this.entries.get(name);
    if (entry) return entry.value;
    const parsed = parseName(name)!;
    return this.preset(name, this.model.parameter(parsed.template)!);
  }

  /** What the factory says it is. */
  preset(name: string, { definition }: Described): ParameterValue | undefined {
    return Object.hasOwn(this.presets, name) ? this.presets[name] : definition.default;
  }

  /** Takes a parameter's name apart. `added`: instances that are on their way. Throws ParameterError `unknown`. */
  described(
    name: string,
    added?: ReadonlySet<string>,
  ): Described & { readonly indices: readonly number[] } {
    const parsed = parseName(name), found = parsed && this.model.parameter(parsed.template);
    if (!found || !this.#exists(parentOf(name), added)) throw unknown(name);
    return { ...found, indices: parsed.indices };
  }

  /** Takes an object's name apart, with a dot at its end. Throws ParameterError `unknown`. */
  object(name: string): Found {
    const parsed = name.endsWith(".") ? parseName(name) : undefined;
    const known = parsed && [...this.model.objects()].some(({ path }) => path.startsWith(parsed.template));
    if (!known || !this.#exists(name)) throw unknown(name);
    return { name, ...parsed };
  }

  /** Takes a table's name apart, with or without `{i}.` behind it; the template is that of its instances. */
  table(table: string): Found {
    const name = table.replace(/\{i\}\.$/, "");
    const parsed = name.endsWith(".") ? parseName(name) : undefined, template = `${parsed?.template}{i}.`;
    if (!parsed || !this.model.object(template) || !this.#exists(name)) throw unknown(table);
    return { name, template, indices: parsed.indices };
  }

  /** The numbers of a table's instances: the machine's, where it has them. */
  instances(table: string, template: string, indices: readonly number[]): readonly number[] {
    const bound = this.bindings.find(template, "instances");
    return bound ? bound.instances(indices) : this.record(table, template).rows;
  }

  /** What is kept of a table, or as it is at the factory. */
  record(table: string, template: string): Table {
    const initial = this.model.object(template)?.table?.initial ?? 0;
    return this.tables.get(table) ??
      { next: initial + 1, rows: Array.from({ length: initial }, (_, i) => i + 1) };
  }

  /** All combinations of instances that a template stands for, those that begin as `wanted` does. */
  rows(template: string, wanted: readonly number[]): number[][] {
    const pieces = template.split("{i}");
    let found: number[][] = [[]];
    for (let depth = 0; depth < pieces.length - 1; depth++) {
      const above = pieces.slice(0, depth + 1).join("{i}");
      found = found.flatMap((indices) => {
        const all = this.instances(nameOf(above, indices), `${above}{i}.`, indices);
        return all.filter((index) => wanted[depth] === undefined || wanted[depth] === index)
          .map((index) => [...indices, index]);
      });
    }
    return found;
  }

  /** Puts changes in; gives what takes them out again. Undefined: nothing that the disk would have to know. */
  take(changes: readonly ParameterChange[]): (() => void) | undefined {
    const back: (() => void)[] = [];
    for (const change of changes) {
      const { kind, name, template, value, source, by, time, sequence } = change;
      if (kind === "set") {
        const old = this.entries.get(name);
        if (old?.value === value && old?.source === source && old.by === by) continue;
        if (old === undefined && value === undefined) continue;
        const entry = value === undefined
          ? undefined
          : { value, source, ...(by === undefined ? {} : { by }), time, sequence };
        if (entry) this.entries.set(name, entry);
        else this.entries.delete(name);
        if (entry && old) this.#earlier.set(entry, old);
        back.push(() => this.#takeBack(name, entry, old));
      } else {
        const table = parentOf(name), index = change.indices.at(-1)!;
        this.#setRow(table, template, index, kind === "add");
        back.push(() => this.#setRow(table, template, index, kind === "remove"));
      }
    }
    if (back.length === 0) return undefined;
    this.sequence = Math.max(this.sequence, ...changes.map(({ sequence }) => sequence));
    return () => back.reverse().forEach((undo) => undo());
  }

  /** What brings the machine to what is in memory now, for changes that were taken out again. */
  corrections(changes: readonly ParameterChange[]): ParameterChange[] {
    return changes.toReversed().map((change): ParameterChange => {
      const { kind, name, template, indices, value } = change;
      if (kind === "set") return { ...change, value: this.value(name), before: value };
      const there = this.record(parentOf(name), template).rows.includes(indices.at(-1)!);
      return { ...change, kind: there ? "add" : "remove" };
    });
  }

  /** What goes to the disk. */
  stored(): StoredTree {
    return {
      sequence: this.sequence,
      presets: this.presets,
      values: Object.fromEntries(this.entries),
      tables: Object.fromEntries(this.tables),
    };
  }

  /** Back to what was there before, unless somebody wrote since; never to what the disk refused. */
  #takeBack(name: string, entry: Entry | undefined, old: Entry | undefined): void {
    if (entry) this.#refused.add(entry);
    if (this.entries.get(name) !== entry) return;
    let good = old;
    while (good && this.#refused.has(good)) good = this.#earlier.get(good);
    if (good) this.entries.set(name, good);
    else this.entries.delete(name);
  }

  #setRow(table: string, template: string, index: number, there: boolean): void {
    const { rows, next } = this.record(table, template), others = rows.filter((row) => row !== index);
    this.tables.set(table, {
      rows: there ? [...others, index].sort((a, b) => a - b) : others,
      next: Math.max(next, index + 1),
    });
  }

  /** Whether each instance on the way to an object is there. */
  #exists(object: string, added?: ReadonlySet<string>): boolean {
    const segments = object.split(".");
    let at = segments[0]!;
    const indices: number[] = [];
    for (const segment of segments.slice(1, -1)) {
      if (/^[1-9]\d{0,8}$/.test(segment)) {
        const table = `${at}.`, template = `${parseName(table)!.template}{i}.`, index = Number(segment);
        const there = added?.has(`${table}${segment}.`) ||
          (this.model.object(template) !== undefined &&
            this.instances(table, template, indices).includes(index));
        if (!there) return false;
        indices.push(index);
      }
      at += `.${segment}`;
    }
    return true;
  }

  /** Of what is in a file, what is still defined and a value of its parameter. */
  *#fit(values: StoredTree["values"]): Iterable<[string, Entry]> {
    for (const [name, entry] of Object.entries(values)) {
      const parsed = parseName(name), found = parsed && this.model.parameter(parsed.template);
      try {
        if (found) yield [name, { ...entry, value: valueOf(found.definition, entry.value) }];
        else this.log.warn("a parameter in the file is not known any more", { name });
      } catch (error) {
        this.log.warn("a parameter in the file is at its factory preset", {
          name,
          reason: messageOf(error),
        });
      }
    }
  }
}

/** The error for a name that leads nowhere. */
export function unknown(name: string): ParameterError {
  return new ParameterError("unknown", `no parameter "${name.slice(0, 300)}"`);
}
