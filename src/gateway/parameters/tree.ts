/**
 * The parameter tree: what is set on this gateway, by whom it may be, and who did.
 *
 * @module
 */
import { type Clock, type Log, messageOf, withTimeout } from "../../base/mod.ts";
import { type Binding, Bindings, type ParameterChange, parentOf } from "./binding.ts";
import { Contents, unknown } from "./contents.ts";
import { type Area, type Owner, type ParameterType, type ParameterValue, type Source } from "./definition.ts";
import { ParameterError, type ParameterFault } from "./errors.ts";
import { compareNames, Model, nameOf, parseName } from "./model.ts";
import { type Planned, Planner } from "./planner.ts";
import { readTree, type Stamp, type StoredTree, TreeWriter } from "./store.ts";

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

/** The longest that the machine may take to tell a value, in milliseconds. */
const READ_MS = 10_000;

/** All parameters of a gateway. Names are those of TR-098; unknown ones throw ParameterError `unknown`. */
export class ParameterTree implements AsyncDisposable {
  readonly model: Model;
  readonly #contents: Contents;
  readonly #planner: Planner;
  readonly #bindings: Bindings;
  readonly #writer: TreeWriter;
  readonly #watchers = new Set<{ prefix: string; listener: (change: ParameterChange) => void }>();
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly deps: { readonly clock: Clock; readonly log: Log },
    { areas, path, presets = {} }: ParameterOptions,
    stored: StoredTree | undefined,
  ) {
    this.model = new Model(areas);
    for (const name of Object.keys(presets)) this.shape(name);
    this.#bindings = new Bindings(deps.clock);
    this.#contents = new Contents(this.model, this.#bindings, presets, deps.log, stored);
    this.#planner = new Planner(this.#contents, this.#bindings);
    this.#writer = new TreeWriter(path, () => this.#contents.stored());
  }

  /** Reads the tree, or starts it. Throws TypeError or ParameterError where definitions or presets are at fault. */
  static async open(
    deps: { readonly clock: Clock; readonly log: Log },
    options: ParameterOptions,
  ): Promise<ParameterTree> {
    const stored = options.path === undefined ? undefined : await readTree(options.path, deps.log);
    const tree = new ParameterTree(deps, options, stored);
    if (stored && JSON.stringify(stored.presets) !== JSON.stringify(options.presets ?? {})) {
      await tree.#writer.save();
    }
    return tree;
  }

  /** The value that was written, else the factory's; undefined where there is neither. Does not ask the machine. */
  peek(name: string): ParameterValue | undefined {
    this.#contents.described(name);
    return this.#contents.value(name);
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
    const { definition, owner } = this.#contents.described(name);
    return { owner, access: definition.access, secret: definition.secret === true };
  }

  /** Who wrote the value, and when; undefined while it is the factory's. */
  stamp(name: string): Stamp | undefined {
    this.#contents.described(name);
    const entry = this.#contents.entries.get(name);
    return entry && stampOf(entry);
  }

  /** A parameter as it is now, live where the machine tells. `secrets`: as they are, not empty. */
  async get(name: string, options: { readonly secrets?: boolean } = {}): Promise<ParameterView> {
    const { definition, owner, template, indices } = this.#contents.described(name);
    const written = this.#contents.entries.get(name);
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
      this.#contents.described(prefix);
      return [prefix];
    }
    const wanted = prefix === "" ? undefined : this.#contents.object(prefix);
    const found: string[] = [];
    for (const object of this.model.objects()) {
      if (object.hidden && !hidden) continue;
      const parts = Object.keys(object.parameters);
      if (wanted && !object.path.startsWith(wanted.template)) continue;
      for (const indices of this.#contents.rows(object.path, wanted?.indices ?? [])) {
        const path = nameOf(object.path, indices);
        for (const part of parts) found.push(path + part);
      }
    }
    found.sort(compareNames);
    return after === undefined ? found : found.filter((name) => compareNames(name, after) > 0);
  }

  /** Looks at the machine for the instances that it has: before names are listed that are to be up to date. */
  refresh(): Promise<void> {
    return this.#bindings.refresh();
  }

  /** The numbers of a table's instances; its name as `InternetGatewayDevice.LANDevice.` or with `{i}.` behind it. */
  instances(table: string): readonly number[] {
    const { name, template, indices } = this.#contents.table(table);
    return this.#contents.instances(name, template, indices);
  }

  /**
   * Writes values, all or none; resolves when they are in force and on the disk. Throws ParameterError with a fault
   * for each parameter that is at fault.
   */
  async set(values: Readonly<Record<string, unknown>>, writer: Writer): Promise<void> {
    await this.#commit((source) => this.#planner.values(values, source), writer);
  }

  /** Adds an instance to a table, perhaps with values by parameter name (`SSID`); resolves with its number. */
  async add(
    table: string,
    writer: Writer,
    options: { readonly values?: Readonly<Record<string, unknown>>; readonly index?: number } = {},
  ): Promise<number> {
    let index = 0;
    await this.#commit((source) => {
      const planned = this.#planner.addition(table, source, options.values ?? {}, options.index);
      index = planned.index;
      return planned.changes;
    }, writer);
    return index;
  }

  /** Removes an instance of a table, `InternetGatewayDevice.LANDevice.2.`, with everything in it. */
  async remove(object: string, writer: Writer): Promise<void> {
    await this.#commit((source) => this.#planner.removal(object, source), writer);
  }

  /**
   * Gives a table these rows, with values by the last part of their names, numbered from 1, and no others; perhaps with
   * other values in the same write. What a row does not name keeps the value that the row of its number had.
   */
  async replace(
    table: string,
    rows: readonly Readonly<Record<string, unknown>>[],
    writer: Writer,
    values: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    await this.#commit((source) => [
      ...this.#planner.replacement(table, source, rows),
      ...this.#planner.values(values, source),
    ], writer);
  }

  /**
   * Restores factory presets, of what this writer may (reference §9): the management system all but what is the app
   * platform's; the app platform its own, and of what is shared only the access control of attached terminals.
   * Whatever is told to keep its values keeps them. Resolves with how many parameters and instances changed.
   */
  async restore(writer: Writer): Promise<number> {
    let count = 0;
    await this.#commit((source) => {
      const changes = this.#planner.restoration(source);
      count = changes.length;
      return changes;
    }, writer);
    return count;
  }

  /**
   * Takes a configuration over: writes what this writer may and leaves out the rest, and what keeps its values
   * whatever is loaded, and what is so already. Instances that are missing are added where that can be done. A value
   * that is not one of its parameter's, or a name that is unknown, refuses the whole.
   */
  async load(values: Readonly<Record<string, unknown>>, writer: Writer): Promise<ImportReport> {
    const skipped: ParameterFault[] = [];
    let written = 0;
    await this.#commit(async (source) => {
      const rows = this.#planner.missingRows(Object.keys(values), source);
      const added = new Set(rows.map(({ name }) => name));
      const changes = this.#planner.values(values, source, added, skipped);
      const so = await Promise.all(changes.map((change) => this.#isSo(change, added)));
      const news = changes.filter((_, i) => !so[i]);
      written = news.length;
      return [...rows, ...news];
    }, writer);
    return { written, skipped };
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
    return this.#contents.sequence;
  }

  /** The clock that stamps writes. */
  get clock(): Clock {
    return this.deps.clock;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue;
    await this.#writer.idle();
  }

  /** Plans in turn, brings into force, and waits for the disk together with others. */
  async #commit(
    plan: (source: Source) => Planned[] | Promise<Planned[]>,
    writer: Writer,
  ): Promise<void> {
    const { saved, changes } = await this.#inTurn(async () => {
      const stamp = this.#stamp(writer);
      const changes = (await plan(stamp.source)).map((change) => ({ ...change, ...stamp }));
      await this.#bindings.apply(changes, (late) => void this.#correct(late));
      const undo = this.#contents.take(changes);
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
        await this.#bindings.apply(this.#contents.corrections(changes)).catch(() => {});
      });
      throw error;
    }
  }

  /** Has the machine be as the tree is, after it did late what was given up. */
  async #correct(late: readonly ParameterChange[]): Promise<void> {
    try {
      await this.#inTurn(() => this.#bindings.apply(this.#contents.corrections(late)));
    } catch (error) {
      this.deps.log.error("what came into force too late could not be taken back", {
        names: late.map(({ name }) => name).join(" "),
        reason: messageOf(error),
      });
    }
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

  /** Whether a value is so already, on the machine too where that tells. */
  async #isSo({ name, template, indices, value }: Planned, added: ReadonlySet<string>): Promise<boolean> {
    if ([...added].some((row) => name.startsWith(row))) return false;
    try {
      return await this.#live(name, template, indices) === value;
    } catch {
      return false;
    }
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
    if (!binding) return this.#contents.value(name);
    try {
      const reading = (async () => await binding.read({ name, template, indices }))();
      const late = () => new Error(`the machine did not tell within ${READ_MS / 1000} s`);
      return await withTimeout(this.deps.clock, reading, READ_MS, late) ?? this.#contents.value(name);
    } catch (error) {
      throw new ParameterError("unavailable", `"${name}" can't be read: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  #stamp(writer: Writer): Stamp {
    const { source, by } = typeof writer === "string" ? { source: writer, by: undefined } : writer;
    return {
      source,
      ...(by === undefined ? {} : { by }),
      time: this.deps.clock.now(),
      sequence: this.#contents.sequence + 1,
    };
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }
}

function stampOf({ source, by, time, sequence }: Stamp): Stamp {
  return { source, ...(by === undefined ? {} : { by }), time, sequence };
}
