/**
 * The parameter tree: what is set on this gateway, by whom it may be, and who did.
 *
 * @module
 */
import { type Clock, type Log, messageOf } from "../../base/mod.ts";
import { type Binding, Bindings, type ParameterChange, parentOf } from "./binding.ts";
import {
  type Area,
  mayWrite,
  type Owner,
  type ParameterType,
  type ParameterValue,
  type Source,
} from "./definition.ts";
import { errorOf, ParameterError, type ParameterFault } from "./errors.ts";
import { compareNames, type Described, isTable, Model, nameOf, parseName } from "./model.ts";
import { type Entry, readTree, type Stamp, type StoredTree, TreeWriter } from "./store.ts";
import { valueOf } from "./value.ts";

/** Who writes; `by` says which plug-in, or from where. */
export type Writer = Source | { readonly source: Source; readonly by?: string | undefined };

/** A parameter as it is now. */
export interface ParameterView {
  readonly name: string;
  readonly type: ParameterType["type"];
  readonly access: "readOnly" | "readWrite";
  readonly owner: Owner;
  /** Undefined where neither the machine nor anybody said one. */
  readonly value: ParameterValue | undefined;
  /** Who wrote it; undefined: it is as at the factory, or the machine's own. */
  readonly written?: Stamp;
}

/** How a tree is opened. */
export interface ParameterOptions {
  /** The file that it is kept in; undefined: it is in memory only. */
  readonly path: string | undefined;
  readonly areas: readonly Area[];
  /**
   * Factory presets of this very gateway, by name, where they are others than the definitions have. One that is not
   * what it was when the tree was last open counts as a write of that moment: what was written earlier gives way.
   */
  readonly presets?: Readonly<Record<string, ParameterValue>>;
}

/** How names are listed. */
export interface ListOptions {
  /** The name of a parameter, or of an object with a dot at its end. Empty: everything. */
  readonly prefix?: string;
  /** Also what is hidden. */
  readonly hidden?: boolean;
  /** Only what comes after this name. */
  readonly after?: string | undefined;
}

/** What came of writing many values of which some may not be written. */
export interface ImportReport {
  readonly written: number;
  /** What was left as it is, and why. */
  readonly skipped: readonly ParameterFault[];
}

/** The most values that one write may have. */
export const MOST_VALUES = 10_000;

interface Table {
  next: number;
  rows: number[];
}

type Planned = Omit<ParameterChange, keyof Stamp>;

