/**
 * Floor 3½: trusted keys over HTTP, as both roles offer them.
 *
 * @module
 */
export { trustProblem, trustRoutes } from "./routes.ts";
