/**
 * Configurations as JSON and XML.
 *
 * @module
 */
export { type DocumentEntry, exported, type ExportOptions, LARGEST_DOCUMENT } from "./document.ts";
export { decodeJson, encodeJson } from "./json.ts";
export { decodeXml, encodeXml } from "./xml.ts";