/** All parameters of a gateway. Names are those of TR-098; unknown ones throw ParameterError `unknown`. */
export class ParameterTree implements AsyncDisposable {
  readonly model: Model;
  readonly #presets: Readonly<Record<string, ParameterValue>>;
  readonly #entries: Map<string, Entry>;
  readonly #tables: Map<string, Table>;
  readonly #bindings: Bindings;
  readonly #writer: TreeWriter;
  readonly #watchers = new Set<{ prefix: string; listener: (change: ParameterChange) => void }>();
  #sequence: number;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly deps: { readonly clock: Clock; readonly log: Log },
    options: ParameterOptions,
    stored: StoredTree | undefined,
  ) {
    this.model = new Model(options.areas);
    this.#bindings = new Bindings(deps.clock);
    this.#presets = options.presets ?? {};
    this.#sequence = stored?.sequence ?? 0;
    this.#tables = new Map(Object.entries(stored?.tables ?? {}));
    this.#entries = new Map(this.#fit(stored?.values ?? {}));
    this.#writer = new TreeWriter(options.path, () => this.#stored());
    for (const [name, value] of Object.entries(this.#presets)) {
      this.#described(name);
      const known = stored?.presets[name];
      if (known === value) continue;
      // Whoever changed the preset did so after whatever was written under the earlier one.
      if (known !== undefined) this.#entries.delete(name);
    }
  }

  /** Reads the tree, or starts it. Throws TypeError where the definitions are at fault. */
  static async open(
    deps: { readonly clock: Clock; readonly log: Log },
    options: ParameterOptions,
  ): Promise<ParameterTree> {
    const stored = options.path === undefined ? undefined : await readTree(options.path, deps.log);
    const tree = new ParameterTree(deps, options, stored);
    if (stored && JSON.stringify(stored.presets) !== JSON.stringify(tree.#presets)) await tree.#writer.save();
    return tree;
  }

  /** The value that was written, else the factory's; undefined where there is neither. Does not ask the machine. */
  peek(name: string): ParameterValue | undefined {
    this.#described(name);
    return this.#value(name);
  }

  /** What a parameter of this name is, whether or not its instance is there. */
  shape(name: string): Pick<ParameterView, "type" | "access" | "owner"> {
    const found = this.model.parameter(parseName(name)?.template ?? "");
    if (!found) throw unknown(name);
    return { type: found.definition.type, access: found.definition.access, owner: found.owner };
  }

  /** What is known of the parameter whatever its value is. */
  describe(
    name: string,
  ): { readonly owner: Owner; readonly access: "readOnly" | "readWrite"; readonly secret: boolean } {
    const { definition, owner } = this.#described(name);
    return { owner, access: definition.access, secret: definition.secret === true };
  }

  /** Who wrote the value, and when; undefined while it is the factory's. */
  stamp(name: string): Stamp | undefined {
    this.#described(name);
    const entry = this.#entries.get(name);
    return entry && stampOf(entry);
  }

  /** A parameter as it is now, live where the machine tells. `secrets`: as they are, not empty. */
  async get(name: string, options: { readonly secrets?: boolean } = {}): Promise<ParameterView> {
    const { definition, owner, template, indices } = this.#described(name);
    const written = this.#entries.get(name);
    return {
      name,
      type: definition.type,
      access: definition.access,
      owner,
      value: definition.secret && !options.secrets ? "" : await this.#live(name, template, indices),
      ...(written && { written: stampOf(written) }),
    };
  }

  /** Names of parameters, in order; hidden ones only where that is asked for or they are named exactly. */
  names(options: ListOptions = {}): string[] {
    const { prefix = "", hidden = false, after } = options;
    if (prefix !== "" && !prefix.endsWith(".")) {
      this.#described(prefix);
      return [prefix];
    }
    const wanted = prefix === "" ? undefined : this.#object(prefix);
    const found: string[] = [];
    for (const object of this.model.objects()) {
      if (object.hidden && !hidden) continue;
      const parts = Object.keys(object.parameters);
      if (wanted && !object.path.startsWith(wanted.template)) continue;
      for (const indices of this.#rows(object.path, wanted?.indices ?? [])) {
        const path = nameOf(object.path, indices);
        for (const part of parts) found.push(path + part);
      }
    }
    found.sort(compareNames);
    return after === undefined ? found : found.filter((name) => compareNames(name, after) > 0);
  }

  /** The numbers of a table's instances; its name as `InternetGatewayDevice.LANDevice.` or with `{i}.` behind it. */
  instances(table: string): readonly number[] {
    const { name, template, indices } = this.#table(table);
    return this.#instances(name, template, indices);
  }

  /**
   * Writes values, all or none; resolves when they are in force and on the disk. Throws ParameterError with a fault
   * for each parameter that is at fault.
   */
  async set(values: Readonly<Record<string, unknown>>, writer: Writer): Promise<void> {
    await this.#commit(() => this.#plan(values, writer).changes, writer);
  }

  /** Adds an instance to a table, perhaps with values by parameter name (`SSID`); resolves with its number. */
  async add(
    table: string,
    writer: Writer,
    options: { readonly values?: Readonly<Record<string, unknown>>; readonly index?: number } = {},
  ): Promise<number> {
    let index = 0;
    await this.#commit(() => {
      const { name, template, indices } = this.#table(table);
      this.#mayChange(name, template, writer);
      const rows = this.#instances(name, template, indices);
      const { max } = this.model.object(template)!.table!;
      if (rows.length >= max) {
        throw new ParameterError("limit", `"${name}" has ${max} instances, and may have no more`);
      }
      const next = this.#record(name, template).next;
      index = options.index ?? next;
      if (!parseName(`${name}${index}.`)?.indices[indices.length]) {
        throw new ParameterError("value", `"${name}": an instance's number is from 1 to 999999999`);
      }
      if (rows.includes(index)) throw new ParameterError("value", `"${name}${index}." is there already`);
      const row = this.#change("add", `${name}${index}.`, template, [...indices, index]);
      const values = Object.entries(options.values ?? {}).map((
        [part, value],
      ) => [`${name}${index}.${part}`, value]);
      return [row, ...this.#plan(Object.fromEntries(values), writer, new Set([row.name])).changes];
    }, writer);
    return index;
  }

  /** Removes an instance of a table, `InternetGatewayDevice.LANDevice.2.`, with everything in it. */
  async remove(object: string, writer: Writer): Promise<void> {
    await this.#commit(() => {
      const { name, template, indices } = this.#object(object);
      if (!isTable(template)) throw new ParameterError("unknown", `"${name}" is no instance of a table`);
      this.#mayChange(parentOf(name), template, writer);
      return this.#removal(name, template, indices);
    }, writer);
  }

  /**
   * Restores factory presets, of what this writer may (reference §9): the management system all but what is the app
   * platform's; the app platform its own, and of what is shared only the access control of attached terminals.
   * Whatever is told to keep its values keeps them. Resolves with how many parameters and instances changed.
   */
  async restore(writer: Writer): Promise<number> {
    let count = 0;
    await this.#commit(() => {
      const changes = this.#restoration(sourceOf(writer));
      count = changes.length;
      return changes;
    }, writer);
    return count;
  }

  /**
   * Takes a configuration over: writes what this writer may and leaves out the rest, and what keeps its values
   * whatever is loaded, and what is so already. Instances that are missing are added where that can be done. A value that is not one of its
   * parameter's, or a name that is unknown, refuses the whole.
   */
  async load(values: Readonly<Record<string, unknown>>, writer: Writer): Promise<ImportReport> {
    const skipped: ParameterFault[] = [];
    let written = 0;
    await this.#commit(async () => {
      const rows = this.#missingRows(Object.keys(values), writer);
      const added = new Set(rows.map(({ name }) => name));
      const { changes } = this.#plan(values, writer, added, skipped);
      const news: Planned[] = [];
      for (const change of changes) if (!await this.#isSo(change, added)) news.push(change);
      written = news.length;
      return [...rows, ...news];
    }, writer);
    return { written, skipped };
  }

  /**
   * Brings what was written earlier into force, once everything is bound after a start. Answers what could not be,
   * which stays written.
   */
  enforce(): Promise<ParameterFault[]> {
    return this.#inTurn(async () => {
      const faults: ParameterFault[] = [];
      for (const changes of this.#written()) {
        try {
          await this.#bindings.apply(changes);
        } catch (error) {
          faults.push({ name: changes[0]!.name, code: "apply", message: messageOf(error) });
        }
      }
      return faults;
    });
  }

  /** Ties a parameter's, an object's or a table's template to the machine. */
  bind(template: string, binding: Binding): Disposable {
    if (!this.model.parameter(template) && !this.model.object(template)) {
      throw new TypeError(`"${template}" is not defined`);
    }
    return this.#bindings.bind(template, binding);
  }

  /** Tells of each value that changed, and of instances, once they are on the disk. `prefix`: as in a name. */
  watch(prefix: string, listener: (change: ParameterChange) => void): Disposable {
    const watcher = { prefix, listener };
    this.#watchers.add(watcher);
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }

  /** The sequence number of the latest write. */
  get sequence(): number {
    return this.#sequence;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue;
    await this.#writer.idle();
  }

  /** Plans in turn, brings into force, and waits for the disk together with others. */
  async #commit(plan: () => Planned[] | Promise<Planned[]>, writer: Writer): Promise<void> {
    const { saved, changes } = await this.#inTurn(async () => {
      const stamp = this.#stamp(writer);
      const changes = (await plan()).map((change) => ({ ...change, ...stamp }));
      await this.#bindings.apply(changes);
      const undo = this.#take(changes);
      // What changes nothing may repeat what is still on its way to the disk.
      return { changes, saved: undo ? this.#saved(changes, undo) : this.#writer.pending };
    });
    await saved;
    this.#tell(changes);
  }

  /** Waits for the disk; where it fails, everything is as before. */
  async #saved(changes: readonly ParameterChange[], undo: () => void): Promise<void> {
    try {
      await this.#writer.save();
    } catch (error) {
      await this.#inTurn(async () => {
        undo();
        // A later write may have taken what was refused here to the disk with it.
        this.#writer.save().catch(() => {});
        await this.#bindings.undo(changes);
      });
      throw error;
    }
  }

  /** Puts changes into memory. Undefined: nothing that the disk would have to know. */
  #take(changes: readonly ParameterChange[]): (() => void) | undefined {
    const back: (() => void)[] = [];
    for (const change of changes) {
      const { kind, name, template, value, source, by, time, sequence } = change;
      if (kind === "set") {
        const old = this.#entries.get(name);
        if (old?.value === value && old?.source === source && old.by === by) continue;
        if (old === undefined && value === undefined) continue;
        if (value === undefined) this.#entries.delete(name);
        else this.#entries.set(name, { value, source, ...(by === undefined ? {} : { by }), time, sequence });
        back.push(() => {
          const now = this.#entries.get(name);
          if (now !== undefined && now.sequence !== sequence) return; // written again since
          if (old) this.#entries.set(name, old);
          else this.#entries.delete(name);
        });
      } else {
        const table = parentOf(name), index = change.indices.at(-1)!;
        const known = this.#tables.get(table), record = structuredClone(this.#record(table, template));
        if (kind === "add") {
          record.rows = [...record.rows, index].sort((a, b) => a - b);
          record.next = Math.max(record.next, index + 1);
        } else record.rows = record.rows.filter((row) => row !== index);
        this.#tables.set(table, record);
        back.push(() => {
          if (known) this.#tables.set(table, known);
          else this.#tables.delete(table);
        });
      }
    }
    if (back.length === 0) return undefined;
    this.#sequence = Math.max(this.#sequence, ...changes.map(({ sequence }) => sequence));
    return () => back.reverse().forEach((undo) => undo());
  }

  #tell(changes: readonly ParameterChange[]): void {
    for (const change of changes) {
      if (change.kind === "set" && change.value === change.before) continue;
      for (const { prefix, listener } of [...this.#watchers]) {
        const touched = change.name === prefix || prefix === "" ||
          (prefix.endsWith(".") && change.name.startsWith(prefix)) ||
          (change.name.endsWith(".") && prefix.startsWith(change.name));
        if (!touched) continue;
        try {
          listener(change);
        } catch (error) {
          this.deps.log.error("a watcher of parameters failed", {
            name: change.name,
            reason: messageOf(error),
          });
        }
      }
    }
  }

  /** What was written and has something to bring it into force, by that. */
  #written(): Iterable<ParameterChange[]> {
    const groups = new Map<Binding, ParameterChange[]>();
    for (const [name, entry] of this.#entries) {
      const { template, indices } = parseName(name)!, binding = this.#bindings.find(template, "apply");
      if (!binding) continue;
      const { value } = entry;
      const change: ParameterChange = {
        kind: "set",
        name,
        template,
        indices,
        value,
        before: value,
        ...stampOf(entry),
      };
      const group = groups.get(binding);
      if (group) group.push(change);
      else groups.set(binding, [change]);
    }
    return groups.values();
  }

  /** What writing these values changes. `skipped`: takes what this writer may not write, instead of a fault for it. */
  #plan(
    values: Readonly<Record<string, unknown>>,
    writer: Writer,
    added: ReadonlySet<string> = new Set(),
    skipped?: ParameterFault[],
  ): { changes: Planned[] } {
    const names = Object.keys(values), faults: ParameterFault[] = [];
    if (names.length > MOST_VALUES) {
      throw new ParameterError("limit", `more than ${MOST_VALUES} values at once`);
    }
    const changes: Planned[] = [];
    for (const name of names) {
      // What is passed over need not be there: the app platform's instances are not the management system's to add.
      const known = skipped ? this.model.parameter(parseName(name)?.template ?? "") : undefined;
      try {
        const found = known ?? this.#described(name, added);
        const refusal = this.#refusal(name, found, sourceOf(writer), skipped !== undefined);
        if (refusal) {
          (skipped ?? faults).push(refusal);
          continue;
        }
        const { template, indices } = this.#described(name, added);
        const value = this.#read(name, found, values[name]);
        changes.push({
          ...this.#change("set", name, template, indices),
          value,
          before: this.#value(name),
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
    return { changes };
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
    if (definition.backed && !this.#bindings.find(template, "apply")) {
      return { name, code: "unavailable", message: `"${name}" can't be set on this machine` };
    }
    return undefined;
  }

  #mayChange(table: string, template: string, writer: Writer): void {
    const source = sourceOf(writer), object = this.model.object(template)!;
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
    for (const [entry, { value }] of this.#entries) {
      if (!entry.startsWith(name)) continue;
      const parsed = parseName(entry)!;
      changes.push({ ...this.#change("set", entry, parsed.template, parsed.indices), before: value });
    }
    for (const [table, { rows }] of this.#tables) {
      if (!table.startsWith(name)) continue;
      const parsed = parseName(table)!;
      for (const row of rows) {
        changes.push(
          this.#change("remove", `${table}${row}.`, `${parsed.template}{i}.`, [...parsed.indices, row]),
        );
      }
    }
    changes.push(this.#change("remove", name, template, indices));
    return changes;
  }

  #restoration(source: Source): Planned[] {
    const mine = (template: string, owner: Owner) => {
      const parameter = this.model.parameter(template);
      const object = parameter?.object ?? this.model.object(template);
      if (!object || object.sticky) return false;
      if (source === "system") return true;
      if (source === "itms") return owner !== "app";
      return owner === "app" || (owner === "shared" && object.appRestores === true);
    };
    const changes: Planned[] = [], gone = new Set<string>();
    for (const [table, { rows }] of this.#tables) {
      const parsed = parseName(table)!, template = `${parsed.template}{i}.`;
      const object = this.model.object(template);
      if (!object?.table || !mine(template, object.owner)) continue;
      const initial = Array.from({ length: object.table.initial ?? 0 }, (_, i) => i + 1);
      for (const row of rows.filter((row) => !initial.includes(row))) {
        const name = `${table}${row}.`;
        if ([...gone].some((above) => name.startsWith(above))) continue;
        gone.add(name);
        changes.push(...this.#removal(name, template, [...parsed.indices, row]));
      }
      for (const row of initial.filter((row) => !rows.includes(row))) {
        changes.push(this.#change("add", `${table}${row}.`, template, [...parsed.indices, row]));
      }
    }
    for (const [name, { value: before }] of this.#entries) {
      const parsed = parseName(name)!, described = this.model.parameter(parsed.template);
      if (!described || !mine(parsed.template, described.owner)) continue;
      if ([...gone].some((above) => name.startsWith(above))) continue;
      const value = this.#preset(name, described);
      // Of what the factory never said, nothing can be restored but on paper.
      if (value === undefined && described.definition.backed) continue;
      changes.push({ ...this.#change("set", name, parsed.template, parsed.indices), value, before });
    }
    return changes;
  }

  /** Instances that names speak of and that are not there, as far as this writer may add them. */
  #missingRows(names: readonly string[], writer: Writer): Planned[] {
    const rows = new Map<string, Planned>();
    for (const name of names.slice(0, MOST_VALUES)) {
      const parsed = parseName(name);
      if (!parsed || !this.model.parameter(parsed.template)) continue;
      const segments = name.split(".");
      for (let i = 1, depth = 0; i < segments.length; i++) {
        if (!/^[1-9]\d*$/.test(segments[i]!)) continue;
        const indices = parsed.indices.slice(0, ++depth), index = indices.at(-1)!;
        const table = segments.slice(0, i).join(".") + ".", row = `${table}${index}.`;
        const template = `${parseName(table)!.template}{i}.`;
        if (rows.has(row) || this.#instances(table, template, indices.slice(0, -1)).includes(index)) continue;
        try {
          this.#mayChange(table, template, writer);
        } catch {
          break; // its parameters are found missing, with a name
        }
        const { max } = this.model.object(template)!.table!;
        const now = this.#instances(table, template, indices.slice(0, -1)).length;
        const more = [...rows.values()].filter((change) => parentOf(change.name) === table).length;
        if (now + more >= max) {
          throw new ParameterError("limit", `"${table}" may have no more than ${max} instances`);
        }
        rows.set(row, this.#change("add", row, template, indices));
      }
    }
    return [...rows.values()];
  }

  /** Whether a value is so already, on the machine too where that tells. */
  async #isSo({ name, template, indices, value }: Planned, added: ReadonlySet<string>): Promise<boolean> {
    if ([...added].some((row) => name.startsWith(row))) return false;
    try {
      return await this.#live(name, template, indices) === value;
    } catch {
      return false;
    }
  }

  #change(kind: Planned["kind"], name: string, template: string, indices: readonly number[]): Planned {
    return { kind, name, template, indices };
  }

  async #live(
    name: string,
    template: string,
    indices: readonly number[],
  ): Promise<ParameterValue | undefined> {
    const described = this.model.parameter(template)!;
    const { counts } = described.definition;
    if (counts !== undefined) return this.instances(`${parentOf(name)}${counts}.`).length;
    const binding = this.#bindings.find(template, "read");
    if (!binding) return this.#value(name);
    try {
      return await binding.read({ name, template, indices }) ?? this.#value(name);
    } catch (error) {
      throw new ParameterError("unavailable", `"${name}" can't be read: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  #value(name: string): ParameterValue | undefined {
    const entry = this.#entries.get(name);
    if (entry) return entry.value;
    const parsed = parseName(name)!;
    return this.#preset(name, this.model.parameter(parsed.template)!);
  }

  #preset(name: string, { definition }: Described): ParameterValue | undefined {
    return Object.hasOwn(this.#presets, name) ? this.#presets[name] : definition.default;
  }

  /** `added`: instances that are on their way. */
  #described(
    name: string,
    added?: ReadonlySet<string>,
  ): Described & { readonly indices: readonly number[] } {
    const parsed = parseName(name), found = parsed && this.model.parameter(parsed.template);
    if (!found || !this.#exists(parentOf(name), added)) throw unknown(name);
    return { ...found, indices: parsed.indices };
  }

  #object(name: string): { name: string; template: string; indices: readonly number[] } {
    const parsed = name.endsWith(".") ? parseName(name) : undefined;
    const known = parsed && [...this.model.objects()].some(({ path }) => path.startsWith(parsed.template));
    if (!known || !this.#exists(name)) throw unknown(name);
    return { name, ...parsed };
  }

  #table(table: string): { name: string; template: string; indices: readonly number[] } {
    const name = table.replace(/\{i\}\.$/, "");
    const parsed = name.endsWith(".") ? parseName(name) : undefined, template = `${parsed?.template}{i}.`;
    if (!parsed || !this.model.object(template) || !this.#exists(name)) throw unknown(table);
    return { name, template, indices: parsed.indices };
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
            this.#instances(table, template, indices).includes(index));
        if (!there) return false;
        indices.push(index);
      }
      at += `.${segment}`;
    }
    return true;
  }

  #instances(table: string, template: string, indices: readonly number[]): readonly number[] {
    const bound = this.#bindings.find(template, "instances");
    return bound ? bound.instances(indices) : this.#record(table, template).rows;
  }

  #record(table: string, template: string): Table {
    const initial = this.model.object(template)?.table?.initial ?? 0;
    return this.#tables.get(table) ??
      { next: initial + 1, rows: Array.from({ length: initial }, (_, i) => i + 1) };
  }

  /** All combinations of instances that a template stands for, those that begin as `wanted` does. */
  #rows(template: string, wanted: readonly number[]): number[][] {
    const pieces = template.split("{i}");
    let found: number[][] = [[]];
    for (let depth = 0; depth < pieces.length - 1; depth++) {
      const above = pieces.slice(0, depth + 1).join("{i}");
      found = found.flatMap((indices) => {
        const all = this.#instances(nameOf(above, indices), `${above}{i}.`, indices);
        return all.filter((index) => wanted[depth] === undefined || wanted[depth] === index)
          .map((index) => [...indices, index]);
      });
    }
    return found;
  }

  /** Of what is in a file, what is still defined and a value of its parameter. */
  *#fit(values: StoredTree["values"]): Iterable<[string, Entry]> {
    for (const [name, entry] of Object.entries(values)) {
      const parsed = parseName(name), found = parsed && this.model.parameter(parsed.template);
      try {
        if (found) yield [name, { ...entry, value: valueOf(found.definition, entry.value) }];
        else this.deps.log.warn("a parameter in the file is not known any more", { name });
      } catch (error) {
        this.deps.log.warn("a parameter in the file is at its factory preset", {
          name,
          reason: messageOf(error),
        });
      }
    }
  }

  #stored(): StoredTree {
    return {
      sequence: this.#sequence,
      presets: this.#presets,
      values: Object.fromEntries(this.#entries),
      tables: Object.fromEntries(this.#tables),
    };
  }

  #stamp(writer: Writer): Stamp {
    const { source, by } = typeof writer === "string" ? { source: writer, by: undefined } : writer;
    return {
      source,
      ...(by === undefined ? {} : { by }),
      time: this.deps.clock.now(),
      sequence: this.#sequence + 1,
    };
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }
}

const BELONGS: Readonly<Record<Owner, string>> = {
  itms: "belongs to the management system",
  app: "belongs to the app platform",
  shared: "belongs to both",
};

function sourceOf(writer: Writer): Source {
  return typeof writer === "string" ? writer : writer.source;
}

function stampOf({ source, by, time, sequence }: Stamp): Stamp {
  return { source, ...(by === undefined ? {} : { by }), time, sequence };
}

function unknown(name: string): ParameterError {
  return new ParameterError("unknown", `no parameter "${name.slice(0, 300)}"`);
}
