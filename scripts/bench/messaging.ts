// deno-lint-ignore-file no-console -- a benchmark talks to the terminal
/**
 * A remote command beside what bare messages cost: the same payload asked over NATS (request and reply) and Mosquitto
 * (MQTT 5 request and response, QoS 0), with the one who answers in a process of its own; and commands, on a platform
 * with an embedded database, and on two nodes over PostgreSQL and NATS: asked of the node of their gateway, and of the
 * other one. Ratios are to NATS.
 *
 * The others keep nothing: a command is a row on disk before it goes out and when it has ended, checked, authorised
 * and told over HTTP.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { connect } from "@nats-io/transport-node";
import mqtt from "mqtt";
import { ClusterGateway, NATS, type Node, startNodes, there, until } from "../../tests/support/nodes.ts";
import { ADMIN_TOKEN } from "../../tests/support/platform.ts";
import { identity } from "../../tests/support/scripted_gateway.ts";
import { startPlatformProcess } from "./platform.ts";
import { type BenchRow, percentile, printRows } from "./rows.ts";
import { script } from "./servers/start.ts";
import { load, timeOf } from "./timing.ts";

const PARAMETER = { CmdType: "ASK", SequenceId: "0000BEEF", Tag: "hello, gateway" };
const PAYLOAD = new TextEncoder().encode(JSON.stringify({ plugin: "bench", parameter: PARAMETER }));
const MANY = 64, ROUNDS = 3, ALONE = 400, TOGETHER = 4_000;
/** No gateway counts as gone meanwhile: these ones send no heartbeats. */
const HEARTBEAT_SECONDS = 3600;

/** Measures in rounds; about a minute and a half. No rows where there is no PostgreSQL or NATS. */
export async function benchMessaging(): Promise<BenchRow[]> {
  if (!there) {
    console.log("  no PostgreSQL on 127.0.0.1:5432 or no NATS on 127.0.0.1:4222: nothing to compare with");
    return [];
  }
  await using stack = new AsyncDisposableStack();
  const askers = new Map<string, Asker>([["NATS request and reply", stack.use(await overNats())]]);
  const mosquitto = await overMosquitto();
  if (mosquitto) askers.set("Mosquitto request and response", stack.use(mosquitto));
  const alone = stack.use(await startPlatformProcess("--heartbeat", String(HEARTBEAT_SECONDS)));
  const node: Node = { name: "alone", program: alone, url: `http://127.0.0.1:${alone.ports["http"]}` };
  askers.set("command, embedded database", stack.use(await overCommands(node)));
  const nodes = stack.use(await startNodes({ count: 2, heartbeatSeconds: HEARTBEAT_SECONDS }));
  const near = stack.use(await overCommands(nodes.node(1)));
  askers.set("command, PostgreSQL, asked of the gateway's node", near);
  askers.set("command, PostgreSQL, asked of another node", { ...near, ask: near.askOf(nodes.node(0)) });

  const measured = new Map<string, Measured[]>();
  for (const [name, { ask }] of askers) {
    await loadBySlot(ask, 1000); // every part has settled
    measured.set(name, []);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, { ask }] of askers) measured.get(name)!.push(await measure(ask));
  }
  const [beside] = [...measured.values()].map(medians);
  return [...measured].flatMap(([name, rounds]) => {
    const { alone, rate, p99 } = medians(rounds);
    return [
      { name: `${name}, 1 in flight, p50`, value: alone, unit: "ms", ratio: alone / beside!.alone },
      { name: `${name}, ${MANY} in flight`, value: rate, unit: "/s", ratio: rate / beside!.rate },
      { name: `${name}, ${MANY} in flight, p99`, value: p99, unit: "ms", ratio: p99 / beside!.p99 },
    ];
  });
}

interface Measured {
  /** Milliseconds: the median of one at a time. */
  readonly alone: number;
  readonly rate: number;
  readonly p99: number;
}

/** Asks something in slot 0 to `MANY - 1`. */
type Ask = (slot: number) => Promise<void>;

interface Asker extends AsyncDisposable {
  readonly ask: Ask;
}

async function measure(ask: Ask): Promise<Measured> {
  let slot = 0;
  const alone = await load(() => ask(slot++ % MANY), 1, ALONE),
    { times, rate } = await loadBySlot(ask, TOGETHER);
  return { alone: percentile(alone.times, 0.5), rate, p99: percentile(times, 0.99) };
}

