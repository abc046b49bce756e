/**
 * Remote commands through HTTP, platform, gateway, plug-in and back, in real processes; and what the processes cost.
 *
 * Beside it, in the same run: the same HTTP server answering a request that does nothing, so that the share of HTTP
 * and of this machine shows.
 *
 * @module
 */
import { startFleet } from "../../tests/support/fleet.ts";
import { ADMIN_TOKEN } from "../../tests/support/platform.ts";
import { descendants, processMemory } from "../lib/program.ts";
import { type BenchRow, percentile, printRows } from "./rows.ts";
import { load } from "./timing.ts";

const PLUGIN = (n: number) => `
export const manifest = { name: "bench-${n}", version: "1.0", apiVersion: "2026-11-01",
  commands: { ECHO_${n}: { right: "both" } }, limits: { calls: 128 } };
export const commands = { ECHO_${n}: (request) => ({ Text: String(request.Text) }) };`;

/** Measures; about half a minute. */
export async function benchCommands(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const isolation of ["process", "inline"] as const) {
    await using fleet = await startFleet({ gatewayArgs: ["--isolation", isolation] });
    // With the three that ship these are five.
    for (const n of [1, 2]) await fleet.plugin(`bench-${n}.js`, PLUGIN(n));
    await fleet.until("loaded", async () => await fleet.runs("bench-1") && await fleet.runs("bench-2"));
    await fleet.command({ CmdType: "ECHO_1", Text: "warm" }, 20);
    rows.push(...await memory(fleet.gateway.pid, isolation));
    rows.push({
      name: `gateway process start to registered, ${isolation}`,
      value: fleet.registeredMs,
      unit: "ms",
      goal: "400",
    });
    const base = `http://127.0.0.1:${fleet.platform.ports.http}`;
    const request = (path: string, body?: string) => async () => {
      const response = await fetch(base + path, {
        method: body ? "POST" : "GET",
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
        ...(body ? { body } : {}),
      });
      const text = await response.text();
      if (!response.ok || (body && !text.includes('"succeeded"'))) throw new Error(text);
    };
    const echo = request(
      `/api/v1/gateways/${fleet.mac}/commands?wait=20`,
      JSON.stringify({
        plugin: "bench-1",
        concurrent: true, // else a gateway has one at a time
        parameter: { CmdType: "ECHO_1", SequenceId: "0000BEEF", Text: "hello" },
      }),
    );
    await load(echo, 64, 2000); // every part has settled
    const health = request("/healthz");
    if (isolation === "process") {
      const bare = await load(health, 64, 4000);
      rows.push({ name: "bare HTTP request of the same server, 64 in flight", value: bare.rate, unit: "/s" });
    }
    const alone = await load(echo, 1, 1000), many = await load(echo, 64, 10_000);
    rows.push(
      {
        name: `remote command, 1 in flight, p50, ${isolation}`,
        value: percentile(alone.times, 0.5),
        unit: "ms",
        goal: "5",
      },
      {
        name: `remote command, 1 in flight, p99, ${isolation}`,
        value: percentile(alone.times, 0.99),
        unit: "ms",
      },
      { name: `remote commands, 64 in flight, ${isolation}`, value: many.rate, unit: "/s", goal: "2000" },
      {
        name: `remote commands, 64 in flight, p50, ${isolation}`,
        value: percentile(many.times, 0.5),
        unit: "ms",
      },
      {
        name: `remote commands, 64 in flight, p99, ${isolation}`,
        value: percentile(many.times, 0.99),
        unit: "ms",
      },
    );
  }
  return rows;
}

/** Resident memory, and the share of it that is this process's own part of what processes share. */
async function memory(gateway: number, isolation: string): Promise<BenchRow[]> {
  const pids = [gateway, ...await descendants(gateway)];
  const all = await Promise.all(pids.map(processMemory));
  const sum = (what: "rssMiB" | "pssMiB") => all.reduce((total, each) => total + each[what], 0);
  const goal = isolation === "inline" ? "75" : "120";
  return [
    { name: `gateway with five plug-ins, resident, ${isolation}`, value: sum("rssMiB"), unit: "MiB" },
    { name: `  shared pages counted once (PSS), ${isolation}`, value: sum("pssMiB"), unit: "MiB", goal },
  ];
}

if (import.meta.main) printRows("Remote commands", await benchCommands());
