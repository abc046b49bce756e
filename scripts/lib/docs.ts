/**
 * What can be checked of documents and docstrings, as functions of their texts.
 *
 * @module
 */
import type { Problem } from "./imports.ts";

/** A heading: its depth, 1 to 6, and its text. */
export interface Heading {
  readonly depth: number;
  readonly text: string;
  readonly line: number;
}

/** The headings outside code. */
export function headingsOf(markdown: string): Heading[] {
  return prose(markdown).flatMap((text, index) => {
    const [, marks, title] = /^(#{1,6})\s+(.+?)\s*#*$/.exec(text) ?? [];
    return marks === undefined ? [] : [{ depth: marks.length, text: title!, line: index + 1 }];
  });
}

/** The links to files of this repository, with their line: `[text](docs/x.md#part)`, images too. */
export function linksOf(markdown: string): { target: string; line: number }[] {
  return prose(markdown).flatMap((text, index) =>
    [...text.replace(/`[^`]*`/g, "").matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)]
      .map(([, target]) => ({ target: target!, line: index + 1 }))
      .filter(({ target }) => !/^[a-z][a-z+.-]*:/i.test(target))
  );
}

/** The anchor that a heading gets where the document is shown. */
export function anchorOf(heading: string): string {
  return heading.toLowerCase().replace(/`|\*|\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim().replace(/\s/g, "-");
}

/** Links that lead nowhere. `documents`: texts by path; `exists`: whether there is such a file or folder. */
export function brokenLinks(
  documents: ReadonlyMap<string, string>,
  exists: (path: string) => boolean,
): Problem[] {
  const problems: Problem[] = [];
  for (const [file, text] of documents) {
    for (const { target, line } of linksOf(text)) {
      const [path = "", anchor] = target.split("#", 2);
      const to = path === "" ? file : decodeURIComponent(new URL(path, `file:///${file}`).pathname.slice(1));
      if (!exists(to)) problems.push({ file, line, message: `link to "${target}": there is no such file` });
      else if (anchor && documents.has(to)) {
        const anchors = headingsOf(documents.get(to)!).map((heading) => anchorOf(heading.text));
        if (!anchors.includes(decodeURIComponent(anchor))) {
          problems.push({ file, line, message: `link to "${target}": there is no such heading` });
        }
      }
    }
  }
  return problems;
}

/** Files of the project that a text names between back quotes: `tests/life_test.ts`. */
export function filesNamed(text: string): { readonly path: string; readonly line: number }[] {
  return text.split("\n").flatMap((content, i) =>
    [...content.matchAll(/`((?:src|tests|scripts|docs|\.ci)\/[\w./-]*)`/g)].map(([, path]) => ({
      path: path!,
      line: i + 1,
    }))
  );
}

/** Files that documents name as a proof and that are not there. */
export function missingFiles(
  documents: ReadonlyMap<string, string>,
  exists: (path: string) => boolean,
): Problem[] {
  return [...documents].flatMap(([file, text]) =>
    filesNamed(text).filter(({ path }) => !exists(path)).map(({ path, line }) => ({
      file,
      line,
      message: `there is no "${path}"`,
    }))
  );
}

/** Where a translation has other sections than the original: another number, or another order of depths. */
export function unequalSections(original: [string, string], translation: [string, string]): Problem[] {
  const [here, there] = [headingsOf(original[1]), headingsOf(translation[1])];
  const odd = here.findIndex((heading, i) => heading.depth !== there[i]?.depth);
  if (odd < 0 && here.length === there.length) return [];
  const at = odd < 0 ? here.length : odd;
  const message = `section ${at + 1} does not match "${here[at]?.text ?? "(none)"}" of ${original[0]}`;
  return [{ file: translation[0], line: there[at]?.line ?? 1, message }];
}

/** A source file that does not begin by saying what may live in it. */
export function missingHead(file: string, text: string): Problem[] {
  const rest = text.replace(/^#!.*\n/, "").replace(/^(\/\/.*\n)*/, "");
  const head = /^\/\*\*([\s\S]*?)\*\//.exec(rest);
  const words = head?.[1]?.replace(/@module|[\s*]/g, "") ?? "";
  if (head?.[1]?.includes("@module") && words.length > 0) return [];
  return [{ file, line: 1, message: "does not begin with a `/** ... @module */` head" }];
}

/** The text between two marks, with the line after the first; undefined where they are not there. */
export function between(text: string, mark: string): string | undefined {
  return new RegExp(`<!-- ${mark} -->\\n([\\s\\S]*?)<!-- /${mark} -->`).exec(text)?.[1];
}

/** The text with other words between two marks. */
export function replaceBetween(text: string, mark: string, content: string): string {
  return text.replace(
    new RegExp(`(<!-- ${mark} -->\\n)[\\s\\S]*?(<!-- /${mark} -->)`),
    (_, open: string, close: string) => open + content + close,
  );
}

/** The lines, with those inside code blocks blanked. */
function prose(markdown: string): string[] {
  let fence: string | undefined;
  return markdown.split("\n").map((text) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(text)?.[1];
    if (fence === undefined && mark) fence = mark;
    else if (fence !== undefined && mark?.startsWith(fence)) fence = undefined;
    else return fence === undefined ? text : "";
    return "";
  });
}
