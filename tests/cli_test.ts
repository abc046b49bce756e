/**
 * The program from outside, as a process: what it prints, how it ends.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { runPermissions } from "../scripts/lib/permissions.ts";

const MAIN = fromFileUrl(new URL("../main.ts", import.meta.url));
/** Every port that a platform opens by itself, on a free one: two of them may run at the same time. */
const NOWHERE = ["http", "distribution", "access", "push", "plugin-center"].map((name) =>
  `--${name}=127.0.0.1:0`
);

function command(args: string[], env: Record<string, string> = {}): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...runPermissions(), MAIN, ...args],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function run(args: string[], env?: Record<string, string>) {
  const { code, stdout, stderr } = await command(args, env).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

/** Starts it, does `work` once it is ready, and kills it as nothing can be prepared for. */
async function killedWhenReady(args: string[], work: (child: Deno.ChildProcess) => Promise<void>) {
  const child = command(args).spawn();
  const err = new Response(child.stderr).text();
  let out = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    out += chunk;
    if (!out.includes("ready: ")) continue;
    try {
      await work(child);
    } finally {
      child.kill("SIGKILL");
    }
  }
  await child.status;
  assertStringIncludes(out, "ready: ", await err);
}

async function temporary<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-cli-" });
  try {
    return await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("help and version go to standard output and exit 0", async () => {
  const [overview, role, version] = await Promise.all([
    run(["--help"]),
    run(["--role", "gateway", "--help"]),
    run(["--version"]),
  ]);
  assertEquals([overview.code, role.code, version.code], [0, 0, 0]);
  assertStringIncludes(overview.out, "--role platform");
  assertStringIncludes(role.out, "--mgt-url HOST");
  assertMatch(version.out, /^gatehouse \d+\.\d+\.\d+ /);
  assertEquals([overview.err, role.err, version.err], ["", "", ""]);
});

Deno.test("wrong usage exits 2 with one sentence on standard error", async () => {
  const cases: [string[], Record<string, string>, string][] = [
    [[], {}, "--role is needed: gateway or platform is allowed"],
    [["--rolle", "x"], {}, "unknown flag --rolle: did you mean --role?"],
    [["--role", "platform", "--http", "nowhere"], {}, '--http "nowhere" is not allowed'],
    [["--role", "platform"], { GATEHOUSE_HEARTBEAT: "0" }, 'GATEHOUSE_HEARTBEAT "0" is not allowed'],
    [["--role", "platform", "--config", "/nonexistent/x.toml"], {}, "there is no such file"],
    [["backup", "--to", "x.db", "--data", "/nonexistent"], {}, "name the platform's data folder with --data"],
    [
      ["sms", "send", "--sp-id=1", "--from=1", "--text=x", "--file=/nonexistent/x"],
      { GATEHOUSE_SMS_SECRET: "888888" },
      '--file "/nonexistent/x" can\'t be read: there is no such file',
    ],
    [["--role", "platform"], { GATEHOUSE_ADMIN_TOKEN: "short" }, "GATEHOUSE_ADMIN_TOKEN is not allowed"],
    [["--role", "platform"], { GATEHOUSE_WEBHOOK_KEY: "short" }, "GATEHOUSE_WEBHOOK_KEY is not allowed"],
    [["--role", "platform", "--tls-cert", "/x.pem"], {}, "--tls-cert needs --tls-key"],
    [["--role", "platform", "--nats", "nats://127.0.0.1:4222"], {}, "--nats needs --node"],
  ];
  const results = await Promise.all(cases.map(([args, env]) => run(args, env)));
  results.forEach(({ code, out, err }, i) => {
    assertEquals([code, out], [2, ""]);
    assertStringIncludes(err, cases[i]![2]);
    assertEquals(err.trim().split("\n").length, 1, err);
  });
});

Deno.test("a port in use and a data folder that can't be written exit 1 with the flag to change", async () => {
  await temporary(async (dir) => {
    const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr as Deno.NetAddr;
    await Deno.writeTextFile(`${dir}/file`, "");
    const results = await Promise.all([
      run(["--role=platform", `--data=${dir}/1`, ...NOWHERE.slice(1), `--http=127.0.0.1:${port}`]),
      run([
        "--role=platform",
        `--data=${dir}/2`,
        ...NOWHERE.slice(0, -1),
        `--plugin-center=127.0.0.1:${port}`,
      ]),
      run(["--role=platform", `--data=${dir}/file/data`, ...NOWHERE], { GATEHOUSE_NATZ: "nats://u:p@host" }),
    ]);
    taken.close();
    const wanted = [
      `--http 127.0.0.1:${port} is in use`,
      `--plugin-center 127.0.0.1:${port} is in use`,
      "name another one with --data",
    ];
    results.forEach(({ code, err }, i) => {
      assertEquals(code, 1, err);
      assertStringIncludes(err.trim().split("\n").at(-1)!, wanted[i]!);
    });
    // Only a warning: what the start failed of came after it.
    assertMatch(
      results[2]!.err,
      /WARN {2}an environment variable is no setting, and ignored variable=GATEHOUSE_NATZ didYouMean=GATEHOUSE_NATS\n/,
    );
  });
});

Deno.test("a second platform on one data folder is refused while the first runs, also after it was killed", async () => {
  await temporary(async (dir) => {
    const args = ["--role=platform", `--data=${dir}/data`, ...NOWHERE];
    await killedWhenReady(args, async (first) => {
      const second = await run(args);
      assertEquals([second.code, second.out], [1, ""]);
      const holder = `the data folder "${dir}/data" is in use by another platform (process ${first.pid})`;
      assertStringIncludes(second.err, `${holder}: stop that one`);
    });
    await killedWhenReady(args, () => Promise.resolve());
  });
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`a platform prints where it listens, and stops cleanly at ${signal}`, async () => {
    await temporary(async (dir) => {
      const config = `${dir}/gatehouse.toml`;
      await Deno.writeTextFile(config, `role = "platform"\ndata = "${dir}/data"\nlog-format = "json"\n`);
      const child = command([...NOWHERE, "--config", config]).spawn();
      const lines = child.stdout.pipeThrough(new TextDecoderStream());
      let out = "";
      for await (const chunk of lines) {
        out += chunk;
        if (out.includes("ready: platform")) child.kill(signal);
      }
      const [{ code }, err] = await Promise.all([child.status, new Response(child.stderr).text()]);
      assertEquals(code, 0, err);
      for (const name of ["http", "distribution", "access", "plugin_center"]) {
        assertMatch(out, new RegExp(`^listening: ${name} (udp|tcp|http) 127\\.0\\.0\\.1:\\d+$`, "m"));
      }
      const messages = err.trim().split("\n").map((line) => JSON.parse(line).message);
      assertEquals(messages.at(-1), "stopped");
    });
  });
}

Deno.test("as a plug-in host it holds no permission, answers, and ends with its input", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...runPermissions(), MAIN, "plugin-host"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  assertStringIncludes(new TextDecoder().decode(value), "ready");
  await child.stdin.close();
  const [{ code }, err] = await Promise.all([child.status, new Response(child.stderr).text()]);
  await reader.cancel();
  assertEquals([code, err], [0, ""]);
});

Deno.test("a role gives up the permissions it does not need, for good", async () => {
  const module = new URL("../src/cli/permissions.ts", import.meta.url).href;
  const script = `
    import { gatewayGivesUp, giveUp, PLATFORM_GIVES_UP } from ${JSON.stringify(module)};
    const names = ["env", "run", "sys", "ffi", "net", "read", "write"];
    await giveUp(gatewayGivesUp({ driver: "linux", isolation: "process" }));
    const after = [];
    const look = async () => after.push((await Promise.all(names.map((name) => Deno.permissions.query({ name }))))
      .filter(({ state }) => state === "granted").length);
    await look();
    await giveUp(gatewayGivesUp({ driver: "simulated", isolation: "inline" }));
    await look();
    await giveUp(PLATFORM_GIVES_UP);
    await look();
    let refused = 0;
    try { new Deno.Command("true").spawn() } catch { refused++ }
    try { Deno.env.get("HOME") } catch { refused++ }
    console.log(JSON.stringify([...after, refused]));
  `;
  // `eval` starts with every permission there is.
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: ["eval", "--ext=ts", script] })
    .output();
  assertEquals(new TextDecoder().decode(stdout).trim(), "[5,3,3,2]", new TextDecoder().decode(stderr));
});
