/**
 * `gatehouse plugin …`: the tools of those who write plug-ins, and a look at plug-ins that run.
 *
 * Each command is a file of its own, loaded when it is the one.
 *
 * @module
 */
import { GatehouseError, messageOf } from "../../base/mod.ts";
import { EXIT, StartError, UsageError } from "../errors.ts";
import { giveUp } from "../permissions.ts";
import { closest } from "../suggest.ts";
import { type Command, helpOf, readInput } from "./command.ts";
import type { Terminal } from "./terminal.ts";
import { inWords } from "./wording.ts";

const COMMANDS: Readonly<Record<string, { summary: string; load: () => Promise<{ default: Command }> }>> = {
  new: { summary: "makes the folder of a new plug-in", load: () => import("./new.ts") },
  check: { summary: "finds faults without a gateway", load: () => import("./check.ts") },
  test: {
    summary: "runs its tests in the sandbox, with time and memory per call",
    load: () => import("./test_command.ts"),
  },
  run: {
    summary: "runs it on a gateway and shows its log; --watch: again at each change",
    load: () => import("./run.ts"),
  },
  pack: { summary: "makes the package that is installed", load: () => import("./pack.ts") },
  keygen: { summary: "makes a pair of keys to sign with", load: () => import("./keygen.ts") },
  sign: { summary: "signs a package", load: () => import("./sign.ts") },
  install: {
    summary: "puts it onto a gateway, or into a platform's repository",
    load: () => import("./install.ts"),
  },
  start: {
    summary: "starts one that was stopped, or that is broken",
    load: async () => ({ default: (await import("./manage.ts")).start }),
  },
  stop: {
    summary: "stops one; it stays stopped, after a restart too",
    load: async () => ({ default: (await import("./manage.ts")).stop }),
  },
  rollback: {
    summary: "goes back to the version that ran before",
    load: async () => ({ default: (await import("./manage.ts")).rollback }),
  },
  remove: {
    summary: "stops one and deletes it with all its versions",
    load: async () => ({ default: (await import("./manage.ts")).remove }),
  },
  trust: { summary: "has a gateway or platform trust a public key", load: () => import("./trust.ts") },
  revoke: {
    summary: "has a gateway or platform trust a key no more, for good",
    load: () => import("./revoke.ts"),
  },
  call: { summary: "calls a command of a plug-in on a gateway", load: () => import("./call.ts") },
  list: {
    summary: "shows the plug-ins of a gateway or platform, with figures",
    load: () => import("./list.ts"),
  },
  logs: { summary: "shows the last lines of a plug-in's log", load: () => import("./logs.ts") },
};

/** Runs `gatehouse plugin <args>`; gives the exit code. */
export async function pluginMain(
  args: readonly string[],
  terminal: Terminal = systemTerminal(),
): Promise<number> {
  try {
    const [name, ...rest] = args;
    if (name === undefined || name === "--help" || name === "-h") {
      if (name === undefined) {
        throw new UsageError(`a command is missing: ${names()}, see gatehouse plugin --help`);
      }
      terminal.print(overview());
      return EXIT.ok;
    }
    const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name]! : undefined;
    if (!entry) {
      const near = closest(name, Object.keys(COMMANDS));
      throw new UsageError(
        `no command "${name}": ${near ? `did you mean ${near}?` : `there are ${names()}`}`,
      );
    }
    const { default: command } = await entry.load();
    const input = readInput(command, rest);
    if (!input) {
      terminal.print(helpOf(command));
      return EXIT.ok;
    }
    const variables = new Map(["GATEHOUSE_ADMIN_TOKEN"].map((key) => [key, terminal.readVariable(key)]));
    if (terminal.isProcess) await giveUp(command.givesUp);
    return await command.run(input, { ...terminal, readVariable: (key) => variables.get(key) });
  } catch (error) {
    if (error instanceof UsageError) return complain(terminal, error.message, EXIT.usage);
    if (error instanceof StartError || error instanceof GatehouseError) {
      return complain(terminal, inWords(error.message), EXIT.failed);
    }
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
      return complain(terminal, messageOf(error), EXIT.failed);
    }
    return complain(
      terminal,
      error instanceof Error ? error.stack ?? error.message : String(error),
      EXIT.failed,
    );
  }
}

function complain(terminal: Terminal, message: string, code: number): number {
  terminal.complain(`gatehouse: ${message}`);
  return code;
}

function names(): string {
  return Object.keys(COMMANDS).join(", ");
}

function overview(): string {
  const wide = Math.max(...Object.keys(COMMANDS).map(({ length }) => length));
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(wide)}  ${summary}`);
  return `gatehouse plugin: for those who write plug-ins

Usage
  gatehouse plugin COMMAND [flags]
  gatehouse plugin COMMAND --help

Commands
${lines.join("\n")}

From nothing to a plug-in on a gateway
  gatehouse plugin new com.example.greeter --dir greeter
  gatehouse plugin test greeter
  gatehouse plugin run greeter --watch

Exit codes
  0  done
  1  it could not be done, or faults were found
  2  the command line is wrong`;
}

function systemTerminal(): Terminal {
  const encoder = new TextEncoder();
  const to = (stream: { writeSync(bytes: Uint8Array): number }) => (line: string) => {
    try {
      const bytes = encoder.encode(line + "\n");
      for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
    } catch (error) {
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error; // a reader that went away is no error
    }
  };
  return {
    isProcess: true,
    print: to(Deno.stdout),
    complain: to(Deno.stderr),
    readVariable: (name) => Deno.env.get(name),
    interrupted: () =>
      new Promise((resolve) => {
        for (const signal of ["SIGINT", "SIGTERM"] as const) {
          Deno.addSignalListener(signal, () => resolve());
        }
      }),
  };
}
