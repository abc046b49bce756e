/**
 * What the documents show is done as they show it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { filesNamed } from "../scripts/lib/docs.ts";
import { author, startLoneGateway } from "./support/author.ts";
import { startFileServer } from "./support/file_server.ts";
import { startFleet } from "./support/fleet.ts";
import { blocks, steady, stepsOf } from "./support/session.ts";

/** The gateway of the guide. */
const ADDRESS = "http://192.168.1.1:8081";
const GUIDE = "docs/plugins.md", TRANSLATION = "docs/plugins.zh-CN.md";

/** The languages of the guide's blocks, each of which a test here runs. */
const LANGUAGES = ["console", "js", "sh"];
/** The platform of the guide, its gateway's MAC, and where files are. */
const PLATFORM = "https://platform.example.net", MAC = "64D95420214B", FILES = "http://files.example.net";

function read(document: string): Promise<string> {
  return Deno.readTextFile(new URL(`../${document}`, import.meta.url));
}

/** The plug-in that a document shows. */
async function example(document: string): Promise<string> {
  const code = blocks(await read(document), "js").find((block) => block.includes("export const manifest"));
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

Deno.test("the guide's session for authors goes as it shows, word for word but for times, sizes and keys", async () => {
  await using me = await author();
  await using gateway = await startLoneGateway(["--require-signed", "all"]);
  const steps = stepsOf(await read(GUIDE));
  assert(steps.length >= 12, `${steps.length} commands`);
  for (const { command, output } of steps) {
    const said = (await me.shell(command.replaceAll(ADDRESS, gateway.url))).replaceAll(gateway.url, ADDRESS);
    assertEquals(steady(said), steady(output), command);
  }
});

Deno.test("the guide's tests pass for the guide's plug-in, its form is one, and there is no other code in it", async () => {
  const code = blocks(await read(GUIDE), "js");
  const [plugin, form, ...more] = code.filter((block) => block.includes("export const manifest"));
  const [tests, ...others] = code.filter((block) => block.includes("export const tests"));
  assertEquals([more, others, code.length], [[], [], 3]);
  await using me = await author();
  await Deno.mkdir(`${me.dir}/form`);
  await Deno.writeTextFile(`${me.dir}/form/plugin.js`, form!);
  await Deno.writeTextFile(
    `${me.dir}/form/plugin_test.js`,
    `export const tests = { async "greets"({ call, equal }) {
      equal(await call("GREET", { Name: "Ann", Tone: "cool" }), { Text: "Hi Ann" });
    } };`,
  );
  for (const command of ["check", "test"]) {
    const { code: exit, out } = await me.run(command, "form");
    assertEquals(exit, 0, out);
  }
  assertEquals(form!.match(/fields: \[/g)?.length, 1);
  await Deno.writeTextFile(`${me.dir}/plugin.js`, plugin!);
  await Deno.writeTextFile(`${me.dir}/plugin_test.js`, tests!);
  const { code: exit, out } = await me.run("test", ".");
  assertEquals(exit, 0, out);
  assert(out.endsWith("2 passed, 0 failed\n"), out);
});

Deno.test("the guide in Chinese shows the same commands, outputs and code as the one in English", async () => {
  const [english, chinese] = await Promise.all([read(GUIDE), read(TRANSLATION)]);
  for (const language of LANGUAGES) {
    assertEquals(blocks(chinese, language), blocks(english, language));
  }
  for (const text of [english, chinese]) {
    const fences = [...text.matchAll(/^ *```(.*)$/gm)].map(([, language]) => language!);
    const opened = fences.filter((_, i) => i % 2 === 0);
    assertEquals(opened.filter((language) => !LANGUAGES.includes(language)), [], "nobody runs these");
  }
  const headings = (text: string) => [...text.matchAll(/^(#+) /gm)].map(([, marks]) => marks);
  assertEquals(headings(chinese), headings(english));
});

Deno.test("the guide's ways onto gateways by hand lead there: control API, address, platform", async () => {
  await using me = await author();
  await using fleet = await startFleet();
  const name = "com.example.greeter";
  await me.run("new", name, "--dir", "greeter");
  await me.run("pack", "greeter", "--output", "greeter.ghp");
  await using files = startFileServer({ "/greeter.ghp": await Deno.readFile(`${me.dir}/greeter.ghp`) });
  const commands = blocks(await read(GUIDE), "sh");
  assertEquals(commands.length, 3);
  for (const block of commands) {
    const said = await me.shell(
      block.replaceAll(ADDRESS, `http://127.0.0.1:${fleet.gateway.ports.control}`)
        .replaceAll(PLATFORM, `http://127.0.0.1:${fleet.platform.ports.http}`)
        .replaceAll(MAC, fleet.mac).replaceAll(FILES, files.url),
    );
    assert(!said.includes("curl:"), `${block}\n${said}`);
    await fleet.until("it runs", () => fleet.runs(name));
    const { status } = await fleet.control("DELETE", `/api/v1/plugins/${name}`);
    assertEquals(status, 204, said);
  }
});

Deno.test("every row of the comparison, good or bad for us, names a test or a page that is there", async () => {
  const rows = (await read("docs/comparison.md")).split("\n").filter((line) => line.startsWith("|")).slice(2);
  assert(rows.length > 20);
  for (const row of rows) {
    const proof = row.split("|").at(-2)!, named = filesNamed(proof);
    assert(named.length > 0, `nothing is named: ${row}`);
    for (const { path } of named) {
      const { isFile } = await Deno.stat(new URL(`../${path}`, import.meta.url));
      assert(isFile, `${path} is a folder`);
    }
  }
  const weaker = rows.filter((row) => row.split("|")[2]!.includes("○"));
  assert(weaker.length >= 5, "a comparison without what others do better is none");
});
