/**
 * A NATS server of a test's own, which it may kill and start as it likes.
 *
 * @module
 */

/** A running server. Disposing of it ends it. */
export interface OwnNats extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Kills it. */
  stop(): Promise<void>;
  /** Starts it again, on the same port; `password` is what it asks for, where it asks for one. */
  start(password?: string): Promise<void>;
}

/** Another network namespace: what runs a command there, and its address as seen from here. */
export interface Elsewhere {
  readonly within: readonly string[];
  readonly address: string;
}

/** Why a test can't have one here; undefined where it can. */
export async function noNatsBecause(): Promise<string | undefined> {
  try {
    const { success } = await new Deno.Command("nats-server", { args: ["--version"], stdout: "null" })
      .output();
    return success ? undefined : "needs nats-server";
  } catch {
    return "needs nats-server";
  }
}

/** Starts a server on a port of its own; `at`: elsewhere than on this machine's loopback; `config`: a file of its settings. */
export async function startOwnNats(password?: string, at?: Elsewhere, config?: string): Promise<OwnNats> {
  const port = freePort(), hostname = at?.address ?? "127.0.0.1";
  let child: Deno.ChildProcess | undefined;
  const start = async (wanted = password) => {
    const [program, ...before] = [...at?.within ?? [], "nats-server"];
    child = new Deno.Command(program!, {
      args: [
        ...before,
        ...["--addr", at ? "0.0.0.0" : hostname, "--port", String(port)],
        ...(config === undefined ? [] : ["--config", config]),
        ...(wanted === undefined || config !== undefined ? [] : ["--user", "gatehouse", "--pass", wanted]),
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    for (let tries = 0;; tries++) {
      try {
        (await Deno.connect({ hostname, port })).close();
        return;
      } catch (error) {
        if (tries === 200) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  const stop = async () => {
    child?.kill("SIGKILL");
    await child?.status;
    child = undefined;
  };
  await start();
  const who = password === undefined ? "" : `gatehouse:${password}@`;
  return { url: `nats://${who}${hostname}:${port}`, port, stop, start, [Symbol.asyncDispose]: stop };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}
