/**
 * Starting the servers of this folder, and other programs that say on their first line that they are ready.
 *
 * @module
 */

/** A running program. Disposing of it kills it. */
export interface Server extends AsyncDisposable {
  readonly pid: number;
  /** What it printed first: for most the port that it listens on. */
  readonly port: string;
}

/** The path of a file of this folder. */
export function here(file: string): string {
  return new URL(file, import.meta.url).pathname;
}

/** Starts a script of this folder on this runtime: `permissions` as `deno run` takes them. */
export function script(
  file: string,
  permissions: readonly string[],
  args: readonly string[] = [],
): Promise<Server> {
  return program(Deno.execPath(), ["run", "--quiet", ...permissions, here(file), ...args]);
}

/** Starts a program; throws where it ends without a word. */
export async function program(command: string, args: readonly string[]): Promise<Server> {
  const child = new Deno.Command(command, {
    args: [...args],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  })
    .spawn();
  const port = await firstLine(child.stdout);
  if (port === "") throw new Error(`it did not start: ${[command, ...args].join(" ")}`);
  return {
    pid: child.pid,
    port,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

/** The first line that comes, or what there is of it. */
export async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("\n")) break;
  }
  return text.split("\n", 1)[0]!;
}
