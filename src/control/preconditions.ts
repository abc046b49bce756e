/**
 * ETag, If-Match and If-None-Match (RFC 9110 §13): changes that are not made where somebody else was quicker, and
 * answers that are not sent again.
 *
 * An ETag here has two parts: one over what can be edited of a thing, one over all that is shown of it. If-Match looks
 * at the first, so that a gateway that came online meanwhile keeps nobody from editing it; If-None-Match at both.
 *
 * @module
 */
import { tokenHash } from "./auth.ts";
import { problem, type ProblemError } from "./problem.ts";

/** ETags that one header may list; more are not looked at. */
const MAX_TAGS = 20;

/**
 * The ETag of a thing. `edited`: what can be changed of it, as a JSON value whose members keep their order; `shown`:
 * the whole answer.
 */
export function etagOf(edited: unknown, shown: unknown): string {
  return `"${digest(edited)}.${digest(shown)}"`;
}

/**
 * Whether the request says with If-Match what it changes, and that is how things are. Then the change must be made
 * only if `edited` still holds at that moment: {@linkcode changedMeanwhile} otherwise. `*` asks only that it is there.
 * `edited` undefined: it is not.
 *
 * @throws {ProblemError} 412 `precondition_failed`
 */
export function ifMatch(request: Request, edited: unknown): boolean {
  const header = request.headers.get("if-match");
  if (header === null) return false;
  if (edited === undefined) throw changedMeanwhile(); // nothing is there to match
  if (header.trim() === "*") return false;
  const current = digest(edited);
  if (tagsIn(header).some((tag) => tag.split(".", 1)[0] === current)) return true;
  throw changedMeanwhile();
}

/** Whether a request asks that the thing is not there yet: `If-None-Match: *` on a PUT. */
export function ifAbsent(request: Request): boolean {
  return request.headers.get("if-none-match")?.trim() === "*";
}

/** The 412 of a change that somebody else forestalled. */
export function changedMeanwhile(): ProblemError {
  return problem(412, "precondition_failed", "it is not as If-Match says any more: look at it and try again");
}

/** The answer that shows `body`: 304 without it where the caller has it already. */
export function answerWith<Body>(
  request: Request,
  etag: string,
  body: Body,
): { status: 200; body: Body; headers: Record<string, string> } | { response: Response } {
  const header = request.headers.get("if-none-match");
  const known = header?.trim() === "*" || (header !== null && tagsIn(header).includes(etag.slice(1, -1)));
  const headers = { etag };
  return known ? { response: new Response(null, { status: 304, headers }) } : { status: 200, body, headers };
}

/** What stands between the quotes. A tag that was weakened on its way (`W/`, by a compressing proxy) is the same here. */
function tagsIn(header: string): string[] {
  return [...header.slice(0, 4096).matchAll(/(?:W\/)?"([^"]*)"/g)].slice(0, MAX_TAGS).map((match) =>
    match[1]!
  );
}

function digest(value: unknown): string {
  return tokenHash(JSON.stringify(value) ?? "").toHex().slice(0, 24);
}
