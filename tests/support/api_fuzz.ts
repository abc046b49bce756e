/**
 * A walker that asks an API what its own OpenAPI document says can be asked, and what it says can't, and holds every
 * answer against the document.
 *
 * @module
 */
import fc from "fast-check";
import { type Document, fitting, hostile, misfits, type Operation, spoilt } from "./openapi.ts";

/** What is fuzzed, and how much. */
export interface FuzzOptions {
  readonly url: string;
  /** Who asks, by the path of the operation. */
  readonly tokenOf: (path: string) => string;
  readonly document: Document;
  readonly operations: readonly Operation[];
  /** Requests for each operation. */
  readonly runs: number;
  readonly seed: number;
  /**
   * Things that are there: one request in two asks about them. By the name of the parameter, or by the beginning of the
   * path and the name: `/api/v1/rollouts id`.
   */
  readonly known: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** What came of it. */
export interface FuzzReport {
  readonly requests: number;
  /** How often each status was answered. */
  readonly statuses: Readonly<Record<string, number>>;
  /** The 5xx of each operation that had one: how often each. */
  readonly failures: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Operations that answered 2xx at least once. */
  readonly succeeded: ReadonlySet<string>;
  /** What the document does not allow; `seed` and the request say how to get there again. */
  readonly breaches: readonly string[];
}

interface Asked {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly type: string | undefined;
  readonly body: string | undefined;
  /** Something in it that the document does not know: it must not be taken. */
  readonly stranger: boolean;
}

/**
 * Operations that may answer 5xx, and which: 504 says that a gateway is silent, 503 that there are too many streams.
 * Any other is a fault, and so is a 503 that does not say when to come again.
 */
const MAY_FAIL: Readonly<Record<string, readonly string[]>> = {
  "GET /api/v1/gateways/{mac}/plugins": ["504"],
};
/** Streams of events may be too many at once: 503 `too_many_streams`. */
const STREAMS = "text/event-stream";
/** Milliseconds in which every answer has to begin; streams begin at once. */
const PATIENCE_MS = 20_000;
const MAX_BREACHES = 50;
/** Breaches told of one operation. */
const MAX_OF_ONE = 2;

/** Fuzzes every operation. */
export async function fuzzApi(options: FuzzOptions): Promise<FuzzReport> {
  const statuses: Record<string, number> = {}, succeeded = new Set<string>(), breaches: string[] = [];
  const failures: Record<string, Record<string, number>> = {};
  let requests = 0;
  for (const [no, operation] of options.operations.entries()) {
    const name = `${operation.method} ${operation.path}`;
    const asks = fc.sample(asking(operation, options), { seed: options.seed + no, numRuns: options.runs });
    let failed = 0;
    await Promise.all(asks.map(async (asked) => {
      if (options.signal?.aborted || breaches.length >= MAX_BREACHES) return;
      requests++;
      const { status, wrong } = await ask(operation, asked, options);
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (status.startsWith("2")) succeeded.add(name);
      if (status.startsWith("5")) (failures[name] ??= {})[status] = (failures[name]?.[status] ?? 0) + 1;
      if (wrong.length === 0 || ++failed > MAX_OF_ONE) return;
      const request = `${asked.path.slice(0, 300)} ${asked.body?.slice(0, 500) ?? ""}`;
      breaches.push(`${name}: ${wrong.slice(0, 3).join("; ")} · ${request}`);
    }));
  }
  return { requests, statuses, failures, succeeded, breaches };
}

/** Requests about one operation: whole ones, and such with one thing wrong. */
function asking(
  { path, parameters, body }: Operation,
  { document, known }: FuzzOptions,
): fc.Arbitrary<Asked> {
  const word = (value: unknown) => typeof value === "string" ? value : JSON.stringify(value) ?? "";
  const parameter = ({ name, schema, in: place, required }: Operation["parameters"][number]) => {
    const good = fitting(document, schema).map(word), one = knownOf(known, path, name);
    const there = one === undefined ? good : fc.oneof(good, { weight: 2, arbitrary: fc.constant(one) });
    // No waiting: what is waited for is tried elsewhere, in time that does not pass.
    const usual = name === "wait"
      ? fc.constantFrom("0", "1")
      : name === "Idempotency-Key"
      ? fc.oneof(fc.uuid(), fc.constantFrom("always-the-same-key", '"quoted-key"'))
      : there;
    const any = fc.oneof({ weight: 6, arbitrary: usual }, hostile.map(word));
    return place === "path" || required || name === "wait" ? any : fc.oneof(any, fc.constant(undefined));
  };
  const given = fc.record(Object.fromEntries(parameters.map((one) => [one.name, parameter(one)])));
  const stranger = fc.oneof(
    { weight: 12, arbitrary: fc.constant(undefined) },
    fc.constantFrom("no-such-parameter", "__proto__", "filter[]"),
  );
  return fc.tuple(given, stranger, bodies(body, document, known)).map(([values, strange, content]) => {
    let filled = path;
    const search = new URLSearchParams(), headers: Record<string, string> = {};
    for (const { name, in: place } of parameters) {
      const value = values[name];
      if (value === undefined) continue;
      // A path can't hold nothing or dots alone, and what is no Unicode can't be put into a URL.
      const text = value.toWellFormed().slice(0, 2000);
      if (place === "path") {
        filled = filled.replace(`{${name}}`, () => encodeURIComponent(/^\.*$/.test(text) ? "-" : text));
      } else if (place === "header") headers[name] = text.replace(/[^\x20-\x7e]/g, "").trim();
      else search.set(name, text);
    }
    if (strange !== undefined) search.set(strange, "1");
    const query = search.toString();
    return {
      path: query === "" ? filled : `${filled}?${query}`,
      headers,
      type: content?.type,
      body: content?.text,
      stranger: strange !== undefined || content?.stranger === true,
    };
  });
}

/** What is there for a parameter of a path: the longest beginning that names one, else the name alone. */
function knownOf(known: FuzzOptions["known"], path: string, name: string): string | undefined {
  const keys = Object.keys(known).filter((key) => {
    const [beginning, of] = key.split(" ");
    return of === name && path.startsWith(beginning!);
  });
  return known[keys.sort((a, b) => b.length - a.length)[0] ?? name];
}

type Content = { type: string; text: string; stranger: boolean } | undefined;

function bodies(
  body: Operation["body"],
  document: Document,
  known: Readonly<Record<string, string>>,
): fc.Arbitrary<Content> {
  if (!body) return fc.constant(undefined);
  const ways: fc.Arbitrary<Content>[] = [];
  for (const [type, schema] of Object.entries(body.content)) {
    if (!type.endsWith("json")) {
      const sent = type === "*/*" ? "application/octet-stream" : type;
      ways.push(
        fc.string({ unit: "binary", maxLength: 300 }).map((text) => ({
          type: sent,
          text: text.toWellFormed(),
          stranger: false,
        })),
      );
      continue;
    }
    const json = (value: unknown, stranger = false): Content => ({
      type,
      text: JSON.stringify(value),
      stranger,
    });
    const whole = fitting(document, schema).map((value) => place(value, known));
    ways.push(
      whole.map((value) => json(value)),
      whole.chain((value) => spoilt(value)).map((value) => json(value ?? null)),
      // Fields that nobody declared, where the schema lets none in.
      whole.map((value) =>
        typeof value === "object" && value !== null && !Array.isArray(value)
          ? json({ ...value, "no-such-field": 1 }, schema["additionalProperties"] === false)
          : json(value)
      ),
      fc.constantFrom(
        "",
        "{",
        "nul",
        "[1,]",
        '{"a":1}{',
        '{"__proto__":{"a":1}}',
        "[".repeat(500),
        "\ufeff{}",
      ).map((
        text,
      ) => ({ type, text, stranger: false })),
    );
  }
  const other = { type: "application/xml", text: "<a/>", stranger: false };
  return fc.oneof(
    ...ways.map((arbitrary) => ({ weight: 3, arbitrary })),
    fc.constant(other),
    fc.constant(undefined),
  );
}

/** Names what is there, where a body has a place for it. */
function place(value: unknown, known: Readonly<Record<string, string>>): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === "filter" && typeof member === "string" ? known["filter"] ?? member : place(member, known),
    ]),
  );
}

