/**
 * Ten thousand providers that are connected and say nothing, over real sockets, and what each of them costs.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { authenticatorSource, encodeMessage } from "../src/protocol/cmpp/mod.ts";
import { systemNetwork } from "../src/net/mod.ts";
import { startProgram } from "../scripts/lib/program.ts";
import { SpClient } from "../src/sp_client/mod.ts";
import { realDeps } from "./support/platform.ts";

const COUNT = 10_000, PROVIDERS = 10, SECRET = "888888", TOKEN = "administrator-of-the-tests";
const CONNECT_RESP_OCTETS = 33;
const limit = await openFiles();

Deno.test({
  name:
    `ten thousand idle providers take little memory, and others are served (open files allowed: ${limit})`,
  ignore: limit < COUNT + 1_000,
  async fn() {
    await using program = await startProgram("platform", [
      ...["--services", "sms", "--http", "127.0.0.1:0"],
      ...["--sms", "127.0.0.1:0", "--sms-short", "127.0.0.1:0"],
    ], { env: { GATEHOUSE_ADMIN_TOKEN: TOKEN } });
    const call = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`http://127.0.0.1:${program.ports.http}${path}`, {
        method,
        headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return await response.json();
    };
    const spId = (n: number) => `90${String(n).padStart(4, "0")}`;
    for (let n = 0; n <= PROVIDERS; n++) {
      await call("POST", "/api/v1/sms/accounts", {
        spId: spId(n),
        secret: SECRET,
        spCode: `1065${1000 + n}`,
        maxConnections: 1000,
      });
    }
    const port = program.ports.sms!;
    const before = await program.residentMiB();
    const idle: Deno.TcpConn[] = [];
    // In waves: more at once than the system's queue of new connections holds would be dropped there, unseen by us.
    while (idle.length < COUNT) {
      idle.push(
        ...await Promise.all(
          Array.from({ length: 100 }, (_, i) => connect(port, spId((idle.length + i) % PROVIDERS))),
        ),
      );
    }
    const status = await call("GET", "/api/v1/sms/status");
    assertEquals(status.connections, COUNT);
    const each = (await program.residentMiB() - before) * 1024 / COUNT;
    // deno-lint-ignore no-console -- a figure for whoever runs it
    console.log(`  ${each.toFixed(1)} KiB of resident memory for each connection`);
    assert(each < 30, `${each} KiB each`);
    const deps = realDeps();
    await using sp = new SpClient({ ...deps, network: systemNetwork(deps) }, {
      server: { host: "127.0.0.1", port },
      spId: spId(PROVIDERS),
      secret: SECRET,
    });
    const sent = await sp.sendText({
      to: ["13800138000"],
      text: "served",
      from: `1065${1000 + PROVIDERS}`,
      report: true,
    });
    assertEquals((await sp.reports(sent)).map(({ Stat }) => Stat), ["DELIVRD"]);
    for (const one of idle) one.close();
  },
});

async function connect(port: number, spId: string): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const Timestamp = 1122035011;
  await connection.write(encodeMessage({
    command: "CONNECT",
    sequence: 1,
    Source_Addr: spId,
    AuthenticatorSource: authenticatorSource(spId, SECRET, Timestamp),
    Version: 0x30,
    Timestamp,
  }, 3));
  const answer = new Uint8Array(CONNECT_RESP_OCTETS);
  for (let at = 0; at < answer.length;) {
    const count = await connection.read(answer.subarray(at));
    if (count === null) throw new Error("closed in place of an answer");
    at += count;
  }
  assertEquals(answer[15], 0);
  return connection;
}

/** How many files a process may have open here. */
async function openFiles(): Promise<number> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", "ulimit -n"] }).output();
  const text = new TextDecoder().decode(stdout).trim();
  return text === "unlimited" ? Infinity : Number(text);
}
