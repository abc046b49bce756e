/**
 * The console's cookies.
 *
 * @module
 */
import { parse, serialize } from "hono/utils/cookie";

/** The cookies of a request by name. */
export function getCookies(request: Request): Readonly<Record<string, string>> {
  const header = request.headers.get("cookie");
  return header === null || header.length > 8192 ? {} : parse(header);
}

/** A `Set-Cookie` header. `seconds` 0 takes the cookie away. */
export function cookie(
  name: string,
  value: string,
  { seconds, secure, script = false }: { seconds: number; secure: boolean; script?: boolean },
): string {
  return serialize(name, value, {
    path: "/",
    maxAge: seconds,
    sameSite: "Strict",
    httpOnly: !script,
    secure,
  });
}
