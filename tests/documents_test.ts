/**
 * What the documents show is done as they show it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { startFleet } from "./support/fleet.ts";

/** The first JavaScript block of a document. */
async function example(document: string): Promise<string> {
  const text = await Deno.readTextFile(new URL(`../${document}`, import.meta.url));
  const [, code] = /```js\n([\s\S]+?)```/.exec(text) ?? [];
  if (!code) throw new Error(`no example in ${document}`);
  return code;
}

Deno.test("the plug-ins of README, README.zh-CN and the guide do what they say, on a running gateway", async () => {
  await using fleet = await startFleet();
  for (const document of ["README.md", "README.zh-CN.md", "docs/plugins.md"]) {
    await fleet.plugin("greeter.js", await example(document));
    await fleet.until("loaded", () => fleet.runs("com.example.greeter"));
    const path = "/api/v1/plugins/com.example.greeter/call";
    await fleet.until("in force", async () => {
      const { body } = await fleet.control("POST", path, {
        parameter: { CmdType: "GREET", Name: "Han Meimei" },
      });
      const reply = body.reply as { Status: string; Text: string; Memory: string };
      assertEquals(reply.Status, "0", JSON.stringify(body));
      assert(/^\d+(\.\d+)? %$/.test(reply.Memory), reply.Memory);
      return reply.Text === (document.includes("zh") ? "你好 Han Meimei" : "Hello Han Meimei");
    });
  }
});
