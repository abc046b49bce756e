/**
 * The parameters as tables for the documents, one an object.
 *
 * @module
 */
import {
  AREAS,
  type ObjectDefinition,
  type ParameterDefinition,
  rangeOf,
} from "../../src/gateway/parameters/mod.ts";

/** All objects with their parameters, in the order of the definitions. */
export function parameterTables(): string {
  return AREAS.flat().map((object) => {
    const rows = Object.entries(object.parameters).map(([name, definition]) => row(name, definition, object));
    return [
      `### \`${object.path}\``,
      "",
      about(object),
      "",
      "| parameter | type | access | owner | factory | meaning, and what is allowed |",
      "| --- | --- | --- | --- | --- | --- |",
      ...rows,
      "",
    ].join("\n");
  }).join("\n");
}

function about({ owner, table, hidden, sticky, appRestores }: ObjectDefinition): string {
  const facts = [`Owner: ${owner}.`];
  if (table) {
    const whose = table.access === "readWrite"
      ? "added and removed by whoever may write"
      : "the machine's to say";
    facts.push(`At most ${table.max} instances, ${whose}; ${table.initial ?? 0} at the factory.`);
  }
  if (hidden) facts.push("Hidden.");
  if (sticky) facts.push("Keeps its values.");
  if (appRestores) facts.push("The app platform may restore it.");
  return facts.join(" ");
}

function row(name: string, definition: ParameterDefinition, { owner }: ObjectDefinition): string {
  const { type, access, about, secret, backed, counts } = definition;
  const factory = counts !== undefined
    ? "0"
    : definition.default === undefined
    ? ""
    : definition.default === ""
    ? "empty"
    : String(definition.default);
  const notes = [
    about,
    counts === undefined ? rangeOf(definition) : `how many there are of \`${counts}\``,
    backed && "the machine's",
    secret && "reads as empty",
  ].filter((note) => note);
  return `| \`${name}\` | ${type} | ${access === "readOnly" ? "read" : "write"} | ${
    definition.owner ?? owner
  } | ${factory} | ${notes.join("; ").replaceAll("|", "\\|")} |`;
}
