/**
 * The promise behind a SUBMIT_RESP of 0: one final report, whatever happens to the process in between.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { systemNetwork } from "../src/net/mod.ts";
import { msgIdHex } from "../src/protocol/cmpp/mod.ts";
import { SpClient, SpError } from "../src/sp_client/mod.ts";
import { type Program, startProgram } from "../scripts/lib/program.ts";
import { realDeps } from "./support/platform.ts";
import { makeDatabase } from "./support/postgres.ts";

/** Where it is given, the database is on the server. */
const PREFIX = Deno.env.get("GATEHOUSE_TEST_POSTGRES");
/** How often the process is killed; `GATEHOUSE_CRASHES=50` for a long run. */
const CRASHES = Number(Deno.env.get("GATEHOUSE_CRASHES") ?? (PREFIX ? 2 : 5));
const TOKEN = "administrator-of-the-tests";
const SP = { spId: "900001", secret: "888888", spCode: "10658888" };

Deno.test("every SUBMIT answered 0 ends in one final report, though the process is killed under load", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "gatehouse-crash-" });
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = (free.addr as Deno.NetAddr).port;
  free.close();
  const database = PREFIX ? ["--database", await makeDatabase(`${PREFIX}sms_crash`)] : [];
  const start = () =>
    startProgram("platform", [
      ...database,
      ...["--services", "sms", "--http", "127.0.0.1:0"],
      ...["--sms", `127.0.0.1:${port}`, "--sms-short", "127.0.0.1:0", "--sms-peer", "127.0.0.1:0"],
    ], { dataDir, env: { GATEHOUSE_ADMIN_TOKEN: TOKEN } });
  const taken = new Set<string>(), reported = new Map<string, number>();
  const deps = realDeps();
  let program = await start();
  await call(program, "POST", "/api/v1/sms/accounts", { ...SP, ratePerSecond: 100_000 });
  {
    await using sp = new SpClient(
      { ...deps, network: systemNetwork(deps) },
      { server: { host: "127.0.0.1", port }, ...SP, reconnectMs: [20, 50] },
      {
        onReport({ Msg_Id, Stat }) {
          assertEquals(Stat, "DELIVRD");
          const id = msgIdHex(Msg_Id);
          reported.set(id, (reported.get(id) ?? 0) + 1);
        },
      },
    );
    let sending = true;
    const senders = Array.from({ length: 16 }, async (_, i) => {
      while (sending) {
        try {
          const parts = await sp.sendText({
            to: [`138001380${i + 10}`],
            text: "x",
            from: SP.spCode,
            report: true,
          });
          for (const { msgId, result } of parts) if (result === 0) taken.add(msgIdHex(msgId));
        } catch (error) {
          // Lost with its connection: nobody knows whether it was taken, and nothing was promised.
          if (!(error instanceof SpError)) throw error;
        }
      }
    });
    for (let crash = 0; crash < CRASHES; crash++) {
      const goal = taken.size + 200 + (crash % 10) * 37;
      await until(() => taken.size >= goal);
      program.kill("SIGKILL");
      await program.status;
      program = await start();
    }
    sending = false;
    await Promise.all(senders);
    await until(() => taken.isSubsetOf(new Set(reported.keys())));
  }
  // Nothing waits any more, and every message that was answered 0 has come to its end.
  await until(async () =>
    ((await call(program, "GET", "/api/v1/sms/queues")).items as unknown[]).length === 0
  );
  for (const state of ["waiting", "sent", "scheduled", "failed"]) {
    assertEquals((await call(program, "GET", `/api/v1/sms/messages?state=${state}`)).items, [], state);
  }
  const twice = [...reported.values()].filter((times) => times > 1).length;
  // deno-lint-ignore no-console -- a figure for whoever runs it
  console.log(`  ${taken.size} messages, ${CRASHES} crashes, ${twice} reports came again`);
  // A report can come again only where the process died between DELIVER and the note of its answer: some windows of 16
  // deliveries, for each crash.
  assert(twice <= CRASHES * 50, `${twice} reports came more than once`);
  await program[Symbol.asyncDispose]();
  await Deno.remove(dataDir, { recursive: true });
});

async function call(
  program: Program,
  method: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${program.ports.http}${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return await response.json();
}

/** Waits for something that happens outside of this process's sight; the test's own time limit ends it. */
async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  const limit = performance.now() + 60_000;
  while (!await done()) {
    if (performance.now() > limit) throw new Error("did not happen within 60 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
