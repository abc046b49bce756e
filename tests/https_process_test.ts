/**
 * The program as a process, with the permissions it ships with: HTTPS whose certificate changes at SIGHUP, and posts
 * that were in work when it was killed.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { runPermissions } from "../scripts/lib/permissions.ts";
import { makeCertificate } from "../src/control/testing/certificate.ts";
import { ADMIN_TOKEN } from "./support/platform.ts";

const MAIN = fromFileUrl(new URL("../main.ts", import.meta.url));
const MAC = "64D95420214B";

/** Starts a platform on free ports; resolves when it is ready, or has ended. */
async function start(dir: string, flags: readonly string[] = []) {
  const ports = ["http", "distribution", "access", "push", "plugin-center"].map((name) =>
    `--${name}=127.0.0.1:0`
  );
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...[
        "run",
        "--quiet",
        "--no-prompt",
        ...runPermissions(),
        MAIN,
        "--role",
        "platform",
        "--data",
        `${dir}/data`,
      ],
      ...ports,
      ...flags,
    ],
    env: { GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = { text: "" };
  const reading = (async () => {
    for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) errors.text += chunk;
  })();
  let printed = "";
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (!printed.includes("ready:")) {
    const { value, done } = await output.read();
    if (done) break;
    printed += value;
  }
  const [, scheme, address] = /^listening: http (https?) (\S+)$/m.exec(printed) ?? [];
  return {
    url: `${scheme}://${address}`,
    errors,
    signal: (signal: Deno.Signal) => child.kill(signal),
    async ended() {
      await output.cancel();
      const { code } = await child.status;
      await reading;
      return code;
    },
  };
}

async function temporary(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "gatehouse-https-" });
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("the program speaks HTTPS with the permissions it has, and takes another certificate at SIGHUP", () =>
  temporary(async (dir) => {
    const [one, two] = await Promise.all([makeCertificate(dir, "one"), makeCertificate(dir, "two")]);
    const files = { cert: `${dir}/cert.pem`, key: `${dir}/key.pem` };
    const use = async ({ cert, key }: typeof one) => {
      await Deno.copyFile(cert, files.cert);
      await Deno.copyFile(key, files.key);
    };
    await use(one);
    const program = await start(dir, [`--tls-cert=${files.cert}`, `--tls-key=${files.key}`]);
    // Trusts the second certificate alone.
    using client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(two.cert)] });
    const health = () =>
      fetch(`${program.url}/healthz`, { client }).then(async (answer) => {
        await answer.body?.cancel();
        return answer.status;
      }, () => 0);
    assertEquals(await health(), 0);
    await use(two);
    program.signal("SIGHUP");
    while (await health() !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
    program.signal("SIGTERM");
    assertEquals(await program.ended(), 0);
    assertStringIncludes(program.errors.text, "a new certificate is in force");
  }));

Deno.test("the program ends with one sentence where its certificate can't be used", () =>
  temporary(async (dir) => {
    const { cert } = await makeCertificate(dir, "one");
    const program = await start(dir, [`--tls-cert=${cert}`, "--tls-key=/nowhere.pem"]);
    assertEquals(await program.ended(), 1);
    const said = program.errors.text.trim().split("\n").at(-1)!;
    assertStringIncludes(said, `gatehouse: "${cert}" and "/nowhere.pem" are no certificate and its key`);
    assertStringIncludes(said, "(--tls-cert and --tls-key)");
  }));

Deno.test("after kill -9 a finished post is answered again, and one that was in work is unknown and not done twice", () =>
  temporary(async (dir) => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };
    const done = crypto.randomUUID(), cut = crypto.randomUUID();
    const preset = { mac: MAC, sn: `64D954-${MAC}`, loid: "L1" };
    const first = await start(dir);
    const post = (url: string, path: string, key: string, body: unknown) =>
      fetch(url + path, {
        method: "POST",
        headers: { ...headers, "idempotency-key": key },
        body: JSON.stringify(body),
      });
    const commands = async (url: string) => {
      const answer = await fetch(`${url}/api/v1/commands`, { headers });
      return (await answer.json()).items as unknown[];
    };
    const wait = `/api/v1/gateways/${MAC}/commands?wait=60`,
      command = { parameter: { CmdType: "QUERY_CPU_INFO" } };
    const made = await post(first.url, "/api/v1/gateways", done, preset);
    const gateway = await made.json();
    assertEquals(made.status, 201);
    const waiting = post(first.url, wait, cut, command).then(() => "answered", () => "cut");
    while ((await commands(first.url)).length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    first.signal("SIGKILL");
    assertEquals(await waiting, "cut");
    await first.ended();

    const second = await start(dir);
    const again = await post(second.url, "/api/v1/gateways", done, preset);
    assertEquals([again.status, again.headers.get("idempotency-replayed")], [201, "true"]);
    assertEquals((await again.json()).mac, gateway.mac);
    const unknown = await post(second.url, wait, cut, command);
    assertEquals([unknown.status, (await unknown.json()).code], [409, "idempotency_outcome_unknown"]);
    assertEquals((await commands(second.url)).length, 1);
    second.signal("SIGTERM");
    assertEquals(await second.ended(), 0);
  }));
