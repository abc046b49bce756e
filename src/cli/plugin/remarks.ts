/**
 * What a look at a plug-in's code tells: things that will not work in the sandbox, or that nobody could review.
 *
 * @module
 */
import { type Node, parse } from "acorn";
import type { Capabilities } from "../../sandbox/mod.ts";
import type { RawManifest } from "../../sandbox/package/mod.ts";
import { isVersion } from "../../protocol/smart_gateway/mod.ts";
import { closest } from "../suggest.ts";

/** A fault keeps a plug-in from working; a warning does not. */
export interface Remark {
  readonly severity: "fault" | "warning";
  readonly text: string;
  readonly file?: string;
  readonly line?: number;
  /** From 1. */
  readonly column?: number;
}

/** Names that programs elsewhere rely on, and what there is instead. */
const NOT_THERE: Readonly<Record<string, string>> = {
  fetch: "ask with host.network.http(url), of hosts in the manifest",
  XMLHttpRequest: "there is no network but what the host functions do",
  WebSocket: "there is no network but what the host functions do",
  setTimeout: "wait with host.timers.wait(milliseconds)",
  setInterval: "wait with host.timers.wait(milliseconds)",
  process: "there is no process and no environment",
  require: "there are static imports of its own files only",
  Deno: "there is no runtime but ECMAScript",
  Buffer: "use Uint8Array",
  window: "there is no browser",
  document: "there is no browser",
  localStorage: "there is no browser",
  structuredClone: "copy with JSON",
  TextEncoder: "there are ECMAScript's own built-ins only",
  TextDecoder: "there are ECMAScript's own built-ins only",
  URL: "there are ECMAScript's own built-ins only",
  WebAssembly: "there are ECMAScript's own built-ins only",
};
const MADE_UP = "code that is made up at run time can be reviewed by nobody";
const MOST_REMARKS = 200;
/** Fields of the manifest that say what a capability reaches. */
const WORKS_ON: Readonly<Record<string, string>> = {
  "network.http": "hosts",
  "plugins.call": "peers",
  "parameters": "parameters",
};
/** The module that is loaded, and what it may export beside `manifest` and `commands`. */
const ENTRY = "plugin.js";
const HOOKS: readonly string[] = ["start", "stop", "health"];

/** Remarks on the modules, in the order of their lines. `files`: the paths of all that is in the plug-in. */
export function remarksOn(
  modules: Readonly<Record<string, string>>,
  files: Iterable<string>,
  manifest: RawManifest,
  capabilities: Capabilities,
): Remark[] {
  const capabilityOf = new Map<string, string>();
  for (const [capability, functions] of Object.entries(capabilities)) {
    for (const name of Object.keys(functions)) capabilityOf.set(name, capability);
  }
  const asked = (manifest.capabilities ?? []) as string[];
  const remarks = manifestRemarks(modules[ENTRY] ?? "", manifest, asked), paths = new Set(files);
  for (const [file, source] of Object.entries(modules)) {
    const tree = parse(source, { ecmaVersion: "latest", sourceType: "module", locations: true });
    const own = declaredIn(tree);
    const say = (severity: Remark["severity"], node: Node, text: string) => {
      const { line, column } = node.loc!.start;
      if (remarks.length < MOST_REMARKS) remarks.push({ severity, text, file, line, column: column + 1 });
    };
    walk(tree, (node, parent) => {
      const specifier = importOf(node);
      if (specifier !== undefined && !/^\.\.?\//.test(specifier)) {
        say("fault", node, `import of "${specifier}": a plug-in imports its own files only, as "./other.js"`);
      } else if (specifier !== undefined && !Object.hasOwn(modules, resolved(file, specifier))) {
        say(
          "fault",
          node,
          `import of "${specifier}": ${whyNot(resolved(file, specifier), specifier, paths)}`,
        );
      }
      if (is(node, "ImportExpression")) {
        say("warning", node, "dynamic import: import at the head of the file");
      }
      if (file === ENTRY) { for (const text of exportRemarks(node)) say("warning", node, text); }
      if (is(node, "Identifier") && !isName(node, parent)) {
        const { name } = node as unknown as { name: string };
        if (own.has(name)) return;
        if (name === "eval") say("warning", node, `eval: ${MADE_UP}`);
        else if (name === "Function") say("warning", node, `Function: ${MADE_UP}`);
        else if (Object.hasOwn(NOT_THERE, name)) {
          say("warning", node, `"${name}" is not there in the sandbox: ${NOT_THERE[name]}`);
        }
      }
      const used = hostFunctionOf(node);
      if (used === undefined || used.startsWith("log.")) return;
      const capability = capabilityOf.get(used);
      if (capability === undefined) {
        const near = closest(used, capabilityOf.keys());
        say("warning", node, `there is no host function "${used}"${near ? `: did you mean ${near}?` : ""}`);
      } else if (!asked.includes(capability)) {
        say(
          "warning",
          node,
          `"${used}" needs the capability "${capability}": add it to manifest.capabilities`,
        );
      }
    });
  }
  return remarks;
}

