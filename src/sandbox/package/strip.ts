/**
 * TypeScript to JavaScript by taking the types out: each is replaced by blanks, so that every line and column
 * stays where its author wrote it, and no source map is needed.
 *
 * The compiler is the one that Node.js uses (swc as WebAssembly, strip-only): what is more than types (enums,
 * namespaces, parameter properties) is refused with its line and not guessed at. It runs in a worker that lives for
 * one job: a source that is nested deep enough to overflow its stack leaves the module unfit for any other
 * source, and who has no TypeScript never loads its 4 MB. (The runtime's own `stripTypeScriptTypes` is not used:
 * such a source ends the whole process there.)
 *
 * @module
 */
import { type Clock, systemClock, withTimeout } from "../../base/mod.ts";
import { PackageError } from "./errors.ts";

/** The longest TypeScript source, in UTF-16 units, and the longest time for all of a plug-in's, in milliseconds. */
const LONGEST_SOURCE = 1 << 20;
const JOB_MS = 20_000;

/** Whether this is a TypeScript module (a file of declarations is not). */
export function isTypeScript(path: string): boolean {
  return path.endsWith(".ts") && !path.endsWith(".d.ts");
}

/** One job after the other: a worker takes some 50 MB while it works. */
let lastJob: Promise<unknown> = Promise.resolve();

/** The JavaScript of TypeScript sources, by the same paths. Throws PackageError `typescript` or `size`. */
export function stripTypes(
  sources: ReadonlyMap<string, string>,
  clock: Clock = systemClock,
): Promise<Map<string, string>> {
  const job = lastJob.then(() => strip(sources, clock));
  lastJob = job.catch(() => {});
  return job;
}

async function strip(sources: ReadonlyMap<string, string>, clock: Clock): Promise<Map<string, string>> {
  for (const [path, { length }] of sources) {
    if (length > LONGEST_SOURCE) {
      throw new PackageError("size", `"${path}" is longer than ${LONGEST_SOURCE} characters`);
    }
  }
  const worker = new Worker(import.meta.resolve("./strip_worker.ts"), {
    type: "module",
    name: "strip-types",
  });
  try {
    const results = new Map<string, string>();
    const all = async () => {
      for (const [path, text] of sources) results.set(path, await stripOne(worker, path, text));
    };
    await withTimeout(
      clock,
      all(),
      JOB_MS,
      () => new PackageError("typescript", "the compiler takes too long"),
    );
    return results;
  } finally {
    worker.terminate();
  }
}

function stripOne(worker: Worker, path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => {
      if (typeof data.code === "string") return resolve(data.code);
      const at = data.line === undefined ? "" : ` line ${data.line}, column ${data.column}`;
      reject(new PackageError("typescript", `"${path}"${at}: ${data.message}`));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new PackageError("typescript", `"${path}": the compiler failed: ${event.message}`));
    };
    worker.postMessage({ path, text });
  });
}
