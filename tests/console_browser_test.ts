/**
 * The console in a real Chromium, against a platform and a gateway that are processes of their own.
 *
 * With `GATEHOUSE_SCREENSHOTS=docs/screenshots` the pictures of the documents are taken anew.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Page } from "playwright-core";
import {
  CHROMIUM,
  type Finding,
  seriousFindings,
  type Tab,
  TestBrowser,
  WITHOUT_CHROMIUM,
} from "./support/browser.ts";
import { type Fleet, startFleet } from "./support/fleet.ts";
import { ADMIN_TOKEN } from "./support/platform.ts";

const PASSWORD = "correct horse battery";
const HELLO = `
export const manifest = {
  name: "com.example.hello",
  version: "1.0",
  apiVersion: "2026-11-01",
  commands: {
    HELLO: {
      right: "both",
      fields: [{ name: "Name", label: { en: "Whom", zh: "姓名" }, required: true, pattern: "[A-Za-z]+" }],
    },
  },
};
export const commands = { HELLO: ({ Name }) => ({ Text: "Hello " + Name }) };
`;

const SMS_PORTS = ["--sms", "--sms-short", "--sms-peer", "--gns"].flatMap((flag) => [flag, "127.0.0.1:0"]);

/** A platform with every service, a simulated gateway that has registered, and an administrator. */
async function stage(): Promise<{ fleet: Fleet; url: string }> {
  const fleet = await startFleet({
    platformArgs: [
      ...["--services", "distribution,access,plugin_center,push,app,sms,gns", "--ismg-code", "001001"],
      ...SMS_PORTS,
    ],
    gatewayArgs: ["--driver", "simulated"],
  });
  const made = await fleet.call("POST", "/api/v1/operators", {
    name: "chen.jing",
    password: PASSWORD,
    role: "admin",
  });
  assertEquals(made.status, 201);
  return { fleet, url: `http://127.0.0.1:${fleet.platform.ports.http}` };
}

async function signIn(page: Page): Promise<void> {
  await page.goto("/");
  await page.getByLabel("Name").fill("chen.jing");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).first().click();
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
}

const heading = (page: Page, name: string | RegExp) =>
  page.getByRole("heading", { name, level: 1 }).waitFor();

