/**
 * Runs an author's tests. The tests are not trusted either: each file of them runs in a sandbox of its own, beside
 * that of the plug-in, which is loaded anew for each test.
 *
 * @module
 */
import { type LogLevel, messageOf, sleep, systemClock } from "../../base/mod.ts";
import type { Program } from "../engine.ts";
import type { Json, JsonObject } from "../json.ts";
import { API_VERSIONS } from "../manifest.ts";
import { PluginError } from "../errors.ts";
import type { Capabilities, HostFunction } from "../types.ts";
import { type MeasuredCall, Workbench, type Workshop } from "./workbench.ts";

/** A call that a test made. */
export interface TestedCall extends Pick<MeasuredCall, "ms" | "bytes" | "grown"> {
  readonly command: string;
  readonly ok: boolean;
}

/** What a command threw. */
export interface Thrown {
  readonly command: string;
  readonly message: string;
  readonly stack: string;
}

/** How a test went. */
export interface TestResult {
  readonly file: string;
  readonly name: string;
  /** Undefined: it passed. */
  readonly failure: { readonly message: string; readonly stack: string } | undefined;
  /** What the plug-in threw, the last last: with its own file and line. */
  readonly thrown: readonly Thrown[];
  readonly ms: number;
  readonly calls: readonly TestedCall[];
}

/** What is tested, and with what. */
export interface TestSuite {
  readonly program: Program;
  /** The file of tests among `modules`; the plug-in's own modules may be there too, for it to import. */
  readonly file: string;
  readonly modules: Readonly<Record<string, string>>;
  /** The fake gateway. */
  readonly capabilities: Capabilities;
  /** Before each test: so that none finds what another one left. */
  readonly before?: () => Promise<void>;
  /** Only tests whose names hold this. */
  readonly filter?: string;
  readonly onLog?: (level: LogLevel, text: string, test: string) => void;
}

/** The longest that one test may take, in milliseconds, and the most tests of a file. */
const TEST_MS = 30_000;
const MOST_TESTS = 1000;
const LOG_LINES = 1000;
/** What a plug-in threw in a test, of which so much is remembered. */
const MOST_THROWN = 50;

/** The module that runs the tests, as stacks name it. */
export const RUNNER = "gatehouse-test-runner.js";

/** Runs the tests of one file, one after the other. Rejects with PluginError where the file itself is at fault. */
export async function* runTests(workshop: Workshop, suite: TestSuite): AsyncGenerator<TestResult> {
  const { file, program, filter = "" } = suite;
  let current: RunningTest | undefined;
  await using tests = await workshop.open(
    { entry: RUNNER, modules: { ...suite.modules, [RUNNER]: runnerOf(file) } },
    {
      capabilities: {
        test: {
          "test.call": ([command, request]) => current!.call(String(command), request ?? {}),
          "test.logs": () => current!.lines.slice(),
          "test.messages": () => current!.messages.slice(),
        },
      },
      onLog: (level, text) => suite.onLog?.(level, text, current?.name ?? ""),
    },
  );
  const { reply, error, stack } = await tests.call("LIST", {});
  if (error) throw new PluginError("invalid", `"${file}": ${error.message}`, { cause: stack });
  const names = (reply!.names as string[]).filter((name) => name.includes(filter));
  if (names.length > MOST_TESTS) throw new PluginError("limit", `"${file}": at most ${MOST_TESTS} tests`);
  for (const name of names) {
    const began = performance.now();
    const running = current = new RunningTest(name, tests);
    let failure: TestResult["failure"];
    try {
      await suite.before?.();
      await running.open(workshop, suite, program);
      const outcome = await Promise.race([
        tests.call("RUN", { name }),
        sleep(systemClock, TEST_MS, running.ended.signal).then(() => {
          throw new Error(`the test takes more than ${TEST_MS / 1000} s`);
        }),
      ]);
      if (outcome.error) failure = { message: outcome.error.message, stack: outcome.stack };
    } catch (thrown) {
      failure = { message: messageOf(thrown), stack: "" };
    } finally {
      running.ended.abort();
      await running[Symbol.asyncDispose]();
    }
    yield {
      file,
      name,
      failure,
      ms: performance.now() - began,
      calls: running.calls,
      thrown: running.thrown,
    };
  }
}

