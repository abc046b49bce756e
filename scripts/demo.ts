// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * The main job, end to end, in real processes on this machine: one platform, two gateways, an operator, a phone app, a
 * provider of short messages.
 *
 * `deno task demo` · `--keep` leaves everything running · `--binary FILE` uses a compiled executable ·
 * `--verbose` shows what the processes log.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { Client, type Json, postLocally } from "./demo/phone.ts";
import { textRound } from "./demo/sms.ts";
import { type Program, startProgram } from "./lib/program.ts";

const options = parseArgs(Deno.args, {
  boolean: ["keep", "verbose", "help"],
  string: ["binary"],
  unknown: (name: string) => {
    console.error(`unknown option "${name}": --keep, --binary FILE and --verbose are allowed`);
    Deno.exit(2);
  },
});
if (options.help) {
  console.log("deno task demo [--keep] [--binary FILE] [--verbose]");
  Deno.exit(0);
}

const ADMIN_TOKEN = crypto.randomUUID();
const PASSWORD = crypto.randomUUID().slice(0, 12);
const GATEWAYS = [
  { mac: "64D95420214B", sn: "64D954-D6AEE64D95420214B", loid: "0755000001" },
  { mac: "64D95420214C", sn: "64D954-D6AEE64D95420214C", loid: "0755000002" },
];
const PLUGIN = { name: "com.example.umbrella", version: "1.0" };

let steps = 0;
const begun = performance.now();

/** Does one step, and says so with a tick and the time it took. */
async function step<T>(what: string, work: () => Promise<T>, show?: (result: T) => unknown): Promise<T> {
  const start = performance.now();
  try {
    const result = await work();
    const took = performance.now() - start;
    console.log(
      `\u2713 ${String(++steps).padStart(2)}  ${what.padEnd(70)} ${took.toFixed(0).padStart(6)} ms`,
    );
    if (show) console.log(`       ${JSON.stringify(show(result))}`);
    return result;
  } catch (error) {
    console.log(`\u2717 ${String(++steps).padStart(2)}  ${what}`);
    throw error;
  }
}

