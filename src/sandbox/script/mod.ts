/**
 * Single functions of scripts in the plug-ins' sandbox, for programs that leave a decision to a script.
 *
 * @module
 */
export type { Json } from "../json.ts";
export { type OpenScript, type Script, ScriptError, type ScriptLimits, scripts } from "./script.ts";
