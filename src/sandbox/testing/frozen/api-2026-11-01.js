// deno-lint-ignore-file no-console -- a plug-in has it
// A plug-in of the first date of the host API. Never changed: what it does and gets today it does and gets for ever.
export const manifest = {
  name: "com.example.frozen",
  version: "1.0",
  apiVersion: "2026-11-01",
  description: "uses every function that the sandbox itself gave on that date",
  author: "nobody",
  commands: { ALL: { right: "both" }, ECHO: { right: "local" }, HIDDEN: { right: "none" } },
  capabilities: ["storage", "timers", "plugins.call", "crypto"],
  peers: ["com.example.peer"],
  hosts: ["example.com", "*.example.net:8443"],
  limits: {
    memoryMb: 16,
    callMs: 5000,
    cpuMs: 200,
    calls: 32,
    queue: 0,
    storageKb: 64,
    logsPerSecond: 20,
    timers: 8,
    messagesPerMinute: 30,
  },
};
let started = 0;
export async function start(host) {
  started = (await host.storage.get("starts") ?? 0) + 1;
  await host.storage.set("starts", started);
}
export function stop(host) {
  host.log("stopped");
}
export function health() {
  if (started === 0) throw new Error("not started");
}
export const commands = {
  async ALL(_request, host) {
    const refused = async (work) => {
      try {
        await work();
        return "no error";
      } catch (error) {
        return error.message;
      }
    };
    host.log("a line");
    host.log.debug("a");
    host.log.info("b");
    host.log.warn("c");
    host.log.error("d", { n: 1 });
    console.log("another");
    await host.storage.set("key", { list: [1, "2", null] });
    await host.storage.set("gone", true);
    await host.storage.delete("gone");
    await host.timers.wait(1);
    return {
      host: Object.keys(host).sort(),
      frozen: Object.isFrozen(host),
      started,
      kept: await host.storage.get("key"),
      nothing: await host.storage.get("gone"),
      keys: await host.storage.keys(""),
      digest: await host.crypto.digest("SHA-256", "abc"),
      random: (await host.crypto.random(8)).length,
      peer: await host.plugins.call("com.example.peer", "ADD", { A: "2", B: "3" }),
      stranger: await refused(() => host.plugins.call("com.example.other", "ADD", {})),
      wait: await refused(() => host.timers.wait(-1)),
      bigKey: await refused(() => host.storage.get("x".repeat(129))),
    };
  },
  ECHO: ({ CmdType: _, ...fields }) => fields,
  HIDDEN: () => ({}),
};