/** One test with a plug-in of its own. */
class RunningTest implements AsyncDisposable {
  readonly calls: TestedCall[] = [];
  readonly thrown: Thrown[] = [];
  readonly lines: string[] = [];
  readonly messages: Json[] = [];
  readonly ended = new AbortController();
  #plugin: Workbench | undefined;

  constructor(readonly name: string, private readonly tests: Workbench) {
    this.ended.signal.addEventListener("abort", () => {});
  }

  async open(workshop: Workshop, { capabilities, onLog }: TestSuite, program: Program): Promise<void> {
    this.#plugin = await workshop.open(program, {
      capabilities: this.#stubbed(capabilities),
      onLog: (level, text) => {
        if (this.lines.length < LOG_LINES) this.lines.push(`${level} ${text}`);
        onLog?.(level, text, this.name);
      },
    });
  }

  async call(command: string, request: Json): Promise<Json> {
    if (typeof request !== "object" || request === null || Array.isArray(request)) {
      throw new Error(`call("${command}", …): the request must be an object`);
    }
    const { reply, error, stack, ms, bytes, grown } = await this.#plugin!.call(command, request);
    this.calls.push({ command, ok: !error, ms, bytes, grown });
    if (error) {
      if (this.thrown.push({ command, message: error.message, stack }) > MOST_THROWN) this.thrown.shift();
      throw new Error(error.message);
    }
    return reply!;
  }

  /** Each host function asks the test first whether it stands in for it. */
  #stubbed(capabilities: Capabilities): Capabilities {
    const stubbed: Record<string, Record<string, HostFunction>> = {};
    for (const [capability, functions] of Object.entries(capabilities)) {
      const made: Record<string, HostFunction> = stubbed[capability] = {};
      for (const [name, run] of Object.entries(functions)) {
        const stubbedOr: HostFunction = async (args, call) => {
          const { reply, error } = await this.tests.call("STUB", { name, args } as JsonObject);
          if (error) throw new Error(error.message);
          const answer = reply!.known ? reply!.value : await run(args, call);
          if (run.message) this.messages.push(args[0] ?? null);
          return answer;
        };
        made[name] = Object.assign(stubbedOr, run); // with what it says of its time
      }
    }
    return stubbed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#plugin?.[Symbol.asyncDispose]();
  }
}

/** The module that holds the tests, as a plug-in. What a test is handed is described in gatehouse.d.ts. */
function runnerOf(file: string): string {
  const manifest = {
    name: "gatehouse-test-runner",
    version: "1",
    apiVersion: API_VERSIONS.at(-1),
    commands: { LIST: { right: "none" }, RUN: { right: "none" }, STUB: { right: "none" } },
    capabilities: ["test"],
    limits: { memoryMb: 64, callMs: 60_000, cpuMs: 500, calls: 256 },
  };
  return `import * as suite from ${JSON.stringify("./" + file)};
export const manifest = ${JSON.stringify(manifest)};
let stubs = new Map();
const text = (value) => JSON.stringify(value, (_key, one) =>
  typeof one === "object" && one !== null && !Array.isArray(one)
    ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => a < b ? -1 : 1))
    : one);
const equal = (actual, expected, message = "not equal") => {
  if (text(actual) === text(expected)) return;
  throw new Error(message + "\\n  actual:   " + text(actual) + "\\n  expected: " + text(expected));
};
const rejects = async (promise, part = "") => {
  let value;
  try { value = await (typeof promise === "function" ? promise() : promise); }
  catch (error) {
    if (error.message.includes(part)) return error.message;
    throw new Error("failed otherwise\\n  actual:   " + text(error.message) + "\\n  expected: " + text(part));
  }
  throw new Error("did not fail, but gave " + text(value));
};
const stub = (name, answer) => { stubs.set(name, answer); };
export const commands = {
  LIST() {
    const { tests } = suite;
    if (typeof tests !== "object" || tests === null) throw new Error('exports no "tests"');
    return { names: Object.keys(tests).filter((name) => typeof tests[name] === "function") };
  },
  async RUN({ name }, host) {
    stubs = new Map();
    const call = (command, request = {}) => host.test.call(command, request);
    const { logs, messages } = host.test;
    await suite.tests[name]({ call, stub, equal, rejects, logs: () => logs(), messages: () => messages() });
    return {};
  },
  async STUB({ name, args }) {
    if (!stubs.has(name)) return { known: false };
    const answer = stubs.get(name);
    return { known: true, value: (typeof answer === "function" ? await answer(...args) : answer) ?? null };
  },
};
`;
}
