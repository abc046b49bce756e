/**
 * Whether a gateway's memory levels off: sampled over 100,000 requests on the local port, with the flags of the shipped
 * unit and without, also where the kernel holds it to what that unit allows.
 *
 * `deno run -A scripts/bench/mod.ts memory`; the part with a limit needs root and a memory controller of cgroups.
 *
 * @module
 */
import { startFleet } from "../../tests/support/fleet.ts";
import { runPermissions } from "../lib/permissions.ts";
import { family, load, memory, PLUGIN } from "./gateway.ts";
import type { BenchRow } from "./rows.ts";

const SAMPLES = [0, 1_000, 10_000, 25_000, 50_000, 75_000, 100_000];
/** What `MemoryHigh=` of the unit says, in MiB; here it is a limit that nothing may pass. */
const LIMIT_MIB = 256;

/** Measures; some minutes. */
export async function benchMemory(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  const unit = new URL("../package/gatehouse-gateway.service", import.meta.url);
  const flags = /^Environment=DENO_V8_FLAGS=(.+)$/m.exec(await Deno.readTextFile(unit))?.[1] ?? "";
  rows.push(...await grown("process", ""), ...await grown("process", flags), ...await grown("inline", flags));
  const group = await Group.make(LIMIT_MIB);
  if (group === undefined) {
    // deno-lint-ignore no-console -- says why rows are missing
    console.error("memory under a limit is left out: no group of processes with one can be made here");
    return rows;
  }
  await using _group = group;
  rows.push(...await grown("process", flags, group));
  return rows;
}

async function grown(isolation: string, flags: string, group?: Group): Promise<BenchRow[]> {
  const where = `${isolation}${flags ? "" : ", without the unit's flags"}${
      group ? `, held to ${LIMIT_MIB} MiB` : ""
    }`,
    rows: BenchRow[] = [];
  await using fleet = await startFleet({
    gatewayArgs: ["--isolation", isolation],
    ...(flags && { gatewayEnv: { DENO_V8_FLAGS: flags } }),
    ...(group && { binary: group.program }),
  });
  await fleet.plugin("bench-local.js", PLUGIN);
  await fleet.until("loaded", async () => await fleet.runs("bench-local"));
  let done = 0;
  for (const count of SAMPLES) {
    if (count > done) await load(fleet.gateway.ports.local!, 4, count - done);
    done = count;
    const pids = await family(fleet);
    rows.push({
      name: `memory after ${count} requests (PSS), ${where}`,
      value: await memory(pids),
      unit: "MiB",
    });
  }
  if (group) {
    rows.push({ name: "  times that the limit was met", value: await group.met(), unit: "" });
    rows.push({
      name: "  plug-in hosts and agent that were killed for it",
      value: await group.killed(),
      unit: "",
    });
  }
  return rows;
}

/** A group of processes with a limit of memory, by whichever version of cgroups is there. */
class Group implements AsyncDisposable {
  /** Starts the gateway within the group, and the platform outside. */
  readonly program: string;

  private constructor(private readonly dir: string, private readonly version: 1 | 2, folder: string) {
    this.program = `${folder}/gatehouse`;
  }

  static async make(limitMiB: number): Promise<Group | undefined> {
    const name = `gatehouse-bench-${Deno.pid}`, bytes = String(limitMiB * 2 ** 20);
    const folder = await Deno.makeTempDir({ prefix: "gatehouse-group-" });
    for (
      const [dir, version, limit] of [
        [`/sys/fs/cgroup/${name}`, 2, "memory.max"],
        [`/sys/fs/cgroup/memory/${name}`, 1, "memory.limit_in_bytes"],
      ] as const
    ) {
      if (!await sh(`mkdir ${dir} && [ -w ${dir}/${limit} ] && echo ${bytes} > ${dir}/${limit}`)) {
        await sh(`rmdir ${dir}`);
        continue;
      }
      const group = new Group(dir, version, folder);
      const main = new URL("../../main.ts", import.meta.url).pathname;
      const { HOME = "", PATH = "", DENO_DIR = "" } = Deno.env.toObject();
      await Deno.writeTextFile(
        group.program,
        `#!/bin/sh\nexport HOME='${HOME}' PATH='${PATH}'\n` +
          (DENO_DIR ? `export DENO_DIR='${DENO_DIR}'\n` : "unset DENO_DIR\n") +
          `case "$*" in *"--role gateway"*) echo $$ > ${dir}/cgroup.procs;; esac\n` +
          `exec ${Deno.execPath()} run --quiet ${runPermissions().join(" ")} ${main} "$@"\n`,
        { mode: 0o755 },
      );
      return group;
    }
    await Deno.remove(folder, { recursive: true });
    return undefined;
  }

  /** How often more was wanted than there may be. */
  async met(): Promise<number> {
    return this.version === 1
      ? Number(await read(`${this.dir}/memory.failcnt`))
      : Number(/^max (\d+)/m.exec(await read(`${this.dir}/memory.events`))?.[1] ?? NaN);
  }

  async killed(): Promise<number> {
    const file = this.version === 1 ? "memory.oom_control" : "memory.events";
    return Number(/^oom_kill (\d+)/m.exec(await read(`${this.dir}/${file}`))?.[1] ?? NaN);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await sh(`rmdir ${this.dir}`);
    await Deno.remove(this.program.replace(/\/[^/]*$/, ""), { recursive: true });
  }
}

async function sh(script: string): Promise<boolean> {
  return (await new Deno.Command("sh", { args: ["-c", script], stderr: "null" }).output()).success;
}

async function read(path: string): Promise<string> {
  return new TextDecoder().decode((await new Deno.Command("cat", { args: [path] }).output()).stdout);
}
