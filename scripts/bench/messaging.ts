// deno-lint-ignore-file no-console -- a benchmark talks to the terminal
/**
 * A remote command beside what bare messages cost: the same payload asked over NATS (request and reply) and Mosquitto
 * (MQTT 5 request and response, QoS 0), with the one who answers in a process of its own; and commands that are asked
 * of the node of their gateway, and of another one.
 *
 * The others keep nothing: a command is a row on disk before it goes out and when it has ended, checked, authorised
 * and told over HTTP.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { connect } from "@nats-io/transport-node";
import mqtt from "mqtt";
import { ClusterGateway, NATS, startNodes, there, until } from "../../tests/support/nodes.ts";
import { identity } from "../../tests/support/scripted_gateway.ts";
import { type BenchRow, percentile, printRows } from "./rows.ts";
import { script } from "./servers/start.ts";
import { load, timeOf } from "./timing.ts";

const PARAMETER = { CmdType: "ASK", SequenceId: "0000BEEF", Tag: "hello, gateway" };
const PAYLOAD = new TextEncoder().encode(JSON.stringify({ plugin: "bench", parameter: PARAMETER }));
const MANY = 64, ALONE = 1000, TOGETHER = 10_000;

/** Measures; about a minute. No rows where there is no PostgreSQL or NATS. */
export async function benchMessaging(): Promise<BenchRow[]> {
  if (!there) {
    console.log("  no PostgreSQL on 127.0.0.1:5432 or no NATS on 127.0.0.1:4222: nothing to compare with");
    return [];
  }
  const nats = await measure(await overNats()), mosquitto = await measureMosquitto();
  const [near, far] = await commands();
  const rows = (name: string, { times, rate, p99 }: Measured, beside?: Measured): BenchRow[] => [
    { name: `${name}, 1 in flight, p50`, value: times, unit: "ms", ...ratio(times, beside?.times) },
    { name: `${name}, ${MANY} in flight`, value: rate, unit: "/s", ...ratio(rate, beside?.rate) },
    { name: `${name}, ${MANY} in flight, p99`, value: p99, unit: "ms" },
  ];
  return [
    ...rows("NATS request and reply", nats),
    ...(mosquitto ? rows("Mosquitto request and response", mosquitto, nats) : []),
    ...rows("command, asked of the gateway's node", near!, nats),
    ...rows("command, asked of another node", far!, nats),
  ];
}

const ratio = (value: number, to: number | undefined) => to === undefined ? {} : { ratio: value / to };

interface Measured {
  /** Milliseconds: the median of one at a time. */
  readonly times: number;
  readonly rate: number;
  readonly p99: number;
}

interface Asker extends AsyncDisposable {
  ask(slot: number): Promise<void>;
}

async function measure(asker: Asker): Promise<Measured> {
  await using one = asker;
  let slot = 0;
  const ask = () => one.ask(slot++ % MANY);
  await load(ask, MANY, 1000); // every part has settled
  const alone = await load(ask, 1, ALONE), together = await loadBySlot((i) => one.ask(i));
  return { times: percentile(alone.times, 0.5), rate: together.rate, p99: percentile(together.times, 0.99) };
}

/** Each slot asks one after the other: a gateway does one thing at a time. */
async function loadBySlot(ask: (slot: number) => Promise<void>) {
  const times: number[] = [], begun = performance.now();
  let left = TOGETHER;
  await Promise.all(Array.from({ length: MANY }, async (_, slot) => {
    while (left-- > 0) times.push(await timeOf(() => ask(slot)));
  }));
  return { times, rate: TOGETHER / (performance.now() - begun) * 1000 };
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
async function measureMosquitto(): Promise<Measured | undefined> {
  const port = freePort(), settings = await Deno.makeTempFile({ prefix: "gatehouse-bench-" });
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
  try {
    await until(
      "mosquitto listens",
      () => Deno.connect({ hostname: "127.0.0.1", port }).then((conn) => (conn.close(), true), () => false),
    );
    const url = `mqtt://127.0.0.1:${port}`,
      topic = "bench/ask",
      answers = await responder("mqtt", url, topic);
    const client = await mqtt.connectAsync(url, { protocolVersion: 5 });
    const waiting = new Map<number, () => void>(), responseTopic = `bench/answer/${crypto.randomUUID()}`;
    let last = 0;
    client.on("message", (_topic, _payload, { properties }) => {
      const id = properties?.correlationData?.readUInt32BE(0) ?? -1;
      waiting.get(id)?.();
      waiting.delete(id);
    });
    await client.subscribeAsync(responseTopic, { qos: 0 });
    return await measure({
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
      async [Symbol.asyncDispose]() {
        await client.endAsync(true);
        await answers[Symbol.asyncDispose]();
      },
    });
  } finally {
    broker.kill("SIGKILL");
    await broker.status;
    await Deno.remove(settings);
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/** Commands to gateways whose channels end at the second node: asked there, and asked of the first. */
async function commands(): Promise<Measured[]> {
  await using nodes = await startNodes({ count: 2 });
  await using stack = new AsyncDisposableStack();
  const gateways = Array.from({ length: MANY }, (_, i) => stack.use(new ClusterGateway(identity(i + 1))));
  await nodes.preset(...gateways.map(({ me }) => me));
  for (const gateway of gateways) {
    await gateway.register(nodes.node(1));
    await gateway.connect(nodes.node(1));
  }
  const over = (node: number): Asker => ({
    async ask(slot) {
      const { mac } = gateways[slot]!.me;
      const response = await fetch(`${nodes.node(node).url}/api/v1/gateways/${mac}/commands?wait=20`, {
        method: "POST",
        headers: nodes.headers,
        body: JSON.stringify({ plugin: "bench", parameter: PARAMETER }),
      });
      const text = await response.text();
      if (!text.includes('"succeeded"')) throw new Error(text);
    },
    async [Symbol.asyncDispose]() {},
  });
  return [await measure(over(1)), await measure(over(0))];
}

if (import.meta.main) printRows("Remote commands beside bare messages", await benchMessaging());
