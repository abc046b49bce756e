/**
 * A PostgreSQL server of a test's own, which it may stop and start as it likes.
 *
 * @module
 */

/** A running server. Disposing of it stops it and removes its folder. */
export interface OwnPostgres extends AsyncDisposable {
  readonly port: number;
  /** Stops it in an instant, as a crash would, or lets it say goodbye to its clients. */
  stop(mode: "immediate" | "fast"): Promise<void>;
  start(): Promise<void>;
}

/** Why a test can't have one here; undefined where it can. */
export async function noPostgresBecause(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "needs root, to run a server as the user postgres";
  if (!await binaries()) return "needs PostgreSQL's server programs";
  return (await run("id", ["postgres"])).code === 0 ? undefined : "needs the user postgres";
}

/** Makes a server in a folder of its own, on a port of its own; `within` runs it in another network namespace. */
export async function startOwnPostgres(within?: readonly string[]): Promise<OwnPostgres> {
  const bin = await binaries(), folder = await Deno.makeTempDir({ prefix: "gatehouse-postgres-" });
  await need("chown", ["postgres", folder]);
  const as = (program: string, args: string[]) => {
    const user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"];
    const [first, ...rest] = [...within ?? [], ...user, `${bin}/${program}`, ...args];
    return need(first!, rest);
  };
  const data = `${folder}/data`;
  await as("initdb", ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync"]);
  if (within) {
    await Deno.writeTextFile(`${data}/pg_hba.conf`, "host all all 0.0.0.0/0 trust\n", { append: true });
  }
  const port = freePort();
  const start = () =>
    as("pg_ctl", [
      ...["-D", data, "-w", "-l", `${folder}/log`, "-o"],
      `-p ${port} -c listen_addresses=${within ? "0.0.0.0" : "127.0.0.1"} -k ${folder} -c fsync=off`,
      "start",
    ]);
  const stop = (mode: string) => as("pg_ctl", ["-D", data, "-w", "-m", mode, "stop"]);
  await start();
  let up = true;
  return {
    port,
    async stop(mode) {
      await stop(mode);
      up = false;
    },
    async start() {
      await start();
      up = true;
    },
    async [Symbol.asyncDispose]() {
      if (up) await stop("immediate");
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** The folder of the newest server's programs. */
async function binaries(): Promise<string | undefined> {
  const { code, text } = await run("sh", [
    "-c",
    "ls -d /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1",
  ]);
  return code === 0 && text.trim() !== "" ? text.trim().replace(/\/initdb$/, "") : undefined;
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

async function need(program: string, args: string[]): Promise<void> {
  const { code, text } = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ${text}`);
}

async function run(program: string, args: string[]): Promise<{ code: number; text: string }> {
  try {
    // Into a file: a server that goes on would keep a pipe open.
    const log = await Deno.makeTempFile();
    const { code } = await new Deno.Command("sh", {
      args: ["-c", 'out=$1; shift; exec "$@" > "$out" 2>&1', "sh", log, program, ...args],
      stdin: "null",
      cwd: "/tmp",
    }).output();
    const text = await Deno.readTextFile(log);
    await Deno.remove(log);
    return { code, text };
  } catch (error) {
    return { code: -1, text: String(error) };
  }
}
