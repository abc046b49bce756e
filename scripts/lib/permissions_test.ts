import { assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { COMPILED_PERMISSIONS, runPermissions } from "./permissions.ts";

const SELF = "$(deno eval 'console.log(Deno.execPath())')";

/** The permission flags in a task's command, in one order. */
function flagsOf(command: string): string[] {
  return command.replaceAll(SELF, Deno.execPath()).split(" ").filter((word) =>
    /^--(allow|ignore)-/.test(word)
  )
    .sort();
}

Deno.test("the task that starts the program, and whatever else starts it, give it the same permissions", () => {
  assertEquals(flagsOf(config.tasks.start), runPermissions().sort());
});

Deno.test("the executable has the same permissions, but that it can't know its own name, and needs no cache", () => {
  const plain = (flag: string) => flag.replace(/^(--allow-run|--allow-env)=.*/, "$1");
  assertEquals(COMPILED_PERMISSIONS.map(plain).sort(), runPermissions().map(plain).sort());
  assertEquals(COMPILED_PERMISSIONS.filter((flag) => flag.startsWith("--allow-env")), [
    "--allow-env=GATEHOUSE_*",
  ]);
});

Deno.test("no task has every permission", () => {
  for (const [name, command] of Object.entries(config.tasks)) {
    assertEquals(/(^|\s)(-A|--allow-all|-[a-zA-Z]*A[a-zA-Z]*)(\s|$)/.test(command), false, name);
  }
});
