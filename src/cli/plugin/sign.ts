/**
 * `gatehouse plugin sign`: adds a signature to a package.
 *
 * @module
 */
import { type PackedPlugin, type SigningKey, signPackage } from "../../sandbox/package/mod.ts";
import { EXIT, StartError, UsageError } from "../errors.ts";
import { type Kind, path } from "../parsers.ts";
import { type Command, STAYS_HOME } from "./command.ts";
import { privateKeyIn } from "./keys.ts";
import { readProject } from "./project.ts";

/** A package with one signature more. */
export async function signed(bytes: Uint8Array<ArrayBuffer>, key: SigningKey): Promise<PackedPlugin> {
  return await signPackage(bytes, key);
}

/** Writes a package beside its place and moves it in, so that there is never half of one. */
export async function writePackage(file: string, bytes: Uint8Array): Promise<void> {
  const beside = `${file}.${Deno.pid}`;
  await Deno.writeFile(beside, bytes);
  await Deno.rename(beside, file);
}

const command: Command = {
  name: "sign",
  summary: "signs a package",
  about:
    `The signature goes into the package, beside those that are there: a package can be signed by its vendor and by
the carrier. Whoever trusts one of the keys takes it.`,
  positionals: [{ label: "FILE", kind: path("FILE") as Kind<string>, help: "the package" }],
  options: {
    key: { kind: path("FILE"), help: "the private key, as keygen makes it" },
    output: { kind: path("FILE"), help: "where the signed package goes; default: in its own place" },
  },
  examples: ["gatehouse plugin sign com.example.greeter-1.0.ghp --key example.key"],
  failure: "the package or the key can't be used",
  givesUp: STAYS_HOME,
  async run({ words: [file], value }, { print }) {
    const keyFile = value<string>("key");
    if (keyFile === undefined) throw new UsageError("--key is needed: the private key, as keygen makes it");
    const { bytes, packed } = await readProject(file!);
    if (!packed) throw new StartError(`"${file}" is no package: make one with "gatehouse plugin pack"`);
    const key = await privateKeyIn(keyFile);
    const { plugin, bytes: made } = await signed(bytes, key);
    await writePackage(value<string>("output") ?? file!, made);
    print(`${value<string>("output") ?? file}: ${plugin.manifest.name} ${plugin.manifest.version}`);
    print(`sha256 ${plugin.sha256}`);
    for (const { key } of plugin.signatures) print(`signed by ${key}`);
    return EXIT.ok;
  },
};
export default command;
