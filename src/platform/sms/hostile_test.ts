import { assertEquals } from "@std/assert";
import { encodeMessage } from "../../protocol/cmpp/mod.ts";
import { type Provider, Stage, SUBMIT } from "./testing_stage.ts";

/** Sends octets as they are: a frame is whatever it is given here. */
const raw = (provider: Provider, octets: Uint8Array) => provider.connection.send(octets);

Deno.test("a SUBMIT in pieces with long gaps is one, as long as all of it takes less than T", async () => {
  await using stage = await Stage.open({ settings: { responseMs: 60_000 } });
  const provider = await stage.connect();
  const pdu = encodeMessage({ ...SUBMIT, sequence: 7 }, 3);
  const cuts = [0, 1, 3, 4, 11, 12, 100, pdu.length];
  for (const [i, at] of cuts.slice(0, -1).entries()) {
    raw(provider, pdu.subarray(at, cuts[i + 1]));
    await stage.clock.advance(8_000);
  }
  await stage.settle();
  assertEquals([provider.last("SUBMIT_RESP").sequence, provider.last("SUBMIT_RESP").Result], [7, 0]);
});

Deno.test("a SUBMIT cut at any octet waits for its rest, and ends the connection where that never comes", async () => {
  await using stage = await Stage.open({
    settings: { responseMs: 60_000 },
    account: { maxConnections: 1000 },
  });
  const length = encodeMessage(SUBMIT, 3).length;
  const providers: { provider: Provider; cut: number }[] = [];
  for (let cut = 1; cut < length; cut += 5) providers.push({ provider: await stage.connect(), cut });
  for (const { provider, cut } of providers) {
    raw(provider, encodeMessage({ ...SUBMIT, sequence: cut }, 3).subarray(0, cut));
  }
  await stage.clock.advance(50_000);
  for (const { provider, cut } of providers.slice(0, providers.length / 2)) {
    raw(provider, encodeMessage({ ...SUBMIT, sequence: cut }, 3).subarray(cut));
  }
  await stage.settle();
  await stage.clock.advance(20_000);
  for (const [i, { provider, cut }] of providers.entries()) {
    const half = i < Math.floor(providers.length / 2);
    assertEquals(
      provider.all("SUBMIT_RESP").map(({ sequence, Result }) => [sequence, Result]),
      half ? [[cut, 0]] : [],
    );
    assertEquals(provider.connection.open, half, String(cut));
  }
});

Deno.test("what overruns the window is answered 8, each of it, and what was within is kept", async () => {
  await using stage = await Stage.open({ account: { window: 16, ratePerSecond: 100_000 } });
  const provider = await stage.connect();
  for (let sequence = 1; sequence <= 1_000; sequence++) provider.send({ ...SUBMIT, sequence });
  await stage.settle();
  const results = provider.all("SUBMIT_RESP").map(({ Result }) => Result);
  assertEquals([results.length, results.filter((one) => one === 8).length > 0], [1_000, true]);
  assertEquals(new Set(results), new Set([0, 8]));
  const taken = results.filter((one) => one === 0).length;
  for (let i = 0; i < 20; i++) await stage.settle();
  assertEquals(provider.reports().length, taken);
});
