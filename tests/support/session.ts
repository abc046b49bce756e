/**
 * Sessions at a terminal that documents show: the commands, and what they said.
 *
 * @module
 */

/** One command of a document. */
export interface Step {
  readonly command: string;
  /** Standard output and standard error, in the order of a terminal that waits for one and then the other. */
  readonly output: string;
}

/** Every code block of a language. */
export function blocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, "g"))].map(([, text]) =>
    text!
  );
}

/** The commands of all `console` blocks, in order. */
export function stepsOf(markdown: string): Step[] {
  return blocks(markdown, "console").flatMap((block) =>
    block.split(/^\$ /m).slice(1).map((text) => {
      const [command, ...output] = text.trimEnd().split("\n");
      return { command: command!, output: output.join("\n") };
    })
  );
}

/** The text without what is another each time: times, sizes, keys and digests, a simulated load, column widths. */
export function steady(text: string): string {
  return text
    .replace(/\b[0-9a-f]{64}\b/g, "<hex>")
    .replace(/\b\d\d:\d\d:\d\d\.\d{3}\b/g, "<time>")
    .replace(/-?\b[\d.]+ (ms|KB|MB|B)(?=[\s,)]|$)/gm, "<n>")
    .replace(/"SequenceId": "\w+"/g, '"SequenceId": "<id>"')
    .replace(/\b\d+ %/g, "<n> %")
    .replace(/ +/g, " ").trim();
}
