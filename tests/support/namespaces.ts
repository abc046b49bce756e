/**
 * Network namespaces of a test's own: machines that exist only in the kernel, with cables between them. Needs root and
 * `ip`; a test that finds them missing is ignored with the reason.
 *
 * @module
 */

/** What runs in a namespace. */
export interface Namespace {
  readonly name: string;
  /** Stands before a command: runs it there. */
  readonly within: readonly string[];
  /** Runs a command there to its end; its output. Throws Error where it fails. */
  run(...words: string[]): Promise<string>;
  /** Starts a command there that goes on until the namespace is gone. */
  start(...words: string[]): Deno.ChildProcess;
}

/** Some namespaces; gone with everything in them when disposed of. */
export class Namespaces implements AsyncDisposable {
  readonly #made: string[] = [];
  readonly #children: Deno.ChildProcess[] = [];
  readonly #mark = crypto.randomUUID().slice(0, 6);

  /** Makes one, with its loopback up. */
  async make(name: string): Promise<Namespace> {
    const full = `gh${this.#mark}-${name}`;
    await output("ip", "netns", "add", full);
    this.#made.push(full);
    const within = ["ip", "netns", "exec", full];
    const space: Namespace = {
      name: full,
      within,
      run: (...words) => output(...within, ...words),
      start: (...words) => {
        const [program, ...args] = [...within, ...words];
        const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
        const child = new Deno.Command(program!, { args, ...quiet }).spawn();
        this.#children.push(child);
        return child;
      },
    };
    await space.run("ip", "link", "set", "lo", "up");
    return space;
  }

  /** Lays a cable: an interface here and one there, each up, perhaps with an address. */
  async cable(
    [here, name, address]: readonly [Namespace, string, string?],
    [there, other, otherAddress]: readonly [Namespace, string, string?],
  ): Promise<void> {
    await output(
      ...["ip", "link", "add", name, "netns", here.name, "type", "veth"],
      ...["peer", "name", other, "netns", there.name],
    );
    for (const [space, link, at] of [[here, name, address], [there, other, otherAddress]] as const) {
      if (at !== undefined) await space.run("ip", "address", "add", at, "dev", link);
      await space.run("ip", "link", "set", link, "up");
    }
  }

  /** Lays a cable from a namespace to where the test itself runs; it goes with the namespace. */
  async cableOut(there: Namespace, name: string, address: string, ownAddress: string): Promise<void> {
    const own = `gh${this.#mark}${name}`.slice(0, 15);
    await output(
      ...["ip", "link", "add", own, "type", "veth", "peer", "name", name, "netns", there.name],
    );
    await output("ip", "address", "add", ownAddress, "dev", own);
    await output("ip", "link", "set", own, "up");
    await there.run("ip", "address", "add", address, "dev", name);
    await there.run("ip", "link", "set", name, "up");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      try {
        child.kill("SIGKILL");
      } catch {
        // ended already
      }
      await child.status;
    }
    for (const name of this.#made) {
      const pids = await output("ip", "netns", "pids", name).catch(() => "");
      for (const pid of pids.split(/\s+/).filter(Boolean)) {
        try {
          Deno.kill(Number(pid), "SIGKILL");
        } catch {
          // gone already
        }
      }
      await output("ip", "netns", "delete", name).catch(() => {});
    }
  }
}

/** Why no namespaces can be made here; undefined: they can. */
export async function withoutNamespaces(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "not root";
  const name = `gh-probe-${crypto.randomUUID().slice(0, 6)}`;
  try {
    await output("ip", "netns", "add", name);
    await output("ip", "netns", "delete", name);
    return undefined;
  } catch (error) {
    return `no network namespaces: ${error instanceof Error ? error.message : error}`;
  }
}

/** Why a program can't be run here; undefined: it is there. */
export async function without(...programs: string[]): Promise<string | undefined> {
  for (const program of programs) {
    const found = await command(["sh", "-c", `command -v "$0"`, program]).output();
    if (!found.success) return `there is no ${program}`;
  }
  return undefined;
}

/** How a test is declared that is ignored, with the reason in its name, where something is missing. */
export function unless(name: string, missing: string | undefined): { name: string; ignore: boolean } {
  return missing === undefined
    ? { name, ignore: false }
    : { name: `${name} (ignored: ${missing})`, ignore: true };
}

function command([program, ...args]: readonly string[]): Deno.Command {
  return new Deno.Command(program!, { args, stdin: "null", stdout: "piped", stderr: "piped" });
}

async function output(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await command(words).output();
  if (code === 0) return new TextDecoder().decode(stdout);
  throw new Error(`${words.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
}
