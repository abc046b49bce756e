/**
 * One change of a plug-in in a process of its own, which kills itself (SIGKILL) before a given step on the disk.
 * Prints `done` where it came to its end.
 *
 * Arguments: the folder (with `plugins` and `state` in it), the change, the version, and the number of the step.
 *
 * @module
 */
import { createPluginManager } from "../manager.ts";
import { openTrust, packagePath, trustPath, versionFiles } from "./cut.ts";
import { testDeps } from "./fixture.ts";

const [root, change, version, last] = Deno.args as [string, string, string, string];
let left = 0; // none while it starts
const there = (path: string) => Deno.stat(path).then(() => true, () => false);
const trust = await there(trustPath(root)) ? await openTrust(root) : undefined;
const manager = await createPluginManager(testDeps(), {
  dir: `${root}/plugins`,
  stateDir: `${root}/state`,
  isolation: "inline",
  capabilities: {},
  ...trust && { admit: (program) => trust.admit(program) },
  onStep: () => {
    if (left > 0 && --left === 0) Deno.kill(Deno.pid, "SIGKILL");
  },
});
left = Number(last);
if (change === "install") {
  const path = packagePath(root, version);
  await manager.install("p", await there(path) ? await Deno.readFile(path) : versionFiles(version));
} else if (change === "roll back") await manager.rollBack("p");
else if (change === "remove") await manager.remove("p");
else throw new Error(`unknown change "${change}"`);
await Deno.stdout.write(new TextEncoder().encode("done\n"));
Deno.kill(Deno.pid, "SIGKILL"); // nothing is tidied up in this case either