function medians(rounds: readonly Measured[]): Measured {
  const of = (what: keyof Measured) => percentile(rounds.map((round) => round[what]), 0.5);
  return { alone: of("alone"), rate: of("rate"), p99: of("p99") };
}

/** Each slot asks one after the other: a gateway does one thing at a time. */
async function loadBySlot(ask: Ask, count: number) {
  const times: number[] = [], begun = performance.now();
  let left = count;
  await Promise.all(Array.from({ length: MANY }, async (_, slot) => {
    while (left-- > 0) times.push(await timeOf(() => ask(slot)));
  }));
  return { times, rate: count / (performance.now() - begun) * 1000 };
}

/** Answers in a process of its own. */
function responder(kind: "nats" | "mqtt", url: string, subject: string): Promise<AsyncDisposable> {
  return script("responder.ts", ["-A"], [kind, url, subject]);
}

async function overNats(): Promise<Asker> {
  const subject = `bench.${crypto.randomUUID()}`, answers = await responder("nats", NATS, subject);
  const nats = await connect({ servers: NATS });
  return {
    ask: async () => void await nats.request(subject, PAYLOAD, { timeout: 10_000 }),
    async [Symbol.asyncDispose]() {
      await nats.close();
      await answers[Symbol.asyncDispose]();
    },
  };
}

/** Undefined where there is no Mosquitto. */
async function overMosquitto(): Promise<Asker | undefined> {
  await using starting = new AsyncDisposableStack();
  const port = freePort(), settings = await Deno.makeTempFile({ prefix: "gatehouse-bench-" });
  starting.defer(() => Deno.remove(settings));
  // Without Nagle's algorithm, which would hold answers back for 40 ms.
  await Deno.writeTextFile(
    settings,
    `listener ${port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n`,
  );
  let broker: Deno.ChildProcess;
  try {
    broker = new Deno.Command("mosquitto", { args: ["-c", settings], stdout: "null", stderr: "null" })
      .spawn();
  } catch {
    console.log("  no mosquitto here: it is left out");
    return undefined;
  }
  starting.defer(async () => {
    broker.kill("SIGKILL");
    await broker.status;
  });
  await until(
    "mosquitto listens",
    () => Deno.connect({ hostname: "127.0.0.1", port }).then((conn) => (conn.close(), true), () => false),
  );
  const url = `mqtt://127.0.0.1:${port}`, topic = "bench/ask";
  starting.use(await responder("mqtt", url, topic));
  const client = await mqtt.connectAsync(url, { protocolVersion: 5 });
  starting.defer(() => client.endAsync(true));
  const waiting = new Map<number, () => void>(), responseTopic = `bench/answer/${crypto.randomUUID()}`;
  let last = 0;
  client.on("message", (_topic, _payload, { properties }) => {
    const id = properties?.correlationData?.readUInt32BE(0) ?? -1;
    waiting.get(id)?.();
    waiting.delete(id);
  });
  await client.subscribeAsync(responseTopic, { qos: 0 });
  const started = starting.move();
  return {
    ask: () =>
      new Promise<void>((resolve) => {
        const correlationData = Buffer.alloc(4), id = last++;
        correlationData.writeUInt32BE(id);
        waiting.set(id, resolve);
        client.publish(topic, Buffer.from(PAYLOAD), {
          qos: 0,
          properties: { responseTopic, correlationData },
        });
      }),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/** Commands to gateways whose channels end at the node `at`: asked of it, or of another one. */
async function overCommands(at: Node): Promise<Asker & { askOf(node: Node): Ask }> {
  await using starting = new AsyncDisposableStack();
  const gateways = Array.from({ length: MANY }, (_, i) => starting.use(new ClusterGateway(identity(i + 1))));
  const call = async (node: Node, path: string, body: unknown) => {
    const response = await fetch(node.url + path, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text;
  };
  await call(at, "/api/v1/gateways", gateways.map(({ me }) => me));
  for (const gateway of gateways) {
    await gateway.register(at);
    await gateway.connect(at);
  }
  const started = starting.move();
  const askOf = (node: Node): Ask => async (slot) => {
    const path = `/api/v1/gateways/${gateways[slot]!.me.mac}/commands?wait=20`;
    const text = await call(node, path, { plugin: "bench", parameter: PARAMETER });
    if (!text.includes('"succeeded"')) throw new Error(text);
  };
  return { ask: askOf(at), askOf, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

if (import.meta.main) printRows("Remote commands beside bare messages", await benchMessaging());
