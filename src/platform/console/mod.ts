/**
 * The operators' console: server-rendered pages over the API, in Chinese and English.
 *
 * @module
 */
export { Console, type ConsoleDeps } from "./console.tsx";
