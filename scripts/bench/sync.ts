/**
 * What it costs to have every answer on the disk: `--database-sync full` beside `normal`, in turns.
 *
 * @module
 */
import { startFleet } from "../../tests/support/fleet.ts";
import { ADMIN_TOKEN } from "../../tests/support/platform.ts";
import { systemClock } from "../../src/base/mod.ts";
import { GatewayStore, registryMigrations, type RegistryTables } from "../../src/platform/registry/mod.ts";
import { openDatabase, type SyncMode } from "../../src/storage/mod.ts";
import { Load, SmsServer } from "./cmpp_load.ts";
import { type BenchRow, percentile, printRows } from "./rows.ts";
import { load } from "./timing.ts";

const ROUNDS = 3, SECONDS = 5, WARM_UP_MS = 1500;
const MODES: readonly SyncMode[] = ["normal", "full"];
const ECHO = `
export const manifest = { name: "bench", version: "1.0", apiVersion: "2026-11-01",
  commands: { ECHO: { right: "both" } }, limits: { calls: 128 } };
export const commands = { ECHO: (request) => ({ Text: String(request.Text) }) };`;

/** Measures; about two minutes. */
export async function benchSync(): Promise<BenchRow[]> {
  const figures = new Map<string, number[]>();
  const note = (name: string, value: number) => figures.set(name, [...figures.get(name) ?? [], value]);
  for (let round = 0; round < ROUNDS; round++) {
    for (const mode of MODES) {
      for (const connections of [1, 4]) await messages(mode, connections, note);
      await commands(mode, note);
      await registrations(mode, note);
    }
  }
  const median = (name: string) => percentile(figures.get(name)!, 0.5);
  const names = new Set([...figures.keys()].map((name) => name.slice(name.indexOf(" ") + 1)));
  return [...names].flatMap((name) =>
    MODES.map((mode): BenchRow => ({
      name: `${mode}: ${name}`,
      value: median(`${mode} ${name}`),
      unit: name.endsWith("p99") || name.endsWith("p50") ? "ms" : "/s",
      ...(mode === "full" ? { ratio: median(`full ${name}`) / median(`normal ${name}`) } : {}),
    }))
  );
}

async function messages(mode: SyncMode, connections: number, note: (name: string, value: number) => void) {
  await using server = await SmsServer.start("durable", mode);
  const loads = await Promise.all(Array.from({ length: connections }, () => Load.connect(server.port, true)));
  await pause(WARM_UP_MS);
  for (const one of loads) one.reset();
  const began = performance.now();
  await pause(SECONDS * 1000);
  const answered = loads.reduce((sum, one) => sum + one.answered, 0);
  const name = `${mode} durable short messages with reports, ${connections} connections`;
  note(name, answered / (performance.now() - began) * 1000);
  note(`${name}, p99`, percentile(loads.flatMap((one) => one.latencies), 0.99));
  for (const one of loads) one.close();
}

async function commands(mode: SyncMode, note: (name: string, value: number) => void) {
  await using fleet = await startFleet({
    gatewayArgs: ["--isolation", "inline"],
    platformArgs: ["--database-sync", mode],
  });
  await fleet.plugin("bench.js", ECHO);
  await fleet.until("loaded", () => fleet.runs("bench"));
  const echo = async () => {
    const response = await fetch(
      `http://127.0.0.1:${fleet.platform.ports.http}/api/v1/gateways/${fleet.mac}/commands?wait=20`,
      {
        method: "POST",
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
        body: JSON.stringify({
          plugin: "bench",
          parameter: { CmdType: "ECHO", Text: "hello" },
          concurrent: true, // else a gateway has one at a time
        }),
      },
    );
    const text = await response.text();
    if (!response.ok || !text.includes('"succeeded"')) throw new Error(text);
  };
  await load(echo, 64, 1000);
  const alone = await load(echo, 1, 500), many = await load(echo, 64, 5000);
  note(`${mode} remote commands, 1 in flight, p50`, percentile(alone.times, 0.5));
  note(`${mode} remote commands, 64 in flight`, many.rate);
  note(`${mode} remote commands, 64 in flight, p99`, percentile(many.times, 0.99));
}

/** What a registration writes, as access does it: a row and a commit each. */
async function registrations(mode: SyncMode, note: (name: string, value: number) => void) {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-bench-" });
  {
    await using db = await openDatabase<RegistryTables>(`sqlite:${dir}/bench.db`, registryMigrations, {
      sync: mode,
    });
    const store = new GatewayStore(db.sql, systemClock);
    const macs = Array.from(
      { length: 1000 },
      (_, i) => `64D954${i.toString(16).toUpperCase().padStart(6, "0")}`,
    );
    await store.preset(macs.map((mac) => ({ mac, sn: `SN${mac}`, loid: mac })));
    const { rate } = await load(
      async () => {
        await store.update(macs[Math.floor(Math.random() * macs.length)]!, {
          registered_at: systemClock.now(),
        });
      },
      64,
      5000,
    );
    note(`${mode} registrations written, 64 at a time`, rate);
  }
  await Deno.remove(dir, { recursive: true });
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

if (import.meta.main) printRows("What it costs to survive a power cut (--database-sync)", await benchSync());
