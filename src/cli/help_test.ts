import { assert, assertEquals } from "@std/assert";
import { overview, roleHelp } from "./help.ts";
import { ROLES, shownDefault, variableOf } from "./setting.ts";
import { SETTINGS_OF } from "./settings_table.ts";

Deno.test("each role's help names every setting with its default", () => {
  for (const role of ROLES) {
    const help = roleHelp(role, "1.2.3").replace(/\s+/g, " ");
    for (const [name, setting] of Object.entries(SETTINGS_OF[role])) {
      assert(help.includes(setting.environmentOnly ? variableOf(name) : `--${name} `), name);
      const shown = shownDefault(setting);
      assert(shown === undefined || help.includes(`default: ${shown}`), `${name}: ${shown}`);
    }
    assert(help.includes("Exit codes") && help.includes("Examples") && help.includes("1.2.3"));
  }
});

Deno.test("help fits a screen 120 wide", () => {
  for (const text of [overview("1"), ...ROLES.map((role) => roleHelp(role, "1"))]) {
    assertEquals(text.split("\n").filter((line) => line.length > 120), []);
  }
});
