/**
 * How this program starts itself again as a plug-in host.
 *
 * @module
 */

/** The hidden sub-command of main.ts. */
const PLUGIN_HOST = "plugin-host";

/** A program to start, its arguments, and its whole environment. */
export interface SelfCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Where Deno finds what it has fetched; nothing else of the environment reaches a plug-in host. */
const CACHE_VARIABLES = ["HOME", "DENO_DIR", "XDG_CACHE_HOME"];

/**
 * The command that ends up in `runPluginHost()`. The compiled program is started as it is; from the sources, Deno
 * is started without any permission, and without the right to fetch anything.
 */
export function pluginHostCommand(
  env: (name: string) => string | undefined,
  standalone: boolean = Deno.build.standalone,
): SelfCommand {
  if (standalone) return { command: Deno.execPath(), args: [PLUGIN_HOST], env: {} };
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const kept = CACHE_VARIABLES.flatMap((name) => {
    const value = env(name);
    return value === undefined ? [] : [[name, value]];
  });
  return {
    command: Deno.execPath(),
    args: ["run", "--quiet", "--no-prompt", "--cached-only", decodeURIComponent(main), PLUGIN_HOST],
    env: Object.fromEntries(kept),
  };
}