Deno.test({
  name:
    `operators do their work in a browser: gateways, plug-ins, rollouts, policies, people${WITHOUT_CHROMIUM}`,
  ignore: CHROMIUM === undefined,
  async fn(t) {
    const { fleet, url } = await stage();
    await using _fleet = fleet;
    await using browser = await TestBrowser.start();
    await using tab = await browser.open(url);
    const { page } = tab;
    const menu = (name: string) =>
      page.getByRole("navigation", { name: "Main menu" }).getByRole("link", { name }).click();
    const state = page.locator("#state");

    await t.step("signs in", () => signIn(page));

    await t.step("finds a gateway and sees that it is online", async () => {
      await menu("Gateways");
      await page.getByLabel("Filter (RSQL)").fill(`mac==${fleet.mac}`);
      await page.getByRole("button", { name: "Search" }).click();
      await page.getByRole("link", { name: fleet.mac }).click();
      await heading(page, `Gateway ${fleet.mac}`);
      await page.locator("#facts").getByText("online", { exact: true }).waitFor();
    });

    await t.step("runs a capability on it with the form of its manifest, and sees the reply", async () => {
      await page.getByLabel("Command (CmdType)").fill("PING_DIAG_REQ");
      await page.getByRole("button", { name: "Choose a command" }).click();
      await heading(page, "Run PING_DIAG_REQ");
      await page.getByLabel("Destination").fill("127.0.0.1");
      await page.getByRole("button", { name: "Run", exact: true }).click();
      await heading(page, /PING_DIAG_REQ/);
      await page.locator("#command").getByText("succeeded").waitFor();
      await page.goto(`/gateways/${fleet.mac}/run?command=QUERY_SYSTEM_INFO`);
      await page.getByRole("button", { name: "Run", exact: true }).click();
      await page.locator("#command").getByText('"DEVType": "simulated"').waitFor();
    });

    await t.step("asks it for its plug-ins", async () => {
      await page.goto(`/gateways/${fleet.mac}`);
      await page.getByRole("button", { name: "Ask the gateway for its plug-ins" }).click();
      await page.getByRole("rowheader", { name: "system-monitor" }).waitFor();
    });

    await t.step("uploads a plug-in and rolls it out, with live progress", async () => {
      await menu("Plug-ins");
      await page.getByLabel("File").setInputFiles({
        name: "hello.js",
        mimeType: "text/javascript",
        buffer: Buffer.from(HELLO),
      });
      await page.getByRole("button", { name: "Upload a plug-in" }).click();
      await heading(page, "com.example.hello 1.0");
      await page.getByRole("link", { name: "Roll it out" }).click();
      await page.getByLabel("Name", { exact: true }).fill("Hello to everybody");
      await page.getByLabel("Filter (RSQL)").fill("online==true");
      // The number follows what is typed.
      await page.locator("output[data-count]").getByText("Gateways at the moment: 1").waitFor();
      await page.getByRole("button", { name: "Make a rollout" }).click();
      await state.getByText("draft").waitFor();
      await page.getByRole("button", { name: "Start" }).click();
      // Nobody loads the page again.
      await state.getByText("finished").waitFor();
      assertStringIncludes(await state.innerText(), "1 of 1 ended, 0 failed");
      await page.goto(`/gateways/${fleet.mac}/run?command=HELLO`);
      await page.getByLabel("Whom").fill("Ann");
      await page.getByRole("button", { name: "Run", exact: true }).click();
      await page.locator("#command").getByText('"Text": "Hello Ann"').waitFor();
    });

    await t.step("tries a policy, sees what is wrong with it, and puts it into force", async () => {
      await menu("Distribution");
      await page.getByRole("link", { name: "Edit" }).click();
      await page.getByRole("button", { name: "Go on as JSON" }).click();
      const box = page.getByLabel("The policy as JSON");
      await box.fill('{"rules": [{"name": "rest"}]}');
      await page.getByRole("button", { name: "Dry run" }).click();
      await page.getByRole("alert").getByText('give either "targets" or "redirect"').waitFor();
      await box.fill('{"rules": [{"name": "rest", "targets": [{"address": "rest.example:12113"}]}]}');
      await page.getByRole("button", { name: "Go on with forms" }).click();
      await page.getByRole("button", { name: "Add a rule" }).click();
      const rule = page.getByRole("group", { name: "Rule 2" });
      await rule.getByLabel("Name of the rule").fill("all");
      await rule.getByLabel("Address 1", { exact: true }).fill("ops.example:12113");
      await page.getByRole("button", { name: "Up: Rule 2" }).click();
      await page.getByRole("group", { name: "Rule 1: all" }).waitFor();
      // Enter in a field presses the first button, which tries and changes nothing.
      await page.getByRole("group", { name: "Rule 1: all" }).getByLabel("Region").press("Enter");
      await page.getByText("1 of 1 gateways would go elsewhere than now.").waitFor();
      await page.getByText("all → ops.example:12113").waitFor();
      await page.getByRole("button", { name: "Put into force" }).click();
      await heading(page, "Distribution policy");
      await page.getByText("ops.example:12113 × 1").waitFor();
      await page.getByRole("link", { name: "Versions" }).click();
      await page.getByRole("heading", { name: "Version 1" }).waitFor();
    });

    await t.step("makes an operator and a key, which is shown once", async () => {
      await menu("People");
      await page.getByLabel("Name", { exact: true }).fill("li.wei");
      await page.getByLabel("Password").fill("another horse battery");
      await page.getByLabel("Role").selectOption("support");
      await page.getByRole("button", { name: "Add an operator" }).click();
      await page.getByRole("link", { name: "li.wei" }).waitFor();
      await page.getByRole("link", { name: "API keys" }).click();
      await page.getByLabel("Name", { exact: true }).fill("reporting");
      await page.getByLabel("gateways:read").check();
      await page.getByRole("button", { name: "Make an API key" }).click();
      const key = await page.locator("#key").innerText();
      assert(key.startsWith("ghk_"));
      const response = await fetch(`${url}/api/v1/me`, { headers: { authorization: `Bearer ${key}` } });
      assertEquals((await response.json()).permissions, ["gateways:read"]);
      await page.getByRole("link", { name: "Back" }).click();
      assert(!(await page.content()).includes(key));
    });

    await t.step("reads the audit and has it checked", async () => {
      await menu("Audit");
      await page.getByLabel("Target").fill("/api/v1/keys");
      await page.getByRole("button", { name: "Filter" }).click();
      await page.getByRole("cell", { name: "POST /api/v1/keys" }).waitFor();
      await page.getByRole("button", { name: "Check the chain of hashes" }).click();
      await page.getByText(/The log is whole/).waitFor();
    });

    await t.step("switches language and colours, and they stay", async () => {
      await page.goto("/");
      await page.getByRole("button", { name: "中文" }).click();
      await heading(page, "总览");
      await page.getByRole("button", { name: "浅色或深色" }).click();
      // A page that is on its way to another can't be loaded again.
      await page.locator('html[data-theme="dark"]').waitFor();
      await page.reload();
      assertEquals(await page.locator("html").getAttribute("data-theme"), "dark");
      assertEquals(await page.locator("html").getAttribute("lang"), "zh-CN");
      await page.getByRole("button", { name: "English" }).click();
      await heading(page, "Overview");
    });

    await t.step("works by keyboard alone", async () => {
      await page.goto("/");
      await page.keyboard.press("Tab");
      assertEquals(await focused(page), "Skip to content");
      await page.keyboard.press("Enter");
      assertEquals(await page.evaluate("document.activeElement.id"), "content");
      await page.goto("/");
      for (let i = 0; i < 30 && await focused(page) !== "Gateways"; i++) await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await heading(page, "Gateways");
      for (let i = 0; i < 60 && await focusedName(page) !== "search"; i++) await page.keyboard.press("Tab");
      await page.keyboard.type(fleet.mac.slice(0, 8));
      await page.keyboard.press("Enter");
      await page.waitForURL(/search=/);
      for (let i = 0; i < 60 && await focused(page) !== fleet.mac; i++) await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      await heading(page, `Gateway ${fleet.mac}`);
    });

    await t.step("signs out, and the way back is closed", async () => {
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.goto("/gateways");
      await heading(page, "Sign in");
      assertEquals(new URL(page.url()).pathname, "/sign-in");
    });

    assertEquals(tab.complaints, []);
  },
});

