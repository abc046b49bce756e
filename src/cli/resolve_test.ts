import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "./errors.ts";
import { Settings } from "./resolve.ts";
import { GATEWAY_SETTINGS, PLATFORM_SETTINGS } from "./settings_table.ts";

const ME = { mac: "64D95420214B", sn: "64D954-1", loid: "0123456789" };

function settings(flags: Record<string, string>, env: Record<string, string> = {}): Settings {
  return new Settings({ flags: new Map(Object.entries(flags)), env: (name) => env[name] });
}

/** Settings with a configuration file of that content. */
function withFile(
  content: string,
  flags: Record<string, string> = {},
  env: Record<string, string> = {},
): Settings {
  const path = Deno.makeTempFileSync({ suffix: ".toml" });
  try {
    Deno.writeTextFileSync(path, content);
    return settings({ ...flags, config: path }, env);
  } finally {
    Deno.removeSync(path);
  }
}

Deno.test("without a word every setting of the platform has its default", () => {
  const values = settings({}).all("platform", PLATFORM_SETTINGS);
  assertEquals(
    [values.http, values.distribution, values.access, values["plugin-center"], values.push].map((
      { host, port },
    ) => [host, port]),
    [8080, 12112, 12113, 12114, 12115].map((port) => ["0.0.0.0", port]),
  );
  assertEquals([values.data, values["log-level"], values.heartbeat, values.database], [
    "./data",
    "info",
    60,
    undefined,
  ]);
});

Deno.test("a gateway without identity is refused with what is needed", () => {
  for (const name of ["mac", "sn", "loid"]) {
    const { [name as "mac"]: _, ...rest } = ME;
    const given = settings(rest);
    assertThrows(() => given.all("gateway", GATEWAY_SETTINGS), UsageError, `--${name} is needed`);
  }
  const values = settings(ME).all("gateway", GATEWAY_SETTINGS);
  assertEquals([values["mgt-url"], values.port, values.local, values.control], [
    "189cube",
    12112,
    { host: "0.0.0.0", port: 17998 },
    { host: "127.0.0.1", port: 8081 },
  ]);
  assertEquals([values.isolation, values.driver, values.plugins], ["process", "linux", "./plugins"]);
});

Deno.test("a flag goes before the environment, the environment before the file, the file before the default", () => {
  const file = 'http = "127.0.0.1:3"\naccess = "127.0.0.1:3"\ndistribution = "127.0.0.1:3"';
  const env = { GATEHOUSE_HTTP: "127.0.0.1:2", GATEHOUSE_ACCESS: "127.0.0.1:2", GATEHOUSE_DATABASE: "" };
  const values = withFile(file, { http: "127.0.0.1:1" }, env).all("platform", PLATFORM_SETTINGS);
  assertEquals(
    [values.http, values.access, values.distribution, values["plugin-center"]].map(({ port }) => port),
    [1, 2, 3, 12114],
  );
  assertEquals(values.database, undefined);
});

Deno.test("a file holds texts, numbers and lists", () => {
  const values = withFile('role = "platform"\nheartbeat = 30\nservices = ["access", "distribution"]')
    .all("platform", PLATFORM_SETTINGS);
  assertEquals([values.heartbeat, values.services], [30, ["distribution", "access"]]);
});

Deno.test("the role may come from any source", () => {
  assertEquals(settings({}).role(), undefined);
  assertEquals(settings({}, { GATEHOUSE_ROLE: "gateway" }).role(), "gateway");
  assertEquals(withFile('role = "platform"').role(), "platform");
  assertThrows(
    () => settings({ role: "gate" }).role(),
    UsageError,
    '--role "gate" is not allowed: allowed is gateway or',
  );
});

Deno.test("the administrator's token comes from the environment only, and no error repeats it", () => {
  const token = "correct-horse-battery";
  const values = settings({}, { GATEHOUSE_ADMIN_TOKEN: token }).all("platform", PLATFORM_SETTINGS);
  assertEquals(values["admin-token"], token);
  const filed = withFile(`admin-token = "${token}"`);
  const error = assertThrows(
    () => filed.all("platform", PLATFORM_SETTINGS),
    UsageError,
    "GATEHOUSE_ADMIN_TOKEN only",
  );
  assertEquals(error.message.includes(token), false);
  const wrong = settings({}, { GATEHOUSE_ADMIN_TOKEN: `${token}\n` });
  const other = assertThrows(() => wrong.all("platform", PLATFORM_SETTINGS), UsageError);
  assertEquals(other.message.includes(token), false);
});

Deno.test("a wrong value is refused by the name of where it stands", () => {
  const cases: [Settings, string][] = [
    [settings({ port: "0" }), '--port "0" is not allowed: allowed is a whole number from 1 to 65535'],
    [settings({}, { GATEHOUSE_PORT: "x" }), 'GATEHOUSE_PORT "x" is not allowed'],
    [withFile("port = 99999"), '"port" in "'],
    [settings({ http: "0.0.0.0:1" }), "--http is not allowed here: it is for --role platform"],
    [withFile('http = "0.0.0.0:1"'), "it is for --role platform"],
    [withFile("prot = 1"), "did you mean port?"],
    [withFile('config = "x"'), 'unknown key "config"'],
    [withFile('constructor = "x"'), 'unknown key "constructor"'],
  ];
  for (const [given, message] of cases) {
    assertThrows(() => given.all("gateway", GATEWAY_SETTINGS), UsageError, message);
  }
});

Deno.test("several nodes and a database server are named by URL", () => {
  const given = settings({ nats: "http://127.0.0.1" });
  assertThrows(() => given.all("platform", PLATFORM_SETTINGS), UsageError, "nats://");
  const database = "postgres://u:p@h/d";
  assertEquals(settings({ database }).all("platform", PLATFORM_SETTINGS).database, database);
  assertEquals(settings({ node: "n1" }).all("platform", PLATFORM_SETTINGS).node, "n1");
});

Deno.test("a file that can't be used is refused with the reason", async () => {
  const dir = await Deno.makeTempDir();
  const big = `${dir}/big.toml`;
  await Deno.writeTextFile(big, "#".repeat(1024 * 1024 + 1));
  const cases: [() => Settings, string][] = [
    [() => settings({ config: `${dir}/none` }), "there is no such file"],
    [() => settings({ config: dir }), "can't be read"],
    [() => settings({}, { GATEHOUSE_CONFIG: `${dir}/none` }), "GATEHOUSE_CONFIG"],
    [() => settings({ config: big }), "more than 1 MiB"],
    [() => withFile("port = = 1"), "is not TOML"],
    [() => withFile("a = true"), '"a" in'],
    [() => withFile("[gateway]\nport = 1"), '"gateway" in'],
  ];
  for (const [make, message] of cases) assertThrows(make, UsageError, message);
  await Deno.remove(dir, { recursive: true });
});
