// deno-lint-ignore-file no-console -- a benchmark's server says when it is ready
/**
 * Answers requests with what they carry: `responder.ts nats|mqtt URL SUBJECT`.
 *
 * @module
 */
import { connect } from "@nats-io/transport-node";
import mqtt from "mqtt";

const [kind, url, subject] = Deno.args as [string, string, string];
if (kind === "nats") {
  const nats = await connect({ servers: url });
  nats.subscribe(subject, { callback: (_, msg) => void msg.respond(msg.data) });
  await nats.flush();
} else {
  const client = await mqtt.connectAsync(url, { protocolVersion: 5 });
  client.on("message", (_topic, payload, { properties }) => {
    const { responseTopic, correlationData } = properties ?? {};
    if (responseTopic === undefined || !correlationData) return;
    client.publish(responseTopic, payload, { qos: 0, properties: { correlationData } });
  });
  await client.subscribeAsync(subject, { qos: 0 });
}
console.log("ready");
