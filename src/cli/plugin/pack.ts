/**
 * `gatehouse plugin pack`: the package that is installed.
 *
 * @module
 */
import { PACKAGE_EXTENSION } from "../../sandbox/package/mod.ts";
import { EXIT, StartError } from "../errors.ts";
import { path } from "../parsers.ts";
import { type Command, STAYS_HOME } from "./command.ts";
import { privateKeyIn } from "./keys.ts";
import { PLUGIN_PATH, readProject } from "./project.ts";
import { signed, writePackage } from "./sign.ts";
import { size } from "./terminal.ts";

const command: Command = {
  name: "pack",
  summary: "makes the package that is installed",
  about:
    `TypeScript becomes JavaScript with every line where it was. Tests, declarations and what starts with a dot stay
out. The same files give the same bytes, so anybody can make the package again and compare.`,
  positionals: [PLUGIN_PATH],
  options: {
    output: { kind: path("FILE"), help: `the package; default: NAME-VERSION${PACKAGE_EXTENSION}` },
    key: { kind: path("FILE"), help: "a private key to sign with, as keygen makes it" },
  },
  examples: [
    "gatehouse plugin pack greeter",
    "gatehouse plugin pack greeter --key example.key --output greeter.ghp",
  ],
  failure: "the plug-in has faults: each is told",
  givesUp: STAYS_HOME,
  async run({ words: [place], value }, { print }) {
    const { plugin, bytes, packed } = await readProject(place!);
    if (packed) throw new StartError(`"${place}" is a package already: "gatehouse plugin sign" signs it`);
    const { name, version } = plugin.manifest;
    const output = value<string>("output") ?? `${name}-${version}${PACKAGE_EXTENSION}`;
    const keyFile = value<string>("key");
    const made = keyFile === undefined ? { bytes, plugin } : await signed(bytes, await privateKeyIn(keyFile));
    await writePackage(output, made.bytes);
    print(`${output}: ${name} ${version}, ${plugin.files.size} files, ${size(made.bytes.length)}`);
    print(`sha256 ${made.plugin.sha256}`);
    for (const { key } of made.plugin.signatures) print(`signed by ${key}`);
    return EXIT.ok;
  },
};
export default command;
