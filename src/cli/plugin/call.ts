/**
 * `gatehouse plugin call`: a command of a plug-in, called through a gateway's control API.
 *
 * @module
 */
import { EXIT } from "../errors.ts";
import { type Kind, words } from "../parsers.ts";
import { ASKS_OTHERS, type Command } from "./command.ts";
import { CONTROL_OPTIONS, ControlClient } from "./control_client.ts";

const fields: Kind<Record<string, unknown>> = {
  label: "JSON",
  allowed: `an object, such as '{"Name": "Ann"}'`,
  parse(text) {
    try {
      const value = JSON.parse(text);
      return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
    } catch {
      return undefined;
    }
  },
};

const command: Command = {
  name: "call",
  summary: "calls a command of a plug-in on a gateway",
  about:
    `The answer is the inner reply, as an app or the platform gets it: Status "0" with the command's fields, or "1" with
FailReason.`,
  positionals: [
    {
      label: "NAME",
      kind: words("NAME", 100) as Kind<string>,
      help: "the plug-in; -: whichever has the command",
    },
    { label: "COMMAND", kind: words("COMMAND", 64) as Kind<string>, help: "the CmdType" },
  ],
  options: { ...CONTROL_OPTIONS, fields: { kind: fields, help: "fields of the request" } },
  examples: [`gatehouse plugin call com.example.greeter GREET --fields '{"Name": "Ann"}'`],
  failure: "the command failed, or could not be called",
  givesUp: ASKS_OTHERS,
  async run(input, terminal) {
    const api = await ControlClient.open(input, terminal), [name, CmdType] = input.words;
    const parameter = { ...input.value<Record<string, unknown>>("fields"), CmdType };
    const { body } = await api.post(`/api/v1/plugins/${encodeURIComponent(name!)}/call`, { parameter });
    const reply = body.reply as { Status?: unknown };
    terminal.print(JSON.stringify(body, undefined, 2));
    return body.result === 0 && reply.Status === "0" ? EXIT.ok : EXIT.failed;
  },
};
export default command;
