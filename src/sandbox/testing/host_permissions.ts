/**
 * Runs a plug-in host until its input ends, and tells how many permissions the process has before and after.
 *
 * @module
 */
import { runPluginHost } from "../host/mod.ts";

async function tell(when: string): Promise<void> {
  let granted = 0;
  for (const name of ["read", "write", "net", "env", "run", "sys", "ffi"] as const) {
    if ((await Deno.permissions.query({ name })).state === "granted") granted++;
  }
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify({ [when]: granted }) + "\n"));
}

await tell("before");
await runPluginHost();
await tell("after");
