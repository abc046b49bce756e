/**
 * What webhooks tell when a platform, or the node that tells it, is killed in between.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { startProgram } from "../scripts/lib/program.ts";
import { startNodes, there, until, why } from "./support/nodes.ts";
import { ADMIN_TOKEN } from "./support/platform.ts";
import { dropDatabases, hasPostgres, makeDatabase } from "./support/postgres.ts";
import { identity, register, UdpPeer } from "./support/scripted_gateway.ts";
import { exampleOfTheDocuments, Receiver } from "./support/webhook_receiver.ts";

type Json = Record<string, unknown>;

const RND = "0123456789ABCDEF0123456789ABCDEF";

const postgres = await hasPostgres();
const isGenuine = await exampleOfTheDocuments();

Deno.test("kill -9 between event and delivery, and during one, loses nothing: it comes again under the same id", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "gatehouse-webhooks-" });
  const start = () =>
    startProgram("platform", [
      ...["http", "distribution", "access", "plugin-center", "push"].flatMap((
        name,
      ) => [`--${name}`, "127.0.0.1:0"]),
      ...["--advertise", "127.0.0.1", "--webhook-allow", "127.0.0.1"],
    ], { dataDir, env: { GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN } });
  const call = async (port: number, method: string, path: string, body?: unknown) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return await response.json() as Json;
  };
  try {
    // A port with nobody behind it yet.
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }), { port } = listener.addr;
    listener.close();
    let event: unknown, secret = "", hook = "";
    {
      await using program = await start();
      const http = program.ports["http"]!;
      const webhook = await call(http, "POST", "/api/v1/webhooks", {
        url: `http://127.0.0.1:${port}/in`,
        events: ["gateway.registered"],
      });
      hook = `/api/v1/webhooks/${webhook["id"]}`;
      secret = String(webhook["secret"]);
      const me = identity(1);
      await call(http, "POST", "/api/v1/gateways", me);
      using udp = new UdpPeer();
      await register(udp, program.ports["access"]!, me, RND);
      event = (await until("queued", async () => {
        const { items } = await call(http, "GET", `${hook}/deliveries`) as { items: Json[] };
        return items[0];
      }))["event"];
      program.kill("SIGKILL");
      await program.status;
    }
    await using receiver = new Receiver(port);
    const never = Promise.withResolvers<Response>();
    receiver.answer = () => never.promise;
    {
      await using program = await start();
      await until("told", () => Promise.resolve(receiver.got.length === 1));
      program.kill("SIGKILL");
      await program.status;
    }
    receiver.answer = () => new Response();
    never.resolve(new Response());
    await using program = await start();
    await until("told again", () => Promise.resolve(receiver.got.length >= 2));
    await until("noted", async () => {
      const { items } = await call(program.ports["http"]!, "GET", `${hook}/deliveries`) as { items: Json[] };
      return items.length === 1 && items[0]!["state"] === "delivered";
    });
    assertEquals(new Set(receiver.got.map(({ id }) => id)), new Set([event]));
    for (const { headers, body } of receiver.got) assert(isGenuine(secret, headers, body));
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

for (const database of ["SQLite", "PostgreSQL"]) {
  const ignore = database === "PostgreSQL" && !postgres;
  Deno.test({
    name: `kill -9 at the moment of an event loses none of it: what is so was told, once, on ${database}${
      ignore ? " (ignored: no PostgreSQL on 127.0.0.1:5432)" : ""
    }`,
    ignore,
    async fn() {
      const name = `gatehouse_test_${crypto.randomUUID().slice(0, 8)}`;
      const dataDir = await Deno.makeTempDir({ prefix: "gatehouse-webhooks-" });
      const url = database === "SQLite" ? undefined : await makeDatabase(name);
      try {
        await killedAtTheMoment(dataDir, url ? ["--database", url] : []);
      } finally {
        await Deno.remove(dataDir, { recursive: true });
        if (url) await dropDatabases(name);
      }
    },
  });
}

async function killedAtTheMoment(dataDir: string, more: readonly string[]): Promise<void> {
  const start = () =>
    startProgram("platform", [
      ...["--services", "access", "--http", "127.0.0.1:0", "--access", "127.0.0.1:0", ...more],
      ...["--advertise", "127.0.0.1", "--webhook-allow", "127.0.0.1"],
    ], { dataDir, env: { GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN } });
  const ended = new Set<unknown>(), told: unknown[] = [];
  let hook: unknown;
  for (let round = 0; round < 4; round++) {
    await using program = await start();
    const call = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`http://127.0.0.1:${program.ports["http"]}${path}`, {
        method,
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return await response.json() as Json;
    };
    const me = identity(1);
    if (hook === undefined) {
      await call("POST", "/api/v1/gateways", me);
      // Nobody listens there: what is told waits, to be counted.
      hook = (await call("POST", "/api/v1/webhooks", {
        url: "http://127.0.0.1:9/",
        events: ["command.ended"],
      }))["id"];
    } else {
      const all = async () => {
        const { items } = await call("GET", `/api/v1/webhooks/${hook}/deliveries?limit=500`) as {
          items: Json[];
        };
        return await Promise.all(items.map(async ({ id }) => {
          const { body } = await call("GET", `/api/v1/webhooks/${hook}/deliveries/${id}`);
          return JSON.parse(String(body)).data.id as unknown;
        }));
      };
      const { items } = await call("GET", "/api/v1/commands?status=cancelled&limit=500") as { items: Json[] };
      for (const { id } of items) ended.add(id);
      await until("told", async () => (await all()).length >= ended.size);
      told.splice(0, told.length, ...await all());
    }
    if (round === 3) break;
    const ids = await Promise.all(
      Array.from({ length: 40 }, async () =>
        (await call("POST", `/api/v1/gateways/${me.mac}/commands`, {
          parameter: { CmdType: "X" },
          timeoutMs: 600_000,
        }))["id"]),
    );
    const cancelled = ids.map((id) => call("POST", `/api/v1/commands/${id}/cancel`));
    await Promise.any(cancelled);
    program.kill("SIGKILL");
    await Promise.allSettled(cancelled);
    await program.status;
  }
  assert(ended.size >= 3, `${ended.size} ended`);
  assertEquals(told.sort(), [...ended].sort());
}

Deno.test({
  name:
    `of several nodes one delivers what happens on any of them, and another goes on when it is killed${why}`,
  ignore: !there,
  async fn() {
    const env = { GATEHOUSE_WEBHOOK_KEY: "the same key on every node of this cluster" };
    await using nodes = await startNodes({ count: 2, env, args: ["--webhook-allow", "127.0.0.1"] });
    await using receiver = new Receiver();
    const { body: hook } = await nodes.call(0, "POST", "/api/v1/webhooks", {
      url: receiver.url,
      events: ["gateway.registered"],
    });
    const secret = String(hook["secret"]);
    const gateways = [1, 2, 3].map(identity);
    await nodes.preset(...gateways);
    const told = (n: number) =>
      until(
        `${n} told`,
        () => Promise.resolve(new Set(receiver.got.map(({ data }) => data["mac"])).size === n),
      );
    const registerAt = async (n: number, node: number) => {
      using udp = new UdpPeer();
      await register(udp, nodes.node(node).program.ports["access"]!, gateways[n]!, RND);
    };
    // The other node knows of the webhook, and whichever does not deliver has its events delivered.
    await registerAt(0, 0);
    await registerAt(1, 1);
    await told(2);
    assertEquals(receiver.got.length, 2, "each once");
    nodes.node(0).program.kill("SIGKILL");
    await registerAt(2, 1);
    await told(3);
    for (const { headers, body } of receiver.got) assert(isGenuine(secret, headers, body));
  },
});
