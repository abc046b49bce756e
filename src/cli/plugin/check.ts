/**
 * `gatehouse plugin check`: what is wrong with a plug-in, as far as that can be told without a gateway.
 *
 * @module
 */
import { systemClock, systemRandom } from "../../base/mod.ts";
import { openFakeGateway } from "../../gateway/fake/mod.ts";
import { Workshop } from "../../sandbox/author/mod.ts";
import { PluginError } from "../../sandbox/mod.ts";
import { isTypeScript, PackageError, stripTypes } from "../../sandbox/package/mod.ts";
import { EXIT } from "../errors.ts";
import { giveUp } from "../permissions.ts";
import { type Command, COMPILES } from "./command.ts";
import { lineOf, type Remark, remarksOn } from "./remarks.ts";
import { PLUGIN_PATH, pointAt, type Project, readProject, sourceOf } from "./project.ts";
import { plain, size, time } from "./terminal.ts";
import { checkTypes, type TypeCheck } from "./types.ts";
import { inWords } from "./wording.ts";

const command: Command = {
  name: "check",
  summary: "finds faults without a gateway",
  about:
    `Reads it as a gateway would: syntax, manifest (every fault with its path and line), imports, size; then loads it in
the sandbox. Its types are checked against the gatehouse.d.ts beside it, where deno or tsc is on PATH. Warns of
what will not work there: names that are not there, host functions that the manifest does not ask for, exports
that nobody calls, code that is made up at run time.`,
  positionals: [PLUGIN_PATH],
  options: { json: { help: "the remarks as JSON" } },
  examples: ["gatehouse plugin check greeter", "gatehouse plugin check com.example.greeter-1.0.ghp --json"],
  failure: "there are faults (warnings alone are none)",
  givesUp: COMPILES,
  async run(input, { print, isProcess }) {
    const place = input.words[0]!, json = input.has("json");
    const found = await readOrFaults(place), types = "faults" in found ? undefined : await checkTypes(place);
    if (isProcess) await giveUp([{ name: "run" }]); // before its code runs
    const { project, remarks, loaded } = "faults" in found
      ? { remarks: found.faults }
      : await look(place, found);
    if (types && "remarks" in types) remarks.unshift(...types.remarks);
    const faults = remarks.filter(({ severity }) => severity === "fault").length;
    if (json) {
      print(
        JSON.stringify(
          { remarks, ...(types && { types: told(types) }), ...(loaded && { loaded }) },
          undefined,
          2,
        ),
      );
    } else {
      for (const remark of remarks) print(await shown(remark, place));
      if (project) { for (const line of summary(project, loaded)) print(line); }
      if (types) print(`types ${told(types)}`);
      print(`${count(faults, "fault")}, ${count(remarks.length - faults, "warning")}`);
    }
    return faults > 0 ? EXIT.failed : EXIT.ok;
  },
};
export default command;

interface Loaded {
  readonly ms: number;
  readonly bytes: number | undefined;
}

function told(types: TypeCheck): string {
  return "unchecked" in types ? `not checked: ${types.unchecked}` : `checked by ${types.compiler}`;
}

async function readOrFaults(place: string): Promise<Project | { readonly faults: Remark[] }> {
  try {
    return await readProject(place);
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    return { faults: await faultsOf(place, error) };
  }
}

async function look(
  place: string,
  project: Project,
): Promise<{ project?: Project; remarks: Remark[]; loaded?: Loaded }> {
  const deps = { clock: systemClock, random: systemRandom };
  await using gateway = await openFakeGateway(deps);
  const { program, manifest, files } = project.plugin;
  const remarks = remarksOn(program.modules, files.keys(), manifest, gateway.capabilities);
  try {
    await using bench = await new Workshop(deps).open(program, { capabilities: gateway.capabilities });
    return { project, remarks, loaded: { ms: bench.loadMs, bytes: bench.bytes } };
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    remarks.push(...await faultsOf(place, error));
    return { project, remarks };
  }
}

/** Each fault with its place, where the manifest's path or the message tells it. */
async function faultsOf(place: string, error: PackageError | PluginError): Promise<Remark[]> {
  if (error.faults.length === 0) return [{ severity: "fault", text: error.message }];
  const source = await sourceOf(place, "plugin.js").catch(() => undefined);
  const script = source &&
    (isTypeScript(source.name)
      ? await stripTypes(new Map([[source.name, source.text]])).then(
        (all) => all.get(source.name),
        () => undefined,
      )
      : source.text);
  return error.faults.map((text) => {
    const [, path] = /^manifest\.([^:]+):/.exec(text) ?? [];
    const line = script === undefined || path === undefined ? undefined : lineOf(script, path);
    return { severity: "fault", text: inWords(text), ...(line !== undefined && { file: "plugin.js", line }) };
  });
}

async function shown({ severity, text, file, line, column }: Remark, place: string): Promise<string> {
  const head = `${severity}: ${plain(text)}`;
  if (file === undefined || line === undefined) return head;
  const source = await sourceOf(place, file).catch(() => undefined);
  const excerpt = source && pointAt(source.text, source.name, line, column ?? 0);
  return excerpt ? `${head}\n${plain(excerpt)}` : head;
}

function summary({ plugin, bytes }: Project, loaded: Loaded | undefined): string[] {
  const { manifest, program, files, signatures } = plugin;
  const code = Object.values(program.modules).reduce((sum, text) => sum + text.length, 0);
  const commands = Object.entries(manifest.commands as Record<string, { right: string }>);
  const may = (manifest.capabilities ?? []) as string[];
  return [
    `${manifest.name} ${manifest.version}`,
    `  ${count(files.size, "file")}, ${size(code)} of code, ${size(bytes.length)} packed` +
    (signatures.length > 0 ? `, ${count(signatures.length, "signature")}` : ""),
    `  commands: ${commands.map(([name, { right }]) => `${name} (${right})`).join(", ") || "none"}`,
    `  may use: ${may.join(", ") || "nothing"}`,
    ...(loaded ? [`  loads in ${time(loaded.ms)}, takes ${size(loaded.bytes)} beside the engine's own`] : []),
  ];
}

function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? "" : "s"}`;
}