Deno.test({
  name: `every page is without serious findings of axe, in both colours, and fits a phone${WITHOUT_CHROMIUM}`,
  ignore: CHROMIUM === undefined,
  async fn() {
    const { fleet, url } = await stage();
    await using _fleet = fleet;
    const paths = await furnished(fleet, url);
    await using browser = await TestBrowser.start();
    await using tab = await browser.open(url);
    const { page, context } = tab, faults: Record<string, Finding[] | string> = {};
    await page.goto("/sign-in");
    for (const theme of ["light", "dark"] as const) {
      const cookie = { name: "gatehouse_theme", value: theme, url };
      await context.addCookies([cookie]);
      await page.goto("/sign-in");
      await look(page, `${theme} /sign-in`, faults);
    }
    await signIn(page);
    for (const theme of ["light", "dark"] as const) {
      await context.addCookies([{ name: "gatehouse_theme", value: theme, url }]);
      for (const path of paths) {
        const response = await page.goto(path);
        assertEquals(response?.status(), 200, path);
        assertEquals(await page.locator("html").getAttribute("data-theme"), theme);
        await look(page, `${theme} ${path}`, faults);
      }
    }
    await page.setViewportSize({ width: 380, height: 800 });
    for (const path of paths) {
      await page.goto(path);
      const beyond = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
      if (beyond > 0) faults[`phone ${path}`] = `${beyond} px too wide`;
    }
    assertEquals(faults, {});
    assertEquals(tab.complaints, []);
    await screenshots(tab, fleet, paths);
  },
});

async function look(page: Page, what: string, faults: Record<string, Finding[] | string>): Promise<void> {
  const found = await seriousFindings(page);
  if (found.length > 0) faults[what] = found;
}