/** Asks again until it holds; the program's own rhythm decides how long that takes. */
async function until<T>(what: string, look: () => Promise<T | undefined>, ms = 20_000): Promise<T> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${what}: not within ${ms} ms`);
}

async function run(programs: AsyncDisposableStack): Promise<void> {
  const { binary, verbose } = options;
  const local = "127.0.0.1:0";
  const platform = programs.use(
    await step("the platform starts", () =>
      startProgram("platform", [
        ...[
          "--http",
          local,
          "--distribution",
          local,
          "--access",
          local,
          "--plugin-center",
          local,
          "--push",
          local,
        ],
        ...["--services", "distribution,access,plugin_center,push,app,sms"],
        ...["--sms", local, "--sms-short", local, "--sms-peer", local],
        ...["--advertise", "127.0.0.1"],
      ], { binary, verbose, env: { GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN } })),
  );
  const operator = new Client(`http://127.0.0.1:${platform.ports.http}`, ADMIN_TOKEN);
  await step(
    "the operator presets two gateways",
    () => operator.call("POST", "/api/v1/gateways", GATEWAYS),
    (r) => r,
  );

  const plugins = await Deno.makeTempDir({ prefix: "gatehouse-demo-plugins-" });
  programs.defer(() => Deno.remove(plugins, { recursive: true }));
  const gateways: Program[] = [];
  for (const [index, gateway] of GATEWAYS.entries()) {
    const folder = `${plugins}/${gateway.mac}`, secrets = `${plugins}/${gateway.mac}.json`;
    await Deno.mkdir(folder);
    await Deno.writeTextFile(secrets, JSON.stringify({ user: PASSWORD }));
    gateways.push(programs.use(
      await step(`gateway ${index + 1} starts`, () =>
        startProgram("gateway", [
          ...["--mgt-url", "127.0.0.1", "--port", String(platform.ports.distribution)],
          ...["--mac", gateway.mac, "--sn", gateway.sn, "--loid", gateway.loid],
          ...["--vendor", "Example", "--model", "G1", "--plugins", folder, "--passwords", secrets],
          ...["--local", local, "--control", local],
        ], { binary, verbose, env: { GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN } })),
    ));
  }
  await step("both find their platform and register", () =>
    until("online", async () => {
      const { items } = await operator.call<{ items: Json[] }>("GET", "/api/v1/gateways");
      const shown = items.filter(({ mac }) => GATEWAYS.some((g) => g.mac === mac));
      const states = await Promise.all(
        shown.map(({ mac }) => operator.call("GET", `/api/v1/gateways/${mac}`)),
      );
      return states.every(({ online }) => online) ? states : undefined;
    }), (states) => states.map(({ mac, online, firmware }) => ({ mac, online, firmware })));

  const { mac, loid } = GATEWAYS[0]!, there = `/api/v1/gateways/${mac}`, lan = gateways[0]!.ports.local!;
  await step(
    "the operator uploads a plug-in to the platform",
    async () =>
      operator.call(
        "POST",
        "/api/v1/plugins",
        await Deno.readFile(new URL("./demo/umbrella.js", import.meta.url)),
      ),
    (
      { name, version, sha256 },
    ) => ({ name, version, sha256 }),
  );
  await step(
    "and installs it onto the running gateway 1",
    () => operator.call("POST", `${there}/plugins?wait=30`, PLUGIN),
    (
      { status, progress, attempt },
    ) => ({ status, progress, attempt }),
  );
  await step("gateway 1 lists its plug-ins", () => operator.call("GET", `${there}/plugins`), (r) => r.items);

  await step("a plug-in in TypeScript is dropped into gateway 2's folder, and runs", async () => {
    const source = await Deno.readTextFile(new URL("./demo/parasol.ts", import.meta.url));
    await Deno.writeTextFile(`${plugins}/${GATEWAYS[1]!.mac}/parasol.ts`, source);
    const control = new Client(`http://127.0.0.1:${gateways[1]!.ports.control}`, ADMIN_TOKEN);
    return await until("it runs", async () => {
      const { items } = await control.call<{ items: Json[] }>("GET", "/api/v1/plugins");
      const found = items.find(({ name }) => name === "com.example.parasol");
      if (found?.state === "errored") throw new Error(String(found.error));
      if (found?.state !== "running") return undefined;
      const { reply } = await control.call<{ reply: Json }>(
        "POST",
        "/api/v1/plugins/com.example.parasol/call",
        {
          parameter: { CmdType: "TAKE_PARASOL", SunPercent: "80" },
        },
      );
      return reply.Answer === "yes" ? reply : undefined;
    });
  }, (r) => r);

  const phone = new Client(operator.url);
  const account = { name: "li.lei", password: crypto.randomUUID() };
  await step("a phone app's user registers and signs in", async () => {
    await phone.call("POST", "/app/v1/users", account);
    const { token } = await phone.call("POST", "/app/v1/sessions", account);
    phone.signedIn(String(token));
  });
  await step(
    "on the LAN the phone asks who the gateway is (GET_SN_INFO)",
    () => postLocally(lan, { CmdType: "GET_SN_INFO" }),
    (r) => r,
  );
  const proof = await step(
    "and proves the local password (CHECK_PASSWD_PARAM)",
    () => postLocally(lan, { CmdType: "CHECK_PASSWD_PARAM", PassWD: PASSWORD }),
    (r) => r,
  );
  if (proof.LOID !== loid) throw new Error("the gateway gave another LOID");
  await step(
    "the platform checks MD5(DevRND,SN) and LOID, and binds",
    () => phone.call("POST", "/app/v1/bindings", { sn: String(proof.SN), loid: String(proof.LOID) }),
    (r) => r,
  );
  await step("the phone connects from afar (trigger, poll)", async () => {
    await phone.call("POST", `/app/v1/gateways/${mac}/connect`);
    return await until("connected", async () => {
      const connection = await phone.call("GET", `/app/v1/gateways/${mac}/connection`);
      return connection.state === "connected" ? connection : undefined;
    });
  }, (r) => r);
  const post = (plugin: string, parameter: Json) =>
    phone.call("POST", `/app/v1/gateways/${mac}/post`, { plugin, version: "1.0", parameter });
  const answered = (name: string) => (answer: Json) => {
    const reply = answer.reply as Json | null;
    if (reply?.Status !== "0" || !(name in reply)) throw new Error(`no ${name} in ${JSON.stringify(answer)}`);
    return reply;
  };
  await step(
    "and runs the new plug-in",
    () => post(PLUGIN.name, { CmdType: "TAKE_UMBRELLA", RainPercent: "70" }),
    answered("Answer"),
  );
  await step("and a shipped one", () => post("", { CmdType: "QUERY_CPU_INFO" }), answered("Percent"));
  await step(
    "the operator asks gateway 2, which is called for it",
    () =>
      operator.call("POST", `/api/v1/gateways/${GATEWAYS[1]!.mac}/commands?wait=20`, {
        parameter: { CmdType: "QUERY_MEM_INFO" },
      }),
    answered("Percent"),
  );
  await step(
    "the operator removes the plug-in from gateway 1",
    () => operator.call("DELETE", `${there}/plugins/${PLUGIN.name}?wait=20`),
    ({ status }) => ({ status }),
  );
  await step("the next call answers -12", async () => {
    const answer = await post(PLUGIN.name, { CmdType: "TAKE_UMBRELLA", RainPercent: "70" });
    if (answer.result !== -12) throw new Error(`answered ${JSON.stringify(answer)}`);
    return answer;
  }, ({ status, result, error }) => ({ status, result, error }));
  await step(
    "a service provider sends a text (CMPP 3.0); the simulated phone answers",
    () => textRound(operator, platform.ports.sms!),
    (r) => r,
  );
  console.log(`\nAll of it in ${((performance.now() - begun) / 1000).toFixed(1)} s.`);

  if (options.keep) {
    console.log(`
Left running; Ctrl-C ends it.
  platform API       ${operator.url}   (documents itself at /openapi.json)
  its token          ${ADMIN_TOKEN}   (of both gateways' control APIs too)
  gateway 1          control http://127.0.0.1:${gateways[0]!.ports.control}, local port ${lan}
  gateway 2          control http://127.0.0.1:${gateways[1]!.ports.control}, local port ${
      gateways[1]!.ports.local
    }
  plug-ins folder    ${plugins}/${mac}   (drop a .js file here)
  local password     ${PASSWORD}`);
    const stop = Promise.withResolvers<void>();
    for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => stop.resolve());
    await stop.promise;
  }
}

let failed = false;
{
  await using programs = new AsyncDisposableStack();
  try {
    await run(programs);
  } catch (error) {
    failed = true;
    console.error(`\n${error instanceof Error ? error.message : error}`);
  }
}
Deno.exit(failed ? 1 : 0);
