/**
 * The OpenAPI document as a page for people: one HTML file without scripts, fonts or anything from elsewhere. Loaded only
 * when somebody asks for it.
 *
 * @module
 */

type Json = Readonly<Record<string, unknown>>;

const METHODS = ["get", "post", "put", "patch", "delete"];
/** How deep schemas are shown. */
const MAX_DEPTH = 6;

const STYLE = `:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}
body{max-width:72rem;margin:0 auto;padding:1rem}
nav ul{columns:18rem;padding-left:1rem}
article{border:1px solid #8886;border-radius:6px;margin:.6rem 0;padding:.2rem .8rem}
summary{cursor:pointer;padding:.4rem 0}
code,pre{font:13px/1.45 ui-monospace,monospace}
pre{overflow:auto;border:1px solid #8884;border-radius:6px;padding:.6rem}
.method{display:inline-block;min-width:4.5rem;font-weight:700}
.who{float:right;opacity:.8}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.2rem .6rem .2rem 0;border-bottom:1px solid #8883}`;

/** The headers of the page: it may load nothing, and nothing may frame it. */
export const DOCS_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** The page over `document`, which is an OpenAPI document of this program. */
export function docsPage(document: Json): string {
  const { title, version } = document["info"] as { title: string; version: string };
  const groups = new Map<string, string[]>();
  for (
    const [path, operations] of Object.entries(document["paths"] as Record<string, Record<string, Json>>)
  ) {
    for (const method of METHODS) {
      const operation = operations[method];
      if (!operation) continue;
      const tag = String((operation["tags"] as string[] | undefined)?.[0] ?? "others");
      const list = groups.get(tag) ?? [];
      list.push(article(method.toUpperCase(), path, operation));
      groups.set(tag, list);
    }
  }
  const sent = Object.entries((document["webhooks"] ?? {}) as Record<string, Record<string, Json>>);
  for (const [name, { post }] of sent) {
    const tag = String((post!["tags"] as string[] | undefined)?.[0] ?? "others");
    groups.set(tag, [...groups.get(tag) ?? [], article("SENDS", name, post!)]);
  }
  const tags = [...groups].sort(([one], [other]) => one < other ? -1 : 1);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${text(title)}: API</title><style>${STYLE}</style></head><body>
<header><h1>${text(title)}, API version ${text(version)}</h1>
<p>Programs read the same as <a href="/openapi.json">/openapi.json</a>. A bearer token is needed where a permission
is named; one of those named is enough. Errors are <code>application/problem+json</code>: branch on <code>code</code>.</p></header>
<nav aria-label="Parts"><ul>${
    tags.map(([tag, list]) => `<li><a href="#${anchor(tag)}">${text(tag)}</a> (${list.length})</li>`).join("")
  }</ul></nav>
<main>${
    tags.map(([tag, list]) =>
      `<section id="${anchor(tag)}"><h2>${text(tag)}</h2>${list.join("\n")}</section>`
    )
      .join("\n")
  }</main></body></html>`;
}

function article(method: string, path: string, operation: Json): string {
  const permissions = operation["x-permissions"] as string[] | undefined;
  // A long list is "whoever has any permission at all".
  const who = permissions === undefined
    ? "no token needed"
    : permissions.length > 4
    ? "any operator"
    : permissions.join(" or ");
  const parameters = (operation["parameters"] ?? []) as Json[];
  const content = (operation["requestBody"] as Json | undefined)?.["content"] as
    | Record<string, Json>
    | undefined;
  const responses = operation["responses"] as Record<string, Json>;
  return `<article><details><summary><span class="method">${method}</span> <code>${text(path)}</code>
<span class="who">${text(who)}${operation["x-unconfined"] ? ", not confined to groups" : ""}</span>
<br>${text(operation["summary"])}</summary>
${operation["description"] ? `<p>${text(operation["description"])}</p>` : ""}
${
    parameters.length === 0
      ? ""
      : `<h3>Parameters</h3><table>${
        parameters.map((one) =>
          `<tr><th scope="row"><code>${text(one["name"])}</code></th><td>${text(one["in"])}${
            one["required"] ? ", required" : ""
          }</td><td><code>${text(shape(one["schema"]))}</code></td></tr>`
        ).join("")
      }</table>`
  }
${
    Object.entries(content ?? {}).map(([type, one]) =>
      `<h3>Body: <code>${text(type)}</code></h3>${
        one["schema"] ? `<pre>${text(shape(one["schema"]))}</pre>` : ""
      }`
    ).join("")
  }
<h3>Answers</h3><table>${
    Object.entries(responses).map(([status, one]) => {
      const problem = one["$ref"] !== undefined;
      const schemas = Object.entries((one["content"] ?? {}) as Record<string, Json>)
        .filter(([type]) => type !== "application/problem+json")
        .map(([type, { schema }]) =>
          schema ? `<pre>${text(shape(schema))}</pre>` : `<code>${text(type)}</code>`
        );
      return `<tr><th scope="row">${text(status)}</th><td>${
        problem ? "a problem, as everywhere" : text(one["description"])
      }${schemas.join("")}</td></tr>`;
    }).join("")
  }</table></details></article>`;
}

/** A schema in few words: `{ name: string, tags?: string[] }`. */
function shape(schema: unknown, indent = "", depth = 0): string {
  if (typeof schema !== "object" || schema === null || depth > MAX_DEPTH) return "…";
  const one = schema as Json, deeper = `${indent}  `;
  if (typeof one["$ref"] === "string") return one["$ref"].split("/").at(-1)!;
  if ("const" in one) return JSON.stringify(one["const"]);
  if (Array.isArray(one["enum"])) return one["enum"].map((value) => JSON.stringify(value)).join(" | ");
  const ways = (one["anyOf"] ?? one["oneOf"]) as unknown[] | undefined;
  if (ways) return ways.map((way) => shape(way, indent, depth + 1)).join(" | ");
  if (one["type"] === "array") return `${shape(one["items"], indent, depth + 1)}[]`;
  if (one["type"] === "object" && one["properties"]) {
    const required = (one["required"] ?? []) as string[];
    const members = Object.entries(one["properties"] as Json).map(([name, member]) =>
      `${deeper}${name}${required.includes(name) ? "" : "?"}: ${shape(member, deeper, depth + 1)}`
    );
    return `{\n${members.join("\n")}\n${indent}}`;
  }
  const bounds = ["minimum", "maximum", "minLength", "maxLength", "pattern", "format", "default", "examples"]
    .filter((name) => one[name] !== undefined)
    .map((name) => `${name} ${typeof one[name] === "string" ? one[name] : JSON.stringify(one[name])}`);
  const type = one["type"] === undefined ? "any" : [one["type"]].flat().join(" | ");
  return bounds.length > 0 ? `${type} (${bounds.join(", ")})` : type;
}

function anchor(tag: string): string {
  return tag.replace(/[^A-Za-z0-9]+/g, "-");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function text(value: unknown): string {
  return String(value ?? "").replace(/[&<>"']/g, (char) => ESCAPES[char]!);
}
