/**
 * What a handler gets of a request: path, query and body, read within limits and checked against the route's schemas.
 *
 * @module
 */
import type { Clock } from "../base/mod.ts";
import { type BodyPace, DEFAULT_MAX_BODY, guardedStream, mediaTypeOf, parseJson, readText } from "./body.ts";
import type { StreamBody, TextBody } from "./body.ts";
import { type Fault, problem } from "./problem.ts";
import type { BodySpec, Route } from "./route.ts";
import { check, type Checked, checkInTurns, invalidRequest, queryObject } from "./validate.ts";
import { type Schema, unknownParameters } from "./validate.ts";

/** Longest JSON body of which every fault is told, in characters; of longer ones it is the first. */
const MAX_THOROUGH = 65_536;

/** The parts of a request as its handler gets them. */
export interface Input {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  /** The body as it was written, where the route takes it as text or JSON; else "". */
  readonly text: string;
}

/** How slowly a body may arrive, and by whose clock. */
interface Pacing {
  readonly clock: Clock;
  readonly pace: BodyPace;
}

/**
 * The checked parts of `request`. `params`: what the router found in the path.
 *
 * @throws {ProblemError} 400 `invalid_request` with all faults of all parts, 415 for a body of another media type,
 * and what reading the body throws
 */
export async function inputOf(
  route: Route,
  request: Request,
  params: unknown,
  pacing: Pacing,
): Promise<Input> {
  const faults: Fault[] = [];
  let total = 0;
  const taken = (result: Checked) => {
    if ("value" in result) return result.value;
    faults.push(...result.faults);
    total += result.total;
    return undefined;
  };
  const query = queryObject(new URL(request.url).searchParams);
  const strangers = unknownParameters(query, route.query);
  faults.push(...strangers);
  total += strangers.length;
  const checked = {
    params: route.params && taken(check("path", route.params, params, true)),
    query: route.query && taken(check("query", route.query, query, true)),
  };
  const read = route.body && await readBody(route.body, request, pacing);
  const body = read?.kind === "json"
    ? taken(await checkInTurns("body", read.schema, parseJson(read.text), read.text.length <= MAX_THOROUGH))
    : read;
  if (faults.length > 0) throw invalidRequest(faults, total);
  return { ...checked, body, text: read && "text" in read ? read.text : "" };
}

/** A body of JSON before it is parsed. */
interface JsonBody {
  readonly kind: "json";
  readonly schema: Schema;
  readonly text: string;
}

/** The body as its media type asks; undefined where there is none and the route can do without. */
async function readBody(
  spec: BodySpec,
  request: Request,
  { clock, pace }: Pacing,
): Promise<JsonBody | TextBody | StreamBody | undefined> {
  const mediaType = mediaTypeOf(request);
  if (spec.optional && (request.body === null || request.headers.get("content-length") === "0")) {
    return undefined;
  }
  const limits = { clock, pace, maxBytes: spec.maxBytes ?? DEFAULT_MAX_BODY };
  if (spec.text?.includes(mediaType)) {
    return { kind: "text", mediaType, text: await readText(request, limits) };
  }
  if (spec.stream?.some((type) => type === mediaType || type === "*/*")) {
    return guardedStream(request, limits);
  }
  // No media type at all is taken as JSON: a command line client should not fail for that.
  if (spec.json && (mediaType === "" || /^application\/(.+\+)?json$/.test(mediaType))) {
    const text = await readText(request, limits);
    // A post without a body often does not say that it has none.
    return text === "" && spec.optional ? undefined : { kind: "json", schema: spec.json, text };
  }
  const known = [...(spec.json ? ["application/json"] : []), ...spec.text ?? [], ...spec.stream ?? []];
  throw problem(415, "unsupported_media_type", `the body must be one of: ${known.join(", ")}`, {
    headers: { accept: known.join(", ") },
  });
}
