/**
 * `gatehouse plugin test`: an author's tests, in the sandbox, against a fake gateway.
 *
 * @module
 */
import { systemClock, systemRandom } from "../../base/mod.ts";
import { openFakeGateway } from "../../gateway/fake/mod.ts";
import { RUNNER, runTests, type TestedCall, type TestResult, Workshop } from "../../sandbox/author/mod.ts";
import { PluginError } from "../../sandbox/mod.ts";
import { EXIT, StartError } from "../errors.ts";
import { words } from "../parsers.ts";
import { type Command, STAYS_HOME } from "./command.ts";
import { ownPlace } from "./frames.ts";
import { PLUGIN_PATH, readProject, readTests } from "./project.ts";
import { plain, size, table, type Terminal, time } from "./terminal.ts";

const command: Command = {
  name: "test",
  summary: "runs its tests in the sandbox, with time and memory per call",
  about:
    `Tests are the files *_test.js or *_test.ts beside the plug-in, each of which exports "tests": functions by name. A
test is handed call, stub, equal, rejects and logs (see gatehouse.d.ts). Host functions that it does not stub are
answered by a simulated gateway. The tests run in a sandbox too: they have no files and no network.`,
  positionals: [PLUGIN_PATH],
  options: {
    filter: { kind: words("TEXT", 100), help: "only tests whose name holds this" },
    logs: { help: "shows what the plug-in logs" },
    json: { help: "the results as JSON" },
  },
  examples: ["gatehouse plugin test greeter", "gatehouse plugin test greeter --filter name --logs"],
  failure: "a test failed, or there is none",
  givesUp: STAYS_HOME,
  async run(input, terminal) {
    const place = input.words[0]!, { plugin } = await readProject(place);
    const files = await readTests(place), json = input.has("json");
    if (files.names.length === 0) throw new StartError(`no *_test.js beside "${place}"`);
    const deps = { clock: systemClock, random: systemRandom };
    await using gateway = await openFakeGateway(deps);
    const workshop = new Workshop(deps), results: TestResult[] = [];
    const modules = { ...plugin.program.modules, ...files.modules };
    let broken = 0;
    for (const file of files.names) {
      if (!json) terminal.print(file);
      try {
        const suite = {
          program: plugin.program,
          file,
          modules,
          capabilities: gateway.capabilities,
          before: () => gateway.forget(plugin.manifest.name),
          filter: input.value<string>("filter") ?? "",
          onLog: (level: string, text: string) => {
            if (input.has("logs")) terminal.complain(`        ${level} ${plain(text)}`);
          },
        };
        for await (const result of runTests(workshop, suite)) {
          results.push(result);
          if (!json) await show(result, place, terminal.print);
        }
      } catch (error) {
        if (!(error instanceof PluginError)) throw error;
        broken++;
        terminal.complain(`gatehouse: ${file} can't be run: ${plain(error.message)}`);
      }
    }
    const failed = results.filter(({ failure }) => failure).length + broken;
    if (json) terminal.print(JSON.stringify({ results, costs: costsOf(results) }, undefined, 2));
    else {
      showCosts(results, terminal);
      terminal.print(`${results.length + broken - failed} passed, ${failed} failed`);
    }
    if (results.length === 0 && broken === 0) terminal.complain("gatehouse: no test has such a name");
    return failed > 0 || results.length === 0 ? EXIT.failed : EXIT.ok;
  },
};
export default command;

async function show(
  { name, failure, thrown, calls, ms }: TestResult,
  place: string,
  print: (line: string) => void,
) {
  const many = calls.length === 1 ? "1 call" : `${calls.length} calls`;
  print(`  ${failure ? "FAIL" : "ok  "}  ${plain(name)}  (${many}, ${time(ms)})`);
  if (!failure) return;
  for (const line of plain(failure.message).split("\n")) print(`        ${line}`);
  const show = (shown: string | undefined) => shown && print(shown.replace(/^/gm, "      "));
  show(await ownPlace(place, failure.stack, RUNNER));
  // What the plug-in threw, where that is what the test failed of.
  const cause = thrown.findLast(({ message }) => failure.message.includes(message));
  const shown = cause && await ownPlace(place, cause.stack);
  if (!shown) return;
  print(`        ${plain(cause.command)} threw at`);
  show(shown);
}

interface Cost {
  readonly command: string;
  readonly calls: number;
  readonly medianMs: number;
  readonly maxMs: number;
  /** In use inside the plug-in after the latest call, and how much a call leaves behind in the middle. */
  readonly bytes: number | undefined;
  readonly grownPerCall: number | undefined;
}

function costsOf(results: readonly TestResult[]): Cost[] {
  const byCommand = Map.groupBy(results.flatMap(({ calls }) => calls), ({ command }: TestedCall) => command);
  return [...byCommand].map(([command, calls]) => {
    const times = calls.map(({ ms }) => ms).sort((a, b) => a - b);
    const grown = calls.flatMap(({ grown }) => grown ?? []).sort((a, b) => a - b);
    return {
      command,
      calls: calls.length,
      medianMs: times[times.length >> 1]!,
      maxMs: times.at(-1)!,
      bytes: calls.at(-1)!.bytes,
      grownPerCall: grown[grown.length >> 1],
    };
  });
}

function showCosts(results: readonly TestResult[], { print }: Terminal): void {
  const costs = costsOf(results);
  if (costs.length === 0) return;
  const rows = costs.map(({ command, calls, medianMs, maxMs, bytes, grownPerCall }) => [
    plain(command),
    String(calls),
    time(medianMs),
    time(maxMs),
    size(bytes),
    size(grownPerCall),
  ]);
  print("");
  for (
    const line of table([["COMMAND", "CALLS", "MEDIAN", "LONGEST", "MEMORY", "MORE PER CALL"], ...rows], [
      1,
      2,
      3,
      4,
      5,
    ])
  ) print(line);
}
