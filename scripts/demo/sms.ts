/**
 * A service provider of the demonstration: a text to a phone and its report, and the phone's answer.
 *
 * @module
 */
import { silentLog, systemClock } from "../../src/base/mod.ts";
import { systemNetwork } from "../../src/net/mod.ts";
import { SpClient } from "../../src/sp_client/mod.ts";
import type { Client, Json } from "./phone.ts";

const PHONE = "13800138000", TEXT = "尊敬的用户，您的宽带业务已受理😀。".repeat(6);

/** Makes a provider, sends a text in parts over CMPP 3.0, and waits for the reports and what the phone writes back. */
export async function textRound(operator: Client, port: number): Promise<Json> {
  const provider = { spId: "900001", secret: crypto.randomUUID().slice(0, 16), spCode: "10658888" };
  await operator.call("POST", "/api/v1/sms/accounts", provider);
  const deps = { clock: systemClock, log: silentLog }, answer = Promise.withResolvers<string | undefined>();
  await using client = new SpClient(
    { ...deps, network: systemNetwork(deps) },
    { server: { host: "127.0.0.1", port }, spId: provider.spId, secret: provider.secret },
    { onText: ({ text }) => answer.resolve(text) },
  );
  await client.ready;
  const parts = await client.sendText({ to: [PHONE], text: TEXT, from: provider.spCode, report: true });
  const reports = await client.reports(parts, 1, 10_000);
  await operator.call("POST", "/api/v1/sms/simulator/mo", {
    from: PHONE,
    to: provider.spCode,
    text: "谢谢",
  });
  return { characters: TEXT.length, reports: reports.map(({ Stat }) => Stat), answer: await answer.promise };
}
