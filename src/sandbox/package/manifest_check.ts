/**
 * What is asked of a manifest before any code is run: its shape, and that `manifest.json` and the code say the same.
 *
 * The gateway that runs the plug-in checks the rest when it loads it, since only it knows its capabilities and
 * ceilings.
 *
 * @module
 */
import * as v from "valibot";
import { faultOf } from "../../base/mod.ts";
import { JSON_DEPTH, nestsDeeperThan, parseObject } from "../json.ts";
import { AUTHS, DEFAULT_LIMITS, FIELDS, type Manifest, NAME, RIGHTS } from "../manifest.ts";
import { PackageError } from "./errors.ts";
import { MANIFEST_FILE, textOf } from "./files.ts";

/** A manifest as it was written, of the right shape. */
export interface RawManifest extends Readonly<Record<string, unknown>> {
  readonly name: string;
  readonly version: string;
}

const MANIFEST_BYTES = 64 * 1024;
const MOST_FAULTS = 20;

const short = (most: number) => v.pipe(v.string(), v.maxLength(most, `up to ${most} characters`));
const PATHS = v.optional(v.pipe(v.array(short(256)), v.maxLength(32)));
const SHAPE = v.looseObject({
  name: v.pipe(
    v.string(),
    v.regex(NAME, "letters, digits, '.', '_', '-', up to 100, as in 'com.example.cpu'"),
  ),
  version: v.pipe(
    v.string(),
    v.regex(
      /^[A-Za-z0-9](?:[A-Za-z0-9.+_-]{0,30}[A-Za-z0-9])?$/,
      "letters, digits, '.', '+', '_', '-', up to 32",
    ),
  ),
  apiVersion: v.pipe(v.string(), v.isoDate("a date, as in 2026-11-01")),
  description: v.optional(short(1000)),
  author: v.optional(short(200)),
  commands: v.record(
    v.pipe(
      v.string(),
      v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "letters, digits, '.', '_', '-', up to 64"),
    ),
    v.looseObject({
      right: v.picklist(RIGHTS, `one of ${RIGHTS.join(", ")}`),
      auth: v.optional(v.picklist(AUTHS, `one of ${AUTHS.join(", ")}`)),
      fields: v.optional(FIELDS),
    }),
  ),
  capabilities: v.optional(v.pipe(v.array(short(100)), v.maxLength(100))),
  parameters: v.optional(v.looseObject({ read: PATHS, write: PATHS })),
  limits: v.optional(v.record(v.string(), v.pipe(v.number(), v.finite(), v.minValue(0)))),
});

/** Every fault of a manifest with its path (`manifest.limits.callMs: …`); none where its shape is right. */
export function manifestFaults(manifest: unknown): string[] {
  const { issues } = v.safeParse(SHAPE, manifest);
  return (issues ?? []).map((issue) => {
    const path = v.getDotPath(issue);
    return `manifest${path === null ? "" : `.${path}`}: ${faultOf(issue)}`;
  });
}

/** Throws PackageError `manifest` with every fault. */
export function checkShape(manifest: unknown): RawManifest {
  const faults = manifestFaults(manifest);
  if (faults.length === 0) return manifest as RawManifest;
  throw new PackageError("manifest", `faults in the manifest: ${listed(faults)}`, {}, faults);
}

/** Reads `manifest.json`. Throws PackageError `manifest`. */
export function readManifestFile(bytes: Uint8Array | undefined): RawManifest {
  if (!bytes) throw new PackageError("manifest", `the package has no "${MANIFEST_FILE}"`);
  const text = bytes.length <= MANIFEST_BYTES ? textOf(MANIFEST_FILE, bytes) : undefined;
  if (text === undefined || nestsDeeperThan(text, JSON_DEPTH)) {
    throw new PackageError(
      "manifest",
      `"${MANIFEST_FILE}" is larger than ${MANIFEST_BYTES} bytes or nested too deep`,
    );
  }
  let value: unknown;
  try {
    value = parseObject(text);
  } catch (error) {
    throw new PackageError("manifest", `"${MANIFEST_FILE}" is not JSON`, { cause: error });
  }
  return checkShape(value);
}

/** Throws PackageError `mismatch` where two manifests, both as written, differ. */
export function checkSame(file: RawManifest, code: unknown): void {
  const faults = differences(file, code, "manifest");
  if (faults.length > 0) throw mismatch(faults);
}

/**
 * Throws PackageError `mismatch` where the manifest that a running plug-in gave, checked and with its defaults filled
 * in, is not that of the file: what the file leaves out must be nothing, or no more than the default.
 */
export function checkAgrees(file: RawManifest, running: Manifest): void {
  const faults: string[] = [];
  for (const [key, value] of Object.entries(running)) {
    const path = `manifest.${key}`, said = file[key];
    if (key === "limits") faults.push(...limitDifferences(isObject(said) ? said : {}, running.limits));
    else if (said !== undefined || !isNothing(value)) faults.push(...differences(said, value, path));
  }
  for (const key of Object.keys(file)) {
    if (!Object.hasOwn(running, key) && !isNothing(file[key])) {
      faults.push(`manifest.${key}: only in the file`);
    }
  }
  if (faults.length > 0) throw mismatch(faults);
}

function limitDifferences(said: Record<string, unknown>, running: object): string[] {
  const usual: Readonly<Record<string, unknown>> = { ...DEFAULT_LIMITS };
  return Object.entries(running).flatMap(([name, value]) => {
    if (Object.hasOwn(said, name)) return differences(said[name], value, `manifest.limits.${name}`);
    const most = Object.hasOwn(usual, name) ? usual[name] : undefined;
    return typeof most === "number" && typeof value === "number" && value > most
      ? [`manifest.limits.${name}: only in the code`]
      : [];
  });
}

function mismatch(faults: readonly string[]): PackageError {
  const message = `"${MANIFEST_FILE}" says other than the code: ${listed(faults)}`;
  return new PackageError("mismatch", message, {}, faults);
}

function differences(a: unknown, b: unknown, path: string): string[] {
  if (Object.is(a, b)) return [];
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return [`${path}: ${a.length} in the file, ${b.length} in the code`];
    return a.flatMap((one, i) => differences(one, b[i], `${path}.${i}`));
  }
  if (isObject(a) && isObject(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].flatMap((key) => differences(own(a, key), own(b, key), `${path}.${key}`));
  }
  if (a === undefined) return [`${path}: only in the code`];
  if (b === undefined) return [`${path}: only in the file`];
  return [`${path}: ${brief(a)} in the file, ${brief(b)} in the code`];
}

function own(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNothing(value: unknown): boolean {
  return value === undefined ||
    (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? text.slice(0, 60) + "…" : text;
}

function listed(faults: readonly string[]): string {
  return faults.slice(0, MOST_FAULTS).join("; ");
}