/** What is asked for without what it works on, or the other way round; a version that no platform takes. */
function manifestRemarks(source: string, manifest: RawManifest, asked: readonly string[]): Remark[] {
  const remarks = Object.entries(WORKS_ON).flatMap(([capability, field]) => {
    const has = Object.keys((manifest as Record<string, object | undefined>)[field] ?? {}).length > 0;
    if (has === asked.includes(capability)) return [];
    const line = lineOf(source, has ? field : "capabilities");
    const text = has
      ? `manifest.${field} does nothing without the capability "${capability}"`
      : `the capability "${capability}" does nothing without manifest.${field}`;
    return [warning(text, line)];
  });
  const { version } = manifest as { version?: unknown };
  if (!isVersion(String(version))) {
    const text = `manifest.version "${version}": platforms take dotted decimal alone, such as "1.0"`;
    remarks.push(warning(text, lineOf(source, "version")));
  }
  return remarks;
}

function warning(text: string, line: number | undefined): Remark {
  return { severity: "warning", text, ...(line !== undefined && { file: ENTRY, line }) };
}

/** Why a relative import finds no module. */
function whyNot(path: string, specifier: string, files: ReadonlySet<string>): string {
  if (files.has(path)) return "only modules (.js, .ts) can be imported: put what is in it into one";
  const ended = [`${path}.js`, `${path}/index.js`].find((each) => files.has(each));
  if (ended === undefined) return "there is no such file in the plug-in";
  return `name the whole file, as "${specifier.replace(/\/$/, "")}${ended.slice(path.length)}" (or .ts)`;
}

/** What is exported beside the manifest and the commands, where it will not be taken for what it is meant to be. */
function exportRemarks(node: Node): string[] {
  if (!is(node, "ExportNamedDeclaration")) return [];
  const { declaration } = node as unknown as {
    declaration?: { id?: { name?: string }; declarations?: { id: { name?: string }; init?: Node }[] };
  };
  const found = declaration?.declarations ?? (declaration?.id ? [{ id: declaration.id }] : []);
  return found.flatMap(({ id: { name = "" }, ...rest }) => {
    const init = (rest as { init?: Node | null }).init;
    if (HOOKS.includes(name)) {
      return init && /^(Literal|Object|Array|Template)/.test(init.type)
        ? [`"${name}" is no function: it will not be called`]
        : [];
    }
    const known = ["manifest", "commands", ...HOOKS], near = closest(name, known);
    return near === undefined || known.includes(name)
      ? []
      : [`the export "${name}" means nothing to a gateway: did you mean ${near}?`];
  });
}

