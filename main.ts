/**
 * Gatehouse: one executable, `--role gateway` or `--role platform`.
 *
 * It loads what it is about to be and no more: as a plug-in host it must be small and soon ready.
 *
 * @module
 */
if (Deno.args[0] === "plugin-host") {
  const { runPluginHost } = await import("./src/sandbox/host/mod.ts");
  await runPluginHost();
} else if (Deno.args[0] === "sms") {
  const { smsMain } = await import("./src/cli/sms_main.ts");
  Deno.exit(await smsMain(Deno.args.slice(1)));
} else if (Deno.args[0] === "backup" || Deno.args[0] === "restore") {
  const { backupMain } = await import("./src/cli/backup.ts");
  Deno.exit(await backupMain(Deno.args));
} else if (Deno.args[0] === "plugin") {
  const { pluginMain } = await import("./src/cli/plugin/mod.ts");
  Deno.exit(await pluginMain(Deno.args.slice(1)));
} else {
  const { main } = await import("./src/cli/mod.ts");
  Deno.exit(await main(Deno.args));
}
