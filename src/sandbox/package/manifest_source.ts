/**
 * Reading a plug-in's manifest and imports from its source without running it.
 *
 * A platform never executes what is uploaded to it: the exported `manifest` has to be written as a literal, and
 * is read from the syntax tree. Type assertions around it (`as const`, `satisfies`) are gone by then.
 *
 * @module
 */
import {
  type Expression,
  getLineInfo,
  type Literal,
  type ObjectExpression,
  parse,
  type Program,
} from "acorn";
import { GatehouseError, messageOf } from "../../base/mod.ts";

/** - `syntax`: not a JavaScript module · `manifest`: no `export const manifest` that can be read as a literal */
export type ManifestErrorCode = "syntax" | "manifest";

/** Why no manifest could be read. The message names the line. */
export class ManifestError extends GatehouseError<ManifestErrorCode> {
  override readonly name = "ManifestError";
}

/** The value of `export const manifest = { … }` in a module's source. @throws {ManifestError} */
export function readManifest(source: string): Record<string, unknown> {
  for (const statement of parsed(source).body) {
    if (
      statement.type !== "ExportNamedDeclaration" || statement.declaration?.type !== "VariableDeclaration"
    ) continue;
    for (const { id, init } of statement.declaration.declarations) {
      if (id.type !== "Identifier" || id.name !== "manifest") continue;
      if (init?.type === "ObjectExpression") return read(init, source);
    }
  }
  throw new ManifestError("manifest", 'the module has no "export const manifest = { … }"');
}

/** Throws where the source is not a JavaScript module. @throws {ManifestError} */
export function checkModule(source: string): void {
  parsed(source);
}

/**
 * What the module imports and exports from elsewhere by a literal, in order. `end`: the index behind the closing
 * quote. @throws {ManifestError}
 */
export function importsIn(source: string): { specifier: string; end: number }[] {
  const found: { specifier: string; end: number }[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node !== "object" || node === null) return;
    const { type, source } = node as { type?: string; source?: Literal | null };
    if (
      /^(Import(Declaration|Expression)|Export(Named|All)Declaration)$/.test(type ?? "") &&
      source?.type === "Literal" && typeof source.value === "string"
    ) found.push({ specifier: source.value, end: source.end });
    for (const child of Object.values(node)) visit(child);
  };
  shallow(() => visit(parsed(source).body));
  return found.sort((a, b) => a.end - b.end);
}

function parsed(source: string): Program {
  return shallow(() => {
    try {
      return parse(source, { ecmaVersion: "latest", sourceType: "module" });
    } catch (error) {
      if (error instanceof RangeError) throw error;
      throw new ManifestError("syntax", `not a JavaScript module: ${messageOf(error)}`, { cause: error });
    }
  });
}

/** Turns an overflow of the stack, on a tree that is too deep, into an error of ours. */
function shallow<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ManifestError("syntax", "nested too deeply to be read", { cause: error });
  }
}

function objectOf(node: ObjectExpression): Record<string, unknown> {
  const object: Record<string, unknown> = Object.create(null);
  for (const property of node.properties) {
    if (property.type !== "Property" || property.computed || property.kind !== "init" || property.method) {
      throw notLiteral(property);
    }
    const { key } = property;
    if (key.type === "Identifier") object[key.name] = valueOf(property.value);
    else if (key.type === "Literal") object[String(key.value)] = valueOf(property.value);
    else throw notLiteral(key);
  }
  return object;
}

function valueOf(node: Expression): unknown {
  switch (node.type) {
    case "Literal":
      if (node.regex === undefined && node.bigint === undefined) return node.value;
      break;
    case "TemplateLiteral":
      if (node.expressions.length === 0) return node.quasis[0]!.value.cooked;
      break;
    case "UnaryExpression":
      if (
        node.operator === "-" && node.argument.type === "Literal" && typeof node.argument.value === "number"
      ) {
        return -node.argument.value;
      }
      break;
    case "ArrayExpression":
      return node.elements.map((element) => {
        if (element === null || element.type === "SpreadElement") throw notLiteral(element ?? node);
        return valueOf(element);
      });
    case "ObjectExpression":
      return objectOf(node);
  }
  throw notLiteral(node);
}

/** What is no literal, and where: lines are only counted when they are told, which saves half the memory. */
class NotLiteral extends Error {
  constructor(readonly start: number) {
    super();
  }
}

function notLiteral({ start }: { start: number }): NotLiteral {
  return new NotLiteral(start);
}

function read(node: ObjectExpression, source: string): Record<string, unknown> {
  try {
    return shallow(() => objectOf(node));
  } catch (error) {
    if (!(error instanceof NotLiteral)) throw error;
    const { line } = getLineInfo(source, error.start);
    throw new ManifestError(
      "manifest",
      `line ${line}: the manifest has to be a literal: no calls, names or computed keys`,
    );
  }
}
