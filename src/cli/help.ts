/**
 * What `--help` prints.
 *
 * @module
 */
import { type Role, type Setting, type SettingsTable, shownDefault, variableOf } from "./setting.ts";
import { COMMON_SETTINGS, SETTINGS_OF } from "./settings_table.ts";

const WIDTH = 100;
const INDENT = 8;

const EXIT_CODES = `Exit codes
  0  stopped cleanly by SIGINT or SIGTERM; --help and --version
  1  could not start (a port in use, a data folder that can't be had), or could not stop in good order
  2  a flag, an environment variable or the configuration file is wrong
  130, 143  a second SIGINT or SIGTERM: ended at once`;

const EXAMPLES: Record<Role, string> = {
  platform: `Examples
  gatehouse --role platform --data /var/lib/gatehouse --advertise platform.example.net
  gatehouse --role platform --http 127.0.0.1:8080 --services distribution,access
  GATEHOUSE_ADMIN_TOKEN=... gatehouse --role platform --config /etc/gatehouse.toml`,
  gateway: `Examples
  gatehouse --role gateway --mac 64D95420214B --sn 64D954-D6AEE64D95420214B --loid 0123456789 \\
    --mgt-url platform.example.net
  gatehouse --role gateway --config /etc/gatehouse.toml --isolation inline --log-format json`,
};

/** Help without a role: what there is. */
export function overview(version: string): string {
  return `Gatehouse ${version}: smart home gateways and the carrier's platform, in one executable

Usage
  gatehouse --role platform [flags]   the carrier's servers: registration, plug-ins, phone app's API
  gatehouse --role gateway  [flags]   the agent on one home gateway
  gatehouse --role ROLE --help        the flags of a role
  gatehouse backup --help             backs up a platform's embedded database while it runs; gatehouse restore
  gatehouse sms --help                a provider of short messages at the terminal: send, listen, query, cancel
  gatehouse plugin --help             for those who write plug-ins: new, check, test, run, pack, sign, install, list
  gatehouse --version

Flags of both roles
${table(COMMON_SETTINGS)}

${EXIT_CODES}`;
}

/** Help of one role. */
export function roleHelp(role: Role, version: string): string {
  const shared = Object.keys(COMMON_SETTINGS);
  const own = Object.entries(SETTINGS_OF[role]).filter(([name]) => !shared.includes(name));
  return `Gatehouse ${version}: --role ${role}

Usage
  gatehouse --role ${role} [flags]

Flags of --role ${role}
${table(Object.fromEntries(own))}

Flags of both roles
${table(COMMON_SETTINGS)}

Each flag is also an environment variable (--log-level: GATEHOUSE_LOG_LEVEL) and a key of the file that --config names
(log-level = "debug"). A flag goes before the environment, the environment before the file.

${EXAMPLES[role]}

${EXIT_CODES}`;
}

function table(settings: SettingsTable): string {
  return Object.entries(settings).map(([name, setting]) => entry(name, setting)).join("\n");
}

function entry(name: string, setting: Setting<unknown>): string {
  const head = setting.environmentOnly ? `  ${variableOf(name)}` : `  --${name} ${setting.kind.label}`;
  const fallback = shownDefault(setting);
  const notes = [setting.help];
  if (!setting.kind.obvious) notes.push(setting.kind.allowed);
  notes.push(setting.required ? "needed" : fallback === undefined ? "no default" : `default: ${fallback}`);
  return `${head}\n${wrap(notes.join("; "))}`;
}

function wrap(text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > WIDTH - INDENT) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.map((part) => " ".repeat(INDENT) + part).join("\n");
}