function mayFail({ method, path, responses }: Operation, status: string): boolean {
  const isStream = STREAMS in (responses["200"] ?? {});
  return MAY_FAIL[`${method} ${path}`]?.includes(status) || (status === "503" && isStream);
}

async function ask(
  operation: Operation,
  { path, headers, type, body, stranger }: Asked,
  { url, tokenOf, document }: FuzzOptions,
): Promise<{ status: string; wrong: string[] }> {
  const response = await fetch(url + path, {
    method: operation.method,
    headers: {
      ...headers,
      authorization: `Bearer ${tokenOf(operation.path)}`,
      ...(type === undefined ? {} : { "content-type": type }),
    },
    ...(body === undefined ? {} : { body }),
    redirect: "manual",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const status = String(response.status), wrong: string[] = [];
  const answered = (response.headers.get("content-type") ?? "").split(";")[0]!;
  if (answered === STREAMS) {
    await response.body?.cancel();
    if (
      operation.responses[status]?.[answered] === undefined &&
      !(answered in (operation.responses[status] ?? {}))
    ) {
      wrong.push(`answers ${status} ${answered}, of which the document knows nothing`);
    }
    return { status, wrong };
  }
  const text = await response.text();
  const said = () => `${status} ${text.slice(0, 300)}`;
  if (status.startsWith("5") && !mayFail(operation, status)) wrong.push(said());
  if (status === "503" && !response.headers.has("retry-after")) wrong.push(`no Retry-After: ${said()}`);
  const documented = operation.responses[status];
  if (!documented) wrong.push(`${status} is not documented: ${text.slice(0, 200)}`);
  if (response.status >= 400 && answered !== "application/problem+json") wrong.push(`no problem: ${said()}`);
  if (stranger && response.ok) wrong.push(`takes what it does not know: ${said()}`);
  if (documented && answered.endsWith("json")) {
    const schema = documented[answered];
    if (schema) wrong.push(...misfits(document, schema, JSON.parse(text)).map((what) => `${status} ${what}`));
    else if (!(answered in documented)) {
      wrong.push(`${status} is ${answered}, which the document does not say`);
    }
  }
  if (!response.headers.has("x-request-id")) wrong.push("no request id");
  return { status, wrong };
}
