/**
 * What was last seen on gateways: their plug-ins and parameters, as the replies to commands told.
 *
 * @module
 */
import type { Kysely } from "kysely";
import type { Clock } from "../../base/mod.ts";
import type { CommandRow } from "../registry/mod.ts";
import type { FleetTables, SeenParameterRow, SeenPluginRow } from "./schema.ts";

/** Parameters kept of one gateway, and the longest value. */
const MAX_PARAMETERS = 2000;
const MAX_VALUE = 4096;

/** What was seen, as rows. */
export class SeenStore {
  constructor(private readonly db: Kysely<FleetTables>, private readonly clock: Pick<Clock, "now">) {}

  plugins(mac: string): Promise<SeenPluginRow[]> {
    return this.db.selectFrom("gateway_plugin").selectAll().where("mac", "=", mac).orderBy("name").execute();
  }

  /** Parameters by name, from behind `after`. */
  parameters(mac: string, limit: number, after = ""): Promise<SeenParameterRow[]> {
    return this.db.selectFrom("gateway_parameter").selectAll().where("mac", "=", mac).where(
      "name",
      ">",
      after,
    )
      .orderBy("name").limit(limit).execute();
  }

  /** Learns from a command that succeeded; answers what has changed among the plug-ins. */
  async learn(command: CommandRow): Promise<PluginChange[]> {
    // Its parameters change no plug-in, and are many more.
    if (command.kind === "post") {
      await this.#learnParameters(command);
      return [];
    }
    const before = await this.plugins(command.mac);
    await this.#learnPlugins(command);
    return changes(before, await this.plugins(command.mac));
  }

  async #learnPlugins(command: CommandRow): Promise<void> {
    const { mac, kind, plugin, version } = command;
    switch (kind) {
      case "list":
        return await this.#replacePlugins(mac, listOf(command.reply));
      case "install":
        return await this.#put(mac, [{ name: plugin, version, run: true }]);
      case "run":
      case "stop":
        await this.db.updateTable("gateway_plugin")
          .set({ running: kind === "run" ? 1 : 0, seen_at: this.clock.now() })
          .where("mac", "=", mac).where("name", "=", plugin).execute();
        return;
      case "uninstall":
        await this.db.deleteFrom("gateway_plugin").where("mac", "=", mac).where("name", "=", plugin)
          .execute();
        return;
    }
  }

  async #replacePlugins(mac: string, plugins: readonly Seen[]): Promise<void> {
    await this.db.transaction().execute(async (tx) => {
      await tx.deleteFrom("gateway_plugin").where("mac", "=", mac).execute();
      await this.#put(mac, plugins, tx);
    });
  }

  async #put(mac: string, plugins: readonly Seen[], db: Kysely<FleetTables> = this.db): Promise<void> {
    const seen_at = this.clock.now();
    for (const { name, version, run } of plugins) {
      const row = { mac, name, version, running: run ? 1 : 0, seen_at };
      await db.insertInto("gateway_plugin").values(row)
        .onConflict((conflict) => conflict.columns(["mac", "name"]).doUpdateSet(row)).execute();
    }
  }

  /** `GETPARAMETERVALUES` answers `List`; `SETPARAMETERVALUES` was given one. */
  async #learnParameters({ mac, parameter, reply }: CommandRow): Promise<void> {
    const request = objectOf(parameter), cmdType = request["CmdType"];
    const list = cmdType === "GETPARAMETERVALUES"
      ? pairsOf(objectOf(reply)["List"])
      : cmdType === "SETPARAMETERVALUES"
      ? pairsOf(request["List"])
      : [];
    if (list.length === 0) return;
    const seen_at = this.clock.now();
    await this.db.transaction().execute(async (tx) => {
      for (const [name, value] of list) {
        const row = { mac, name, value, seen_at };
        await tx.insertInto("gateway_parameter").values(row)
          .onConflict((conflict) => conflict.columns(["mac", "name"]).doUpdateSet(row)).execute();
      }
    });
  }
}

/** A plug-in that is not as it was; null: it was not there, or is no longer. */
export interface PluginChange {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** What changed between two looks, `1.0` or `1.0 stopped` each. */
function changes(before: readonly SeenPluginRow[], after: readonly SeenPluginRow[]): PluginChange[] {
  const stateOf = (row: SeenPluginRow | undefined) =>
    row ? `${row.version}${row.running === 1 ? "" : " stopped"}` : null;
  const [old, fresh] = [before, after].map((rows) => new Map(rows.map((row) => [row.name, row])));
  return [...new Set([...old!.keys(), ...fresh!.keys()])]
    .map((name) => ({ name, before: stateOf(old!.get(name)), after: stateOf(fresh!.get(name)) }))
    .filter((change) => change.before !== change.after);
}

interface Seen {
  readonly name: string;
  readonly version: string;
  readonly run: boolean;
}

function objectOf(json: string | null): Readonly<Record<string, unknown>> {
  const value: unknown = json === null ? undefined : JSON.parse(json);
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}

/** The plug-ins of a `list` command's reply. */
function listOf(reply: string | null): Seen[] {
  const { plugins } = objectOf(reply);
  if (!Array.isArray(plugins)) return [];
  return plugins.flatMap((entry: unknown) => {
    const { name, version, run } = entry as Partial<Seen>;
    return typeof name === "string" && typeof version === "string"
      ? [{ name, version, run: run === true }]
      : [];
  });
}

/** Names and values, whichever way a list writes them: `{name: value}`, or `[{Name, Value}]`. */
function pairsOf(list: unknown): [string, string][] {
  const text = (value: unknown) =>
    (typeof value === "string" ? value : JSON.stringify(value) ?? "").slice(0, MAX_VALUE);
  const pairs: [string, string][] = [];
  if (Array.isArray(list)) {
    for (const entry of list) {
      if (typeof entry !== "object" || entry === null) continue;
      const { Name, Value, name, value } = entry as Record<string, unknown>;
      const key = Name ?? name;
      if (typeof key === "string") pairs.push([key.slice(0, 256), text(Value ?? value)]);
    }
  } else if (typeof list === "object" && list !== null) {
    for (const [name, value] of Object.entries(list)) pairs.push([name.slice(0, 256), text(value)]);
  }
  return pairs.slice(0, MAX_PARAMETERS);
}
