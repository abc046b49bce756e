/**
 * What a look at a plug-in's code tells: things that will not work in the sandbox, or that nobody could review.
 *
 * @module
 */
import { type Node, parse } from "acorn";
import type { Capabilities } from "../../sandbox/mod.ts";
import type { RawManifest } from "../../sandbox/package/mod.ts";
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

/** Remarks on the modules, in the order of their lines. */
export function remarksOn(
  modules: Readonly<Record<string, string>>,
  manifest: RawManifest,
  capabilities: Capabilities,
): Remark[] {
  const capabilityOf = new Map<string, string>();
  for (const [capability, functions] of Object.entries(capabilities)) {
    for (const name of Object.keys(functions)) capabilityOf.set(name, capability);
  }
  const asked = (manifest.capabilities ?? []) as string[];
  const remarks: Remark[] = [];
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
        say("fault", node, `import of "${specifier}": there is no such file in the plug-in`);
      }
      if (is(node, "ImportExpression")) {
        say("warning", node, "dynamic import: import at the head of the file");
      }
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
