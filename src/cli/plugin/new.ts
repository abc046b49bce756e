/**
 * `gatehouse plugin new`: the folder of a new plug-in.
 *
 * @module
 */
import { join } from "@std/path";
import types from "../../../plugins/gatehouse.d.ts" with { type: "text" };
import { API_VERSIONS } from "../../sandbox/mod.ts";
import { manifestFaults } from "../../sandbox/package/mod.ts";
import { EXIT, StartError } from "../errors.ts";
import { type Kind, path } from "../parsers.ts";
import { type Command, STAYS_HOME } from "./command.ts";
import pluginJs from "./template/plugin.js.txt" with { type: "text" };
import pluginTest from "./template/plugin_test.js.txt" with { type: "text" };
import pluginTs from "./template/plugin.ts.txt" with { type: "text" };

const pluginName: Kind<string> = {
  label: "NAME",
  allowed: "letters, digits, '.', '_', '-', up to 100, such as com.example.greeter",
  parse(text) {
    const faults = manifestFaults({ name: text, version: "1", apiVersion: "2026-11-01", commands: {} });
    return faults.length === 0 ? text : undefined;
  },
};

const command: Command = {
  name: "new",
  summary: "makes the folder of a new plug-in",
  about:
    `The folder has the plug-in with its manifest, a test, and the types that editors pick up. What is there is a
plug-in that works: "gatehouse plugin test" passes at once.`,
  positionals: [{ label: "NAME", kind: pluginName, help: `the plug-in's name; ${pluginName.allowed}` }],
  options: {
    dir: { kind: path("DIR"), help: "the folder to make; default: the name" },
    typescript: { help: "plugin.ts in place of plugin.js" },
  },
  examples: [
    "gatehouse plugin new com.example.greeter",
    "gatehouse plugin new greeter --typescript --dir src/greeter",
  ],
  failure: "the folder is there already, or can't be written",
  givesUp: STAYS_HOME,
  async run({ words: [name], value, has }, { print }) {
    const dir = value<string>("dir") ?? name!;
    try {
      await Deno.mkdir(dir);
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) throw new StartError(`"${dir}" is there already`);
      throw error;
    }
    const names = { name: name!, apiVersion: API_VERSIONS.at(-1)!, command: "GREET" };
    const filled = (text: string) =>
      text.replace(/\{\{(\w+)\}\}/g, (_, key) => names[key as keyof typeof names]);
    const files: Record<string, string> = {
      ...(has("typescript") ? { "plugin.ts": filled(pluginTs) } : { "plugin.js": filled(pluginJs) }),
      "plugin_test.js": filled(pluginTest),
      "gatehouse.d.ts": types,
    };
    for (const [file, text] of Object.entries(files)) {
      await Deno.writeTextFile(join(dir, file), text, { createNew: true });
      print(`made ${join(dir, file)}`);
    }
    print(`next: gatehouse plugin test ${dir}`);
    return EXIT.ok;
  },
};
export default command;
