/**
 * The access service of the operations platform: who is there, and how to call them.
 *
 * @module
 */
export { type AccessSettings, startAccess } from "./service.ts";