/** The line (from 1) of `limits.callMs` and such in the exported manifest; undefined where it can't be found. */
export function lineOf(source: string, path: string): number | undefined {
  let tree: Node;
  try {
    tree = parse(source, { ecmaVersion: "latest", sourceType: "module", locations: true });
  } catch {
    return undefined; // TypeScript, or not even that
  }
  let found: Node | undefined;
  walk(tree, (node) => {
    const { id, init } = node as unknown as { id?: { name?: string }; init?: Node };
    if (found || !is(node, "VariableDeclarator") || id?.name !== "manifest" || !init) return;
    found = init;
    for (const step of path.split(".")) {
      const { properties = [], elements = [] } = found as unknown as {
        properties?: { key: { name?: string; value?: unknown }; value: Node }[];
        elements?: Node[];
      };
      const next = properties.find(({ key }) => String(key.name ?? key.value) === step)?.value ??
        elements[Number(step)];
      if (!next) break;
      found = next;
    }
  });
  return found?.loc?.start.line;
}

/** Visits every node; never recurses, so that no nesting is too deep. */
function walk(root: Node, visit: (node: Node, parent: Node | undefined) => void): void {
  const stack: { node: Node; parent: Node | undefined }[] = [{ node: root, parent: undefined }];
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { node, parent } = next;
    visit(node, parent);
    const children = Object.values(node).flat().filter((value): value is Node =>
      typeof value === "object" && value !== null && typeof value.type === "string"
    );
    for (const child of children.reverse()) stack.push({ node: child, parent: node });
  }
}

/** Names that the module declares anywhere: whoever declares one means his own. */
function declaredIn(tree: Node): Set<string> {
  const names = new Set<string>();
  const take = (node: unknown) => {
    const { type, name, elements, properties, argument, left, value } = (node ?? {}) as Record<
      string,
      unknown
    >;
    if (type === "Identifier") names.add(String(name));
    if (type === "ArrayPattern") (elements as unknown[]).forEach(take);
    if (type === "ObjectPattern") (properties as unknown[]).forEach(take);
    if (type === "Property") take(value);
    if (type === "RestElement") take(argument);
    if (type === "AssignmentPattern") take(left);
  };
  walk(tree, (node) => {
    const { id, params, local, param } = node as unknown as Record<string, unknown>;
    if (/Declarator$|^(Function|Class)/.test(node.type)) take(id);
    if (Array.isArray(params)) params.forEach(take);
    if (/^Import.*Specifier$/.test(node.type)) take(local);
    if (node.type === "CatchClause") take(param);
  });
  return names;
}

/** Whether an identifier only names a property, a label or a key. */
function isName(node: Node, parent: Node | undefined): boolean {
  const { type, property, key, computed } = (parent ?? {}) as Record<string, unknown>;
  if (type === "MemberExpression") return property === node && !computed;
  return /^(Property|MethodDefinition|PropertyDefinition)$/.test(String(type)) && key === node && !computed;
}

/** `system.memory` of `host.system.memory`. */
function hostFunctionOf(node: Node): string | undefined {
  if (!is(node, "MemberExpression")) return undefined;
  const { object, property, computed } = node as unknown as Record<string, Node & { name?: string }>;
  const inner = object as unknown as Record<string, { type?: string; name?: string } | undefined>;
  if (computed || !is(object!, "MemberExpression") || inner.computed) return undefined;
  if (inner.object?.type !== "Identifier" || inner.object.name !== "host") return undefined;
  return `${inner.property?.name}.${property?.name}`;
}

function importOf(node: Node): string | undefined {
  if (!/^(ImportDeclaration|ExportNamedDeclaration|ExportAllDeclaration)$/.test(node.type)) return undefined;
  const { source } = node as unknown as { source?: { value?: unknown } | null };
  return typeof source?.value === "string" ? source.value : undefined;
}

function resolved(from: string, specifier: string): string {
  const path = from.split("/").slice(0, -1);
  for (const segment of specifier.split("/")) {
    if (segment === "..") path.pop();
    else if (segment !== "." && segment !== "") path.push(segment);
  }
  return path.join("/");
}

function is(node: Node, type: string): boolean {
  return node.type === type;
}
