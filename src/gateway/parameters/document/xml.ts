/**
 * Configurations as XML: `<configuration format version><parameter name type>value</parameter>…</configuration>`.
 *
 * @module
 */
import { SaxesParser } from "saxes";
import { messageOf } from "../../../base/mod.ts";
import { ParameterError } from "../errors.ts";
import { textOfValue } from "../value.ts";
import {
  DOCUMENT_FORMAT,
  DOCUMENT_VERSION,
  type DocumentEntry,
  Gathered,
  LARGEST_DOCUMENT,
  refused,
} from "./document.ts";

/** Writes a document. */
export function encodeXml(entries: readonly DocumentEntry[]): string {
  const lines = entries.map(({ name, type, value }) =>
    `  <parameter name="${escaped(name)}" type="${type}">${escaped(textOfValue(value))}</parameter>\n`
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n` +
    `<configuration format="${DOCUMENT_FORMAT}" version="${DOCUMENT_VERSION}">\n${
      lines.join("")
    }</configuration>\n`;
}

/**
 * Reads a document: texts by name, not checked yet. A document type declaration is refused, so there are no entities
 * but the five of XML. Throws ParameterError `document`.
 */
export function decodeXml(text: string): Record<string, unknown> {
  if (text.length > LARGEST_DOCUMENT) throw refused(`larger than ${LARGEST_DOCUMENT} bytes`);
  const gathered = new Gathered(), parser = new SaxesParser();
  let depth = 0, name: string | undefined, value = "";
  parser.on("error", (error) => {
    throw refused(error.message, error);
  });
  parser.on("doctype", () => {
    throw refused("document type declarations are not taken");
  });
  parser.on("opentag", (tag) => {
    const { format, version, name: named } = tag.attributes;
    if (++depth > 2) throw refused("nested too deep");
    if (depth === 1) {
      if (tag.name !== "configuration" || format !== DOCUMENT_FORMAT || version !== DOCUMENT_VERSION) {
        throw refused(`it is no <configuration format="${DOCUMENT_FORMAT}" version="${DOCUMENT_VERSION}">`);
      }
      return;
    }
    if (tag.name !== "parameter" || named === undefined) {
      throw refused(`<${tag.name.slice(0, 64)}> is no <parameter name="…">`);
    }
    name = named;
    value = "";
  });
  const onText = (part: string) => {
    if (name !== undefined) value += part;
    else if (part.trim() !== "") throw refused("there is text outside of parameters");
  };
  parser.on("text", onText);
  parser.on("cdata", onText);
  parser.on("closetag", () => {
    depth--;
    if (name !== undefined) gathered.add(name, value);
    name = undefined;
  });
  try {
    parser.write(text).close();
  } catch (error) {
    throw error instanceof ParameterError ? error : refused(messageOf(error), error);
  }
  return gathered.values;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  // Parsers make other white space of these than they were.
  "\r": "&#13;",
  "\n": "&#10;",
  "\t": "&#9;",
};

function escaped(text: string): string {
  return text.replace(/[&<>"\r\n\t]/g, (character) => ESCAPES[character]!);
}
