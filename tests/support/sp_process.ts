/**
 * A provider in a process of its own, to be killed: sends until it has sent enough, and writes a line for each SUBMIT
 * that was taken (`T`) and each report (`R`), the latter before it answers it.
 *
 * `sp_process.ts PORT SP_ID SP_CODE HOW_MANY`; the secret is in the environment.
 *
 * @module
 */
import { silentLog, systemClock } from "../../src/base/mod.ts";
import { systemNetwork } from "../../src/net/mod.ts";
import { msgIdHex } from "../../src/protocol/cmpp/mod.ts";
import { SpClient, SpError } from "../../src/sp_client/mod.ts";

const [port, spId, spCode, count] = Deno.args as [string, string, string, string];
const deps = { clock: systemClock, log: silentLog };
const encoder = new TextEncoder();
/** In one write, so that a line is there whole or not at all. */
const say = (line: string) => void Deno.stdout.writeSync(encoder.encode(`${line}\n`));

const client = new SpClient(
  { ...deps, network: systemNetwork(deps) },
  {
    server: { host: "127.0.0.1", port: Number(port) },
    spId,
    secret: Deno.env.get("GATEHOUSE_SMS_SECRET")!,
    reconnectMs: [20, 50],
  },
  { onReport: ({ Msg_Id }) => say(`R ${msgIdHex(Msg_Id)}`) },
);
await client.ready;
let left = Number(count);
await Promise.all(Array.from({ length: 32 }, async (_, i) => {
  while (left-- > 0) {
    try {
      const parts = await client.sendText({
        to: [`138001380${i + 10}`],
        text: "x",
        from: spCode,
        report: true,
      });
      for (const { msgId, result } of parts) if (result === 0) say(`T ${msgIdHex(msgId)}`);
    } catch (error) {
      if (!(error instanceof SpError)) throw error; // lost: nothing was promised
    }
  }
}));
say("E");
await new Promise(() => {}); // goes on taking reports, until it is killed
