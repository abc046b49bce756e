/**
 * Settings in force as text that may be shown: every setting of the table, none of its secrets.
 *
 * @module
 */
import { type Setting, type SettingsTable, shownDefault, type ValuesOf } from "./setting.ts";

/**
 * Each setting's value by its name. Of a secret only whether there is one is told, and addresses lose who signs in
 * there: so whatever is added to the table is shown, and nothing that it keeps secret.
 */
export function shownSettings<Table extends SettingsTable>(
  table: Table,
  values: ValuesOf<Table>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(table).map(([name, setting]) => [name, shown(setting, values[name])]),
  );
}

function shown(setting: Setting<unknown>, value: unknown): string {
  if (value === undefined) return shownDefault(setting) ?? "";
  if (setting.environmentOnly) return "set, and not shown";
  return (setting.kind.show ?? String)(value).split(",").map(withoutPassword).join(",");
}

/** An address without who signs in there; of what can't be read as one, its scheme alone. */
function withoutPassword(text: string): string {
  if (!text.includes("@") && !text.includes("?")) return text;
  const scheme = text.split(":", 1)[0];
  if (!text.includes("://")) return text.includes("@") ? `${scheme}:…` : text;
  if (!URL.canParse(text)) return `${scheme}://…`;
  const { protocol, host, pathname } = new URL(text);
  return `${protocol}//${host}${pathname}`;
}
