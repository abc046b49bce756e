/**
 * What binds parameters to the machine: how a live value is read, and how a new one is brought into force.
 *
 * @module
 */
import { type Clock, messageOf, withTimeout } from "../../base/mod.ts";
import type { ParameterValue } from "./definition.ts";
import { ParameterError } from "./errors.ts";
import type { Stamp } from "./store.ts";

/** The longest that bringing a change into force may take, in milliseconds. */
const APPLY_MS = 60_000;

/** The longest that a look at the machine may take, in milliseconds. */
const REFRESH_MS = 5_000;

/** Something that is to change, or has. */
export interface ParameterChange extends Stamp {
  /** A value was set; an instance of a table was added or removed (then `name` ends with its number and a dot). */
  readonly kind: "set" | "add" | "remove";
  readonly name: string;
  /** The name with `{i}` for each number. */
  readonly template: string;
  readonly indices: readonly number[];
  /** The new value; undefined for instances, and where it is unknown again. */
  readonly value?: ParameterValue | undefined;
  readonly before?: ParameterValue | undefined;
}

/** Ties a parameter, or all in an object, to the machine. */
export interface Binding {
  /** The live value; undefined where the machine does not tell: then what was last written counts. */
  readonly read?: (
    parameter: { readonly name: string; readonly template: string; readonly indices: readonly number[] },
  ) => ParameterValue | undefined | Promise<ParameterValue | undefined>;
  /**
   * Brings changes into force, all that one write has for this binding; throws where that can't be done, and then
   * nothing is kept. Must not write parameters itself. May be called with the reverse of what it did before, where
   * something else in the same write failed.
   */
  readonly apply?: (changes: readonly ParameterChange[]) => void | Promise<void>;
  /** Of a table whose instances are what the machine has: their numbers. */
  readonly instances?: (indices: readonly number[]) => readonly number[];
  /** Looks at the machine anew, so that `instances` is up to date; called before names are listed. */
  readonly refresh?: () => Promise<void>;
}

/** The bindings by template. */
export class Bindings {
  readonly #byPath = new Map<string, Binding>();

  constructor(private readonly clock: Clock) {}

  /** Throws TypeError where the path is bound already. */
  bind(path: string, binding: Binding): Disposable {
    if (this.#byPath.has(path)) throw new TypeError(`"${path}" is bound already`);
    this.#byPath.set(path, binding);
    return {
      [Symbol.dispose]: () => {
        if (this.#byPath.get(path) === binding) this.#byPath.delete(path);
      },
    };
  }

  /** Has everything bound look at the machine anew. What fails, or takes too long, is as it was. */
  async refresh(): Promise<void> {
    const looks = new Set([...this.#byPath.values()].map(({ refresh }) => refresh));
    await Promise.all(
      [...looks].map((look) =>
        look && withTimeout(this.clock, look(), REFRESH_MS, () => new Error("too long")).catch(() => {})
      ),
    );
  }

  /** What is bound to the template itself or to the nearest object above it, and has this part. */
  find<Part extends keyof Binding>(
    template: string,
    part: Part,
  ): (Binding & Required<Pick<Binding, Part>>) | undefined {
    for (let path = template; path !== ""; path = parentOf(path)) {
      const binding = this.#byPath.get(path);
      if (binding?.[part]) return binding as Binding & Required<Pick<Binding, Part>>;
    }
    return undefined;
  }

  /**
   * Brings changes into force, or none of them. Throws ParameterError `apply`. `late`: called with changes that were
   * given up, once whatever was bound to them is done with them: they may be in force then, or be the last that were.
   */
  async apply(
    changes: readonly ParameterChange[],
    late: (changes: readonly ParameterChange[]) => void = () => {},
  ): Promise<void> {
    const groups = new Map<Required<Pick<Binding, "apply">>, ParameterChange[]>();
    for (const change of changes) {
      const binding = this.find(change.template, "apply");
      if (!binding) continue;
      const group = groups.get(binding);
      if (group) group.push(change);
      else groups.set(binding, [change]);
    }
    const done: [Required<Pick<Binding, "apply">>, ParameterChange[]][] = [];
    for (const [binding, group] of groups) {
      try {
        await this.#run(binding, group, late);
        done.push([binding, group]);
      } catch (error) {
        for (const [undone, its] of done.reverse()) {
          await this.#run(undone, reversed(its), late).catch(() => {});
        }
        if (error instanceof ParameterError) throw error;
        throw new ParameterError("apply", messageOf(error), { cause: error });
      }
    }
  }

  #run(
    { apply }: Required<Pick<Binding, "apply">>,
    changes: readonly ParameterChange[],
    late: (changes: readonly ParameterChange[]) => void,
  ): Promise<void> {
    const applying = (async () => await apply(changes))();
    return withTimeout(this.clock, applying, APPLY_MS, () => {
      applying.catch(() => {}).then(() => late(changes));
      return new ParameterError("apply", `not in force after ${APPLY_MS / 1000} s`);
    });
  }
}

/** The object above a name or a template; empty where there is none. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf(".", path.length - 2) + 1);
}

function reversed(changes: readonly ParameterChange[]): ParameterChange[] {
  const kinds = { set: "set", add: "remove", remove: "add" } as const;
  return changes.toReversed().map((change) => ({
    ...change,
    kind: kinds[change.kind],
    value: change.before,
    before: change.value,
  }));
}
