/**
 * Reading a plug-in's manifest from its source without running it.
 *
 * The platform never executes what is uploaded to it: the exported `manifest` has to be written as a literal, and
 * is read from the syntax tree.
 *
 * @module
 */
import { type Expression, type ObjectExpression, parse, type Program } from "acorn";
import { GatehouseError, messageOf } from "../../base/mod.ts";

/** - `syntax`: not a JavaScript module · `manifest`: no `export const manifest` that can be read as a literal */
export type ManifestErrorCode = "syntax" | "manifest";

/** Why no manifest could be read. The message names the line. */
export class ManifestError extends GatehouseError<ManifestErrorCode> {
  override readonly name = "ManifestError";
}

/** The value of `export const manifest = { … }` in a module's source. @throws {ManifestError} */
export function readManifest(source: string): Record<string, unknown> {
  let program: Program;
  try {
    program = parse(source, { ecmaVersion: "latest", sourceType: "module", locations: true });
  } catch (error) {
    throw new ManifestError("syntax", `not a JavaScript module: ${messageOf(error)}`, { cause: error });
  }
  for (const statement of program.body) {
    if (
      statement.type !== "ExportNamedDeclaration" || statement.declaration?.type !== "VariableDeclaration"
    ) continue;
    for (const { id, init } of statement.declaration.declarations) {
      if (id.type !== "Identifier" || id.name !== "manifest") continue;
      if (init?.type === "ObjectExpression") return objectOf(init);
    }
  }
  throw new ManifestError("manifest", 'the module has no "export const manifest = { … }"');
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

function notLiteral(node: { loc?: { start: { line: number } } | null }): ManifestError {
  const at = node.loc ? `line ${node.loc.start.line}: ` : "";
  return new ManifestError(
    "manifest",
    `${at}the manifest has to be a literal: no calls, names or computed keys`,
  );
}
