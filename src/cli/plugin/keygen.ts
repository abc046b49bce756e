/**
 * `gatehouse plugin keygen`: a pair of keys to sign with.
 *
 * @module
 */
import { makeKeys } from "../../sandbox/package/mod.ts";
import { EXIT, StartError } from "../errors.ts";
import { type Kind, path, words } from "../parsers.ts";
import { type Command, STAYS_HOME } from "./command.ts";

const command: Command = {
  name: "keygen",
  summary: "makes a pair of keys to sign with",
  about:
    `FILE.key is the private key: keep it, and show it to nobody. FILE.pub is what gateways are told to trust. Neither
file is ever written over.`,
  positionals: [{
    label: "FILE",
    kind: path("FILE") as Kind<string>,
    help: "the files' name, without an ending",
  }],
  options: { name: { kind: words("NAME", 200), help: "whose key it is; default: FILE" } },
  examples: ['gatehouse plugin keygen example --name "Example Ltd"'],
  failure: "a file is there already, or can't be written",
  givesUp: STAYS_HOME,
  async run({ words: [file], value }, { print }) {
    const { id, privateFile, publicFile } = await makeKeys(value<string>("name") ?? file!);
    await create(`${file}.key`, privateFile, 0o600);
    try {
      await create(`${file}.pub`, publicFile, 0o644);
    } catch (error) {
      await Deno.remove(`${file}.key`);
      throw error;
    }
    print(`made ${file}.key, the private key: keep it`);
    print(`made ${file}.pub, the public key: for those who are to trust it`);
    print(`id ${id}`);
    return EXIT.ok;
  },
};
export default command;

async function create(file: string, text: string, mode: number): Promise<void> {
  try {
    await Deno.writeTextFile(file, text, { createNew: true, mode });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw new StartError(`"${file}" is there already`);
    throw error;
  }
}
