/**
 * `parameters`: what plug-ins may read and write of the tree, which is what their manifests declare and their source
 * lets them. What is hidden has to be declared by its own name: a path above it does not cover it. Passwords read as
 * empty.
 *
 * @module
 */
import { TokenBucket } from "../../base/mod.ts";
import {
  type Capabilities,
  declaredFor,
  type HostCall,
  type HostFunction,
  type Json,
} from "../../sandbox/mod.ts";
import type { ParameterChange } from "./binding.ts";
import { ParameterError } from "./errors.ts";
import type { ParameterFeed } from "./feed.ts";
import { parseName } from "./model.ts";
import type { ParameterTree, Writer } from "./tree.ts";
import { writerOf } from "./writer.ts";

/** The most parameters that one call reads or writes. */
const MOST = 500;
/** Writes a second of one plug-in on average, and at once: the disk may be flash, which wears. */
const WRITES_PER_SECOND = 2, WRITES_AT_ONCE = 30;
/** How many calls of one instance of a plug-in may wait for changes. */
const MOST_WAITS = 4;
/** Plug-ins whose writes are counted: more than a gateway takes. */
const MOST_BUDGETS = 200;
/** The longest wait, in milliseconds: a day. */
const LONGEST_MS = 86_400_000;

type Access = "read" | "write";

/** The functions. */
export function parameterFunctions(tree: ParameterTree, feed: ParameterFeed): Capabilities {
  const hidden = [...tree.model.objects()].filter((object) => object.hidden).map(({ path }) => path);
  /** Whether the manifest declares it. */
  const declares = ({ manifest }: HostCall, access: Access, name: string): boolean => {
    const path = declaredFor(manifest.parameters, access, name);
    if (path === undefined) return false;
    const template = parseName(name)?.template ?? "";
    const veil = hidden.find((object) => template.startsWith(object));
    if (veil === undefined) return true;
    const { read = [], write = [] } = manifest.parameters ?? {};
    return [...write, ...(access === "read" ? read : [])].some((declared) =>
      declared.startsWith(veil) && (declared.endsWith(".") ? name.startsWith(declared) : name === declared)
    );
  };
  const check = (call: HostCall, access: Access, name: Json | undefined): string => {
    if (typeof name !== "string" || name.length > 256) throw new Error("name: a parameter's name");
    if (!declares(call, access, name)) {
      throw new Error(`"${name}" is not among the parameters in the manifest that it may ${access}`);
    }
    return name;
  };
  const budgets = new Map<string, TokenBucket>();
  /** In whose name it writes, if it may so soon. */
  const writer = (call: HostCall): Writer => {
    const { plugin } = call;
    let budget = budgets.get(plugin);
    if (!budget) {
      if (budgets.size >= MOST_BUDGETS) budgets.delete(budgets.keys().next().value!);
      budgets.set(plugin, budget = new TokenBucket(tree.clock, WRITES_PER_SECOND, WRITES_AT_ONCE));
    }
    if (!budget.take()) {
      throw new Error(`more than ${WRITES_PER_SECOND} writes of parameters a second: write less`);
    }
    return writerOf(call);
  };
  /** Names beneath a prefix that it may read. */
  const namesOf = (call: HostCall, prefix: string): string[] =>
    tree.names({ prefix, hidden: hidden.some((path) => prefix.startsWith(path)) })
      .filter((name) => declares(call, "read", name));
  const values = async (names: readonly string[]): Promise<Record<string, Json>> => {
    if (names.length > MOST) throw new Error(`${names.length} parameters: ${MOST} at once at most`);
    const found: Record<string, Json> = Object.create(null);
    for (const name of names) found[name] = (await tree.get(name)).value ?? null;
    return found;
  };

  const waits = new Map<number, number>();
  const changes: HostFunction = async ([after], call) => {
    const wanted = (change: ParameterChange) => declares(call, "read", change.name);
    if (after === undefined || after === null) {
      return { ...feed.since(tree.sequence, () => false), changes: [] };
    }
    if (typeof after !== "number") {
      throw new Error("after: the sequence number of the call before, or nothing");
    }
    const count = waits.get(call.guest) ?? 0;
    if (count >= MOST_WAITS) throw new Error(`${MOST_WAITS} calls wait for changes already`);
    waits.set(call.guest, count + 1);
    try {
      const found = await feed.next(after, wanted, call.signal);
      return { ...found, changes: found.changes.map((change) => shown(tree, change)) };
    } finally {
      if (count === 0 || waits.get(call.guest) === 1) waits.delete(call.guest);
      else waits.set(call.guest, waits.get(call.guest)! - 1);
    }
  };

  return {
    "parameters": {
      /** `[name]`: its value, null where nobody knows one. */
      "parameters.get": async ([name], call) => (await tree.get(check(call, "read", name))).value ?? null,
      /** `[names]`: the values by name. A name that ends with a dot stands for all beneath it. */
      "parameters.values": async ([names], call) => {
        if (!Array.isArray(names)) throw new Error("names: a list");
        await tree.refresh();
        const wanted = names.slice(0, MOST + 1).flatMap((name) =>
          typeof name === "string" && name.endsWith(".") ? namesOf(call, name) : [check(call, "read", name)]
        );
        return await values([...new Set(wanted)]);
      },
      /** `[prefix]`: names beneath it, of those that are declared. */
      "parameters.names": async ([given], call) => {
        const prefix = given ?? ""; // an undefined of the plug-in's comes as null
        if (typeof prefix !== "string") throw new Error("prefix: a text");
        await tree.refresh();
        return namesOf(call, prefix);
      },
      /** `[values]`: writes them by name, all or none. */
      "parameters.set": async ([given], call) => {
        if (typeof given !== "object" || given === null || Array.isArray(given)) {
          throw new Error("values: an object, by name");
        }
        const names = Object.keys(given);
        if (names.length > MOST) throw new Error(`${names.length} parameters: ${MOST} at once at most`);
        for (const name of names) check(call, "write", name);
        await told(tree.set(given, writer(call)));
        return undefined;
      },
      /** `[table, values]`: adds an instance, perhaps with values by the last part of their names; its number. */
      "parameters.add": async ([table, given], call) => {
        const name = check(call, "write", table), values = given ?? {};
        if (typeof values !== "object" || Array.isArray(values)) {
          throw new Error("values: an object, by the last part of the name");
        }
        return await told(tree.add(name, writer(call), { values }));
      },
      /** `[name]`: removes an instance. */
      "parameters.remove": async ([name], call) => {
        await told(tree.remove(check(call, "write", name), writer(call)));
        return undefined;
      },
      /** `[after]`: waits for changes after this sequence number; without one, only says what it is now. */
      "parameters.changes": Object.assign(changes, { maxMs: LONGEST_MS }),
    },
  };
}

/** A change as a plug-in is told of it. */
function shown(tree: ParameterTree, change: ParameterChange): Record<string, Json> {
  const { kind, name, template, source, by, time, sequence } = change;
  const secret = tree.model.parameter(template)?.definition.secret;
  const value = secret ? "" : change.value ?? null;
  return { kind, name, ...(kind === "set" && { value }), source, by: by ?? null, time, sequence };
}

/** With every fault in the message, since that is all that a plug-in gets of an error. */
async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ParameterError) || error.faults.length < 2) throw error;
    throw new Error(error.faults.slice(0, 10).map(({ message }) => message).join("; "), { cause: error });
  }
}
