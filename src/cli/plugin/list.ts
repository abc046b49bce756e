/**
 * `gatehouse plugin list`: the plug-ins of a gateway or a platform.
 *
 * @module
 */
import type { PluginStatus } from "../../sandbox/mod.ts";
import { EXIT } from "../errors.ts";
import { ASKS_OTHERS, type Command } from "./command.ts";
import { CONTROL_OPTIONS, ControlClient } from "./control_client.ts";
import { plain, size, table, time } from "./terminal.ts";

const command: Command = {
  name: "list",
  summary: "shows the plug-ins of a gateway or platform, with figures",
  about:
    `Of a gateway: state, calls, errors by kind, how long half and 99 of 100 calls took, memory, restarts. Of a
platform: what its repository holds, in which channel, and how far it is trusted.`,
  positionals: [],
  options: { ...CONTROL_OPTIONS, json: { help: "everything there is to tell, as JSON" } },
  examples: [
    "GATEHOUSE_ADMIN_TOKEN=... gatehouse plugin list",
    "gatehouse plugin list --to http://192.168.1.1:8081 --token-file token --json",
  ],
  failure: "the control API does not answer, or refuses",
  givesUp: ASKS_OTHERS,
  async run(input, terminal) {
    const api = await ControlClient.open(input, terminal);
    const items = await allOf(api);
    if (input.has("json")) terminal.print(JSON.stringify(items, undefined, 2));
    else if (await api.role() === "gateway") gatewayTable(items as unknown as PluginStatus[], terminal.print);
    else platformTable(items, terminal.print);
    return EXIT.ok;
  },
};
export default command;

/** Everything that is there: a platform gives a page at a time. */
async function allOf(api: ControlClient): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  for (let cursor: unknown, path = "/api/v1/plugins";; path = `/api/v1/plugins?cursor=${cursor}`) {
    const { body } = await api.get(path);
    items.push(...body.items as Record<string, unknown>[]);
    cursor = body.next;
    if (typeof cursor !== "string") return items;
  }
}

function gatewayTable(items: readonly PluginStatus[], print: (line: string) => void): void {
  const head = ["NAME", "VERSION", "STATE", "CALLS", "ERRORS", "P50", "P99", "MEMORY", "RESTARTS"];
  const rows = items.map(({ name, version, state, calls, errors, memoryBytes, restarts, figures }) => {
    const { latency, errorsByKind } = figures;
    const kinds = Object.entries(errorsByKind).map(([kind, count]) => `${kind} ${count}`).join(", ");
    const known = latency.count > 0;
    return [
      plain(name),
      plain(version ?? "-"),
      state,
      String(calls),
      kinds === "" ? String(errors) : `${errors} (${kinds})`,
      known ? time(latency.p50Ms) : "-",
      known ? time(latency.p99Ms) : "-",
      size(memoryBytes),
      String(restarts),
    ];
  });
  for (const line of table([head, ...rows], [3, 5, 6, 7, 8])) print(line);
  for (const { name, error } of items) {
    if (error !== undefined && error !== null) print(`${plain(name)}: ${plain(error)}`);
  }
}

function platformTable(items: readonly Record<string, unknown>[], print: (line: string) => void): void {
  const text = (value: unknown) => value === undefined || value === null ? "-" : plain(String(value));
  const rows = items.map(({ name, version, channel, trust, size: bytes, sha256 }) => [
    text(name),
    text(version),
    text(channel),
    text((trust as { tier?: unknown } | undefined)?.tier),
    typeof bytes === "number" ? size(bytes) : "-",
    text(sha256),
  ]);
  const head = ["NAME", "VERSION", "CHANNEL", "TRUST", "SIZE", "SHA256"];
  for (const line of table([head, ...rows], [4])) print(line);
}
