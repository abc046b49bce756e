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
platform: what its repository holds.`,
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
    const { body } = await api.get("/api/v1/plugins");
    const items = body.items as Record<string, unknown>[];
    if (input.has("json")) terminal.print(JSON.stringify(items, undefined, 2));
    else if (await api.role() === "gateway") gatewayTable(items as unknown as PluginStatus[], terminal.print);
    else platformTable(items, terminal.print);
    return EXIT.ok;
  },
};
export default command;

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
  const rows = items.map(({ name, version, size: bytes, sha256 }) => [
    text(name),
    text(version),
    typeof bytes === "number" ? size(bytes) : "-",
    text(sha256),
  ]);
  for (const line of table([["NAME", "VERSION", "SIZE", "SHA256"], ...rows], [2])) print(line);
}
