// deno-lint-ignore-file no-console -- a benchmark's server says where it listens
/**
 * The short-message service alone, for the benchmark: `sms.ts DATA_DIR durable|memory [normal|full] [DATABASE]`, or `sms.ts - echo` for a bare
 * server that cuts frames and answers each with a SUBMIT_RESP, which is what the service is measured against.
 *
 * @module
 */
import { Metrics, silentLog, systemClock, systemRandom } from "../../../src/base/mod.ts";
import { FramedServer, systemNetwork } from "../../../src/net/mod.ts";
import { encodeMessage, readHeader } from "../../../src/protocol/cmpp/mod.ts";
import { openDatabase, type SyncMode } from "../../../src/storage/mod.ts";
import { CMPP_FRAMING, smsMigrations, type SmsTables, startSms } from "../../../src/platform/sms/mod.ts";
import { Api, tokenAuthenticator } from "../../../src/control/mod.ts";
import { ROOT } from "../../../src/platform/people/mod.ts";

const [dataDir, mode, sync = "normal", url = `sqlite:${dataDir}/sms.db`] = Deno.args as [
  string,
  "durable" | "memory" | "echo",
  SyncMode?,
  string?,
];
const local = { host: "127.0.0.1", port: 0 };
const deps = { clock: systemClock, random: systemRandom, log: silentLog, metrics: new Metrics() };
const network = systemNetwork(deps);

if (mode === "echo") {
  const server = new FramedServer(network.listen(local), {
    ...deps,
    framing: CMPP_FRAMING,
    onConnection: (connection) => (frame) => {
      const { commandId, sequence } = readHeader(frame);
      connection.send(
        commandId === 1
          ? encodeMessage({
            command: "CONNECT_RESP",
            sequence,
            Status: 0,
            AuthenticatorISMG: new Uint8Array(16),
            Version: 0x30,
          }, 3)
          : encodeMessage({ command: "SUBMIT_RESP", sequence, Msg_Id: 1n, Result: 0 }, 3),
      );
    },
  });
  console.log(server.address.port);
} else {
  const database = await openDatabase<SmsTables>(url, smsMigrations, { sync });
  const sms = await startSms({ ...deps, network }, { sql: database.sql, dataDir }, {
    listen: local,
    short: local,
    gatewayCode: "001001",
    durable: mode === "durable",
  });
  const api = new Api(deps, {
    title: "Bench",
    version: "1",
    authenticators: [tokenAuthenticator("bench", ROOT)],
  });
  api.mount("", sms.routes);
  await api.request("/api/v1/sms/accounts", {
    method: "POST",
    headers: { authorization: "Bearer bench", "content-type": "application/json" },
    body: JSON.stringify({
      spId: "900001",
      secret: "888888",
      spCode: "10658888",
      ratePerSecond: 1_000_000,
      maxConnections: 100,
    }),
  });
  console.log(sms.long.port);
}
