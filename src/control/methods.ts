/**
 * Paths that are there, asked with a method that is not.
 *
 * @module
 */
import { problem } from "./problem.ts";
import type { Route } from "./route.ts";

/**
 * The answer to a declared path that has no such method: of OPTIONS a 204 that lists what it has. undefined for a path
 * not declared.
 *
 * @throws {ProblemError} 405 `method_not_allowed`
 */
export function otherMethods(routes: readonly Route[], request: Request): Response | undefined {
  const { pathname } = new URL(request.url);
  const allowed = new Set<string>(["OPTIONS"]);
  for (const { method, path } of routes) {
    const pattern = path.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{[^}]+\}/g, "[^/]+");
    if (!new RegExp(`^${pattern}$`).test(pathname)) continue;
    allowed.add(method);
    if (method === "GET") allowed.add("HEAD");
  }
  if (allowed.size === 1 || allowed.has(request.method) && request.method !== "OPTIONS") return undefined;
  const allow = [...allowed].sort().join(", ");
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
  throw problem(405, "method_not_allowed", `${request.method.slice(0, 20)} is not possible here`, {
    headers: { allow },
  });
}
