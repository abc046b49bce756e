/**
 * `gatehouse plugin logs`: the last lines of a plug-in's log.
 *
 * @module
 */
import { sleep, systemClock } from "../../base/mod.ts";
import { EXIT } from "../errors.ts";
import { type Kind, path, whole, words } from "../parsers.ts";
import { ASKS_OTHERS, type Command } from "./command.ts";
import { CONTROL_OPTIONS, ControlClient } from "./control_client.ts";
import { withOwnPlace } from "./frames.ts";
import { plain } from "./terminal.ts";

const FOLLOW_MS = 500;

/** The lines behind `after`, printed; gives the number to go on with. `source`: where its author has it. */
export async function printLogs(
  api: ControlClient,
  plugin: string,
  query: { after?: number; limit: number },
  print: (line: string) => void,
  source?: string,
): Promise<number> {
  const after = query.after === undefined ? "" : `&after=${query.after}`;
  const path = `/api/v1/plugins/${encodeURIComponent(plugin)}/logs?limit=${query.limit}${after}`;
  const { items, next } = (await api.get(path)).body as {
    items: { time: string; level: string; text: string }[];
    next: number;
  };
  for (const { time, level, text } of items) {
    const shown = source === undefined ? text : await withOwnPlace(source, text);
    const head = `${time.slice(11, 23)} ${level.toUpperCase().padEnd(5)} `;
    // A line break in a plug-in's text begins no line of the log.
    print(head + plain(shown).replaceAll("\n", `\n${" ".repeat(head.length)}`));
  }
  return next;
}

const command: Command = {
  name: "logs",
  summary: "shows the last lines of a plug-in's log",
  about:
    `A gateway keeps a thousand lines of each plug-in: what it logs, what it throws (with its own file and line), and
what happened to it. Times are UTC. With --source what it throws is shown with the line as it stands there.`,
  positionals: [{ label: "NAME", kind: words("NAME", 100) as Kind<string>, help: "the plug-in" }],
  options: {
    ...CONTROL_OPTIONS,
    limit: { kind: whole(1, 1000), help: "how many lines; default: 100" },
    source: { kind: path("DIR"), help: "the plug-in as its author has it: a folder or a file" },
    follow: { help: "goes on with the lines that come, until it is interrupted" },
  },
  examples: ["gatehouse plugin logs com.example.greeter --follow"],
  failure: "there is no such plug-in, or the control API does not answer",
  givesUp: ASKS_OTHERS,
  async run(input, terminal) {
    const api = await ControlClient.open(input, terminal), name = input.words[0]!;
    const source = input.value<string>("source"), limit = input.value<number>("limit") ?? 100;
    let after = await printLogs(api, name, { limit }, terminal.print, source);
    if (!input.has("follow")) return EXIT.ok;
    const stop = new AbortController();
    terminal.interrupted().then(() => stop.abort());
    while (await sleep(systemClock, FOLLOW_MS, stop.signal).then(() => true, () => false)) {
      after = await printLogs(api, name, { after, limit: 1000 }, terminal.print, source);
    }
    return EXIT.ok;
  },
};
export default command;
