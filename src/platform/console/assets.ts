/**
 * The console's files: part of the program, so that it works where nothing can be fetched.
 *
 * @module
 */
import { createHash } from "node:crypto";
import css from "./assets/console.css" with { type: "text" };
import js from "./assets/console.js" with { type: "text" };
import icon from "./assets/gatehouse.svg" with { type: "text" };

const FILES: Readonly<Record<string, readonly [mediaType: string, text: string]>> = {
  "console.css": ["text/css", css],
  "console.js": ["text/javascript", js],
  "gatehouse.svg": ["image/svg+xml", icon],
};

const hashes = new Map(
  Object.entries(FILES).map(([name, [, text]]) =>
    [name, createHash("sha256").update(text).digest("hex").slice(0, 12)] as const
  ),
);

/** Where a file is: another address for other content, so that browsers may keep it. */
export function assetPath(name: keyof typeof FILES & string): string {
  return `/assets/${hashes.get(name)}/${name}`;
}

/** The file at a path under `/assets/`; undefined where there is none. */
export function asset(path: string): Response | undefined {
  const [, hash, name = ""] = /^\/assets\/([0-9a-f]{12})\/([\w.-]+)$/.exec(path) ?? [];
  const file = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
  if (!file) return undefined;
  const fresh = hashes.get(name) === hash;
  return new Response(file[1], {
    headers: {
      "content-type": `${file[0]}; charset=utf-8`,
      "cache-control": fresh ? "public, max-age=31536000, immutable" : "no-cache",
      "x-content-type-options": "nosniff",
    },
  });
}
