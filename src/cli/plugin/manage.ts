/**
 * `gatehouse plugin start`, `stop`, `rollback`, `remove`: what becomes of a plug-in that is on a gateway.
 *
 * @module
 */
import { EXIT, StartError } from "../errors.ts";
import { type Kind, words } from "../parsers.ts";
import { type Answer, CONTROL_OPTIONS, ControlClient } from "./control_client.ts";
import { ASKS_OTHERS, type Command } from "./command.ts";

/** What the four have in common: a name, and one question to a gateway. */
function managing(
  { name, summary, about, failure, ask }: {
    readonly name: string;
    readonly summary: string;
    readonly about: string;
    readonly failure: string;
    readonly ask: (api: ControlClient, path: string) => Promise<Answer>;
  },
): Command {
  return {
    name,
    summary,
    about,
    positionals: [{ label: "NAME", kind: words("NAME", 100) as Kind<string>, help: "the plug-in" }],
    options: CONTROL_OPTIONS,
    examples: [
      `gatehouse plugin ${name} com.example.greeter --to http://192.168.1.1:8081 --token-file token`,
    ],
    failure,
    givesUp: ASKS_OTHERS,
    async run({ words: [plugin], ...input }, terminal) {
      const api = await ControlClient.open({ words: [], ...input }, terminal);
      if (await api.role() !== "gateway") {
        throw new StartError(`${api.url.origin} is no gateway: name the one that has the plug-in`);
      }
      const { body } = await ask(api, `/api/v1/plugins/${encodeURIComponent(plugin!)}`);
      const { version, state = "no more" } = body;
      terminal.print(
        `${plugin}${version === undefined ? "" : ` ${version}`} is ${state} on ${api.url.origin}`,
      );
      return EXIT.ok;
    },
  };
}

/** `gatehouse plugin start`. */
export const start: Command = managing({
  name: "start",
  summary: "starts one that was stopped, or that is broken",
  about:
    `A plug-in that failed three times in an hour is broken: it stays down until it is started so, or its files
change. The failures are forgotten.`,
  failure: "there is no such plug-in, or it does not load: the reason is told",
  ask: (api, path) => api.post(`${path}/run`),
});

/** `gatehouse plugin stop`. */
export const stop: Command = managing({
  name: "stop",
  summary: "stops one; it stays stopped, after a restart too",
  about: "What it keeps in its storage stays, and so do its versions.",
  failure: "there is no such plug-in, or the gateway does not answer",
  ask: (api, path) => api.post(`${path}/stop`),
});

/** `gatehouse plugin rollback`. */
export const rollback: Command = managing({
  name: "rollback",
  summary: "goes back to the version that ran before",
  about:
    `The version that is left is deleted. Two earlier ones are kept (--keep-versions of the gateway), and each time
it goes one further back.`,
  failure: "there is no such plug-in, no earlier version of it, or that one does not load",
  ask: (api, path) => api.post(`${path}/rollback`),
});

/** `gatehouse plugin remove`. */
export const remove: Command = managing({
  name: "remove",
  summary: "stops one and deletes it with all its versions",
  about: "What it keeps in its storage is deleted, too.",
  failure: "there is no such plug-in, or the gateway does not answer",
  ask: (api, path) => api.delete(path),
});
