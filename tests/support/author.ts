/**
 * An author of plug-ins at a terminal: a folder, the commands, and a gateway that knows no platform.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { runPermissions } from "../../scripts/lib/permissions.ts";
import { type Program, startProgram } from "../../scripts/lib/program.ts";
import { ADMIN_TOKEN } from "./platform.ts";
import { identity } from "./scripted_gateway.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));
const PATIENCE_MS = 20_000;

/** What a command gave. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command that goes on until it is stopped. */
export interface Running extends AsyncDisposable {
  /** Resolves when something that it said since the last time matches. */
  said(pattern: RegExp): Promise<void>;
  /** Interrupts it; gives the exit code. */
  stop(): Promise<number>;
}

/** Somebody at a terminal in a folder of their own. */
export interface Author extends AsyncDisposable {
  readonly dir: string;
  /** Runs `gatehouse plugin <args>` to its end. */
  run(...args: (string | { env: Record<string, string> })[]): Promise<Outcome>;
  start(...args: string[]): Running;
  /** Runs a line of the shell, with `gatehouse` on its path: standard output, then standard error. */
  shell(line: string): Promise<string>;
}

/** Makes one. */
export async function author(): Promise<Author> {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-author-" });
  const bin = `${dir}/.bin`, PATH = `${bin}:${Deno.env.get("PATH")}`;
  await Deno.mkdir(bin);
  await Deno.symlink(Deno.execPath(), `${bin}/deno`); // the compiler that check asks
  const command = (args: readonly string[], env: Record<string, string> = {}) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", ...runPermissions(), MAIN, "plugin", ...args],
      cwd: dir,
      env: { GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN, NO_COLOR: "1", PATH, ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  return {
    dir,
    async run(...given) {
      const args = given.filter((one) => typeof one === "string");
      const env = given.find((one) => typeof one === "object")?.env ?? {};
      const { code, stdout, stderr } = await command(args, env).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      return { code, out: text(stdout), err: text(stderr) };
    },
    async shell(line) {
      const permissions = runPermissions().map((flag) => `'${flag}'`).join(" ");
      const start = `exec '${Deno.execPath()}' run --quiet --no-prompt ${permissions} '${MAIN}' "$@"`;
      await Deno.writeTextFile(`${bin}/gatehouse`, `#!/bin/sh\n${start}\n`, { mode: 0o755 });
      const { stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", line],
        cwd: dir,
        env: { GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN, NO_COLOR: "1", PATH },
        stdin: "null",
      }).output();
      return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    },
    start: (...args) => running(command(args).spawn()),
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

function running(child: Deno.ChildProcess): Running {
  let said = "", look = () => {}, ended = false;
  const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      said += text;
      look();
    }
  };
  const done = Promise.all([child.status, read(child.stdout), read(child.stderr)]).then(([{ code }]) => {
    ended = true;
    look();
    return code;
  });
  const stop = async () => {
    if (!ended) child.kill("SIGINT");
    return await done;
  };
  return {
    stop,
    async said(pattern) {
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`it did not say ${pattern}:\n${said}`)), PATIENCE_MS);
        look = () => {
          const found = pattern.exec(said);
          if (!found && !ended) return;
          clearTimeout(late);
          look = () => {};
          if (!found) return reject(new Error(`it ended without saying ${pattern}:\n${said}`));
          said = said.slice(found.index + found[0].length);
          resolve();
        };
        look();
      });
    },
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

/** A gateway as a process that has nobody to register with. */
export async function startLoneGateway(
  args: readonly string[] = [],
): Promise<{ program: Program; url: string; headers: Record<string, string> } & AsyncDisposable> {
  const folder = await Deno.makeTempDir({ prefix: "gatehouse-lone-" }), me = identity(1);
  const program = await startProgram("gateway", [
    ...["--mgt-url", "127.0.0.1", "--port", "9", "--mac", me.mac, "--sn", me.sn, "--loid", me.loid],
    ...["--local", "127.0.0.1:0", "--control", "127.0.0.1:0", "--driver", "simulated"],
    ...["--plugins", `${folder}/plugins`, ...args],
  ], { dataDir: `${folder}/data`, env: { GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN } });
  return {
    program,
    url: `http://127.0.0.1:${program.ports.control}`,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Edits a file in the author's folder. */
export async function change(me: Author, file: string, edit: (text: string) => string): Promise<void> {
  const path = `${me.dir}/${file}`;
  await Deno.writeTextFile(path, edit(await Deno.readTextFile(path)));
}