/** Something of everything, so that pages are not empty; the paths of all pages. */
async function furnished(fleet: Fleet, url: string): Promise<string[]> {
  const plugin = await fetch(`${url}/api/v1/plugins?channel=stable`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    body: HELLO,
  });
  assertEquals(plugin.status, 201);
  await plugin.body?.cancel();
  const make = async (path: string, body: Record<string, unknown>) => {
    const made = await fleet.call("POST", path, body);
    assert(made.status < 300, `${path}: ${JSON.stringify(made.body)}`);
    return made.body;
  };
  await make("/api/v1/groups", { name: "north", filter: "online==true" });
  const rollout = await make("/api/v1/rollouts", {
    name: "Hello to everybody",
    action: { kind: "install", plugin: "com.example.hello", version: "1.0" },
    stages: [{ name: "canary", percent: 5 }, { name: "all", percent: 95 }],
  });
  await make(`/api/v1/rollouts/${rollout.id}/start`, {});
  const command = (await fleet.command({ CmdType: "QUERY_SYSTEM_INFO" }, 10)).body;
  await make("/api/v1/keys", { name: "reporting", permissions: ["gateways:read"] });
  const webhook = await make("/api/v1/webhooks", {
    url: `https://hooks.example/${"a-long-path/".repeat(8)}?and=${"more".repeat(10)}`,
    events: ["alarm.raised", "gateway.offline"],
  });
  await make(`/api/v1/webhooks/${webhook.id}/test`, {});
  const spId = "900001";
  await make("/api/v1/sms/accounts", { spId, secret: "secret-1", spCode: "10690001" });
  await make("/api/v1/sms/routes", { kind: "mt", first: "1390", target: "001002" });
  await make("/api/v1/sms/peers", { code: "001002", secret: "secret-2" });
  await make("/api/v1/gns/gateways", { code: "001003", secret: "secret-3" });
  const { id: user } = await make("/app/v1/users", { name: "li.wei", password: PASSWORD });
  await make("/app/v1/sessions", { name: "li.wei", password: PASSWORD, device: "Li's phone" });
  const operators = (await fleet.call("GET", "/api/v1/operators")).body.items as { id: string }[];
  const gateway = `/gateways/${fleet.mac}`;
  return [
    ...["/", "/gateways", "/gateways?removed=true", "/gateways/import", gateway, `${gateway}/run`],
    ...[
      `${gateway}/run?command=PING_DIAG_REQ`,
      `${gateway}/history`,
      `${gateway}/parameters`,
      `${gateway}/timeline`,
      "/commands",
    ],
    ...["/groups", "/groups/north", `/commands/${command.id}`],
    ...["/alarms", "/alarms?state=", "/alarms/rules", "/alarms/rules/region-offline", "/about/backups"],
    ...["/users", `/users/${user}`],
    ...["/plugins", "/plugins/com.example.hello/1.0", "/trust"],
    ...["/rollouts", "/rollouts/new", `/rollouts/${rollout.id}`],
    ...["/policies", "/policies?flows=1", "/policies/edit", "/policies/edit?as=json", "/policies/versions"],
    ...[
      "/people",
      `/people/${operators[0]!.id}`,
      "/people/keys",
      "/people/roles",
      "/webhooks",
      `/webhooks/${webhook.id}`,
      "/audit",
      "/account",
      "/about",
    ],
    ...[
      "/sms",
      "/sms/traffic",
      "/sms/messages",
      "/sms/accounts",
      `/sms/accounts/${spId}`,
      "/sms/connections",
    ],
    ...["/sms/routes", "/sms/peers", "/sms/alarms", "/name-server"],
  ];
}

/** The pictures of the documents, where they are asked for. */
async function screenshots({ page, context }: Tab, fleet: Fleet, paths: readonly string[]): Promise<void> {
  const folder = Deno.env.get("GATEHOUSE_SCREENSHOTS");
  if (!folder) return;
  await Deno.mkdir(folder, { recursive: true });
  await page.setViewportSize({ width: 1280, height: 800 });
  const rollout = paths.find((path) => /^\/rollouts\/[0-9a-f]/.test(path))!;
  for (
    const [name, path, theme, language] of [
      ["overview", "/", "light", "en"],
      ["gateway", `/gateways/${fleet.mac}`, "light", "zh"],
      ["rollout", rollout, "dark", "en"],
      ["short-messages", "/sms/accounts/900001", "light", "zh"],
      ["timeline", `/gateways/${fleet.mac}/timeline`, "light", "en"],
      ["policy", "/policies/edit", "light", "en"],
      ["alarm-rules", "/alarms/rules", "dark", "en"],
    ] as const
  ) {
    const url = new URL(page.url()).origin;
    await context.addCookies([
      { name: "gatehouse_theme", value: theme, url },
      { name: "gatehouse_language", value: language, url },
    ]);
    await page.goto(path);
    await page.screenshot({ path: `${folder}/${name}.png` });
  }
}

function focused(page: Page): Promise<string> {
  return page.evaluate<string>("document.activeElement?.innerText ?? ''");
}

function focusedName(page: Page): Promise<string> {
  return page.evaluate<string>("document.activeElement?.getAttribute('name') ?? ''");
}
