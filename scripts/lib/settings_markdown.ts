/**
 * The settings as a table for the documents.
 *
 * @module
 */
import { SETTINGS_OF, shownDefault, variableOf } from "../../src/cli/mod.ts";
import type { Role, SettingsTable } from "../../src/cli/mod.ts";

/** A table of the settings that only `role` has, or that all roles have. */
export function settingsTable(role: Role | "both"): string {
  const gateway: SettingsTable = SETTINGS_OF.gateway, platform: SettingsTable = SETTINGS_OF.platform;
  const table = role === "platform" ? platform : gateway;
  const rows = Object.entries(table).filter(([name]) =>
    (Object.hasOwn(gateway, name) && Object.hasOwn(platform, name)) === (role === "both")
  );
  const lines = rows.map(([name, setting]) => {
    const flag = setting.environmentOnly ? `\`${variableOf(name)}\`` : `\`--${name} ${setting.kind.label}\``;
    const fallback = setting.required ? "needed" : shownDefault(setting) ?? "none";
    const note = setting.kind.obvious ? "" : `; ${setting.kind.allowed}`;
    return `| ${cell(flag)} | ${cell(fallback)} | ${cell(setting.help + note)} |`;
  });
  return ["| flag | default | meaning, and what is allowed |", "| --- | --- | --- |", ...lines].join("\n") +
    "\n";
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replace(/<([^>]+)>/g, "`<$1>`");
}
