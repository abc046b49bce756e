import { assertEquals } from "@std/assert";
import { type Deps, FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { LocalBus } from "../../cluster/mod.ts";
import type { FramedConnection } from "../../net/mod.ts";
import type { GatewayRow, GatewayStore } from "../registry/mod.ts";
import type { PlatformEvents, PlatformRequests } from "../subjects.ts";
import { Channels } from "./channels.ts";

const MAC = "64D954000001";
const boot = new TextEncoder().encode(JSON.stringify({
  RPCMethod: "Boot",
  Vendor: "Maker",
  Model: "M1",
  FirmwareVer: "1",
  HardwareVer: "1",
  MAC,
  IPAddr: "100.64.0.9",
  LOID: "LOID1",
  Card: "",
}));

/** Channels over a database that answers when the test says so, and connections that note what they are told. */
function setUp(signInsPerSecond?: number) {
  const clock = new FakeClock(), metrics = new Metrics();
  const deps: Deps = { clock, random: seededRandom(1), log: silentLog, metrics };
  const lookUps: PromiseWithResolvers<GatewayRow | undefined>[] = [];
  const gateways = {
    find() {
      const lookUp = Promise.withResolvers<GatewayRow | undefined>();
      lookUps.push(lookUp);
      return lookUp.promise;
    },
  } as Partial<GatewayStore> as GatewayStore;
  const bus = new LocalBus<PlatformEvents, PlatformRequests>(clock, silentLog);
  const channels = new Channels(deps, gateways, bus, undefined, signInsPerSecond);
  const connect = () => {
    const told: number[] = [];
    let ended = false;
    const connection = {
      remote: { host: "192.0.2.1", port: 1 },
      open: true,
      setIdle() {},
      send: (bytes: Uint8Array) => void told.push(JSON.parse(new TextDecoder().decode(bytes)).Result),
      end: () => void (ended = true),
    } as unknown as FramedConnection;
    const handle = channels.greet(connection);
    void handle(boot, connection);
    return {
      told,
      get ended() {
        return ended;
      },
    };
  };
  return { clock, metrics, lookUps, connect };
}

const row = { mac: MAC, sn: "S1" } as GatewayRow;

Deno.test("of a flood of sign-ins only so many a second are looked up, the rest is told busy and closed", async () => {
  const { clock, metrics, lookUps, connect } = setUp(10);
  const flood = Array.from({ length: 200 }, connect);
  assertEquals(lookUps.length, 10);
  const away = flood.slice(10);
  assertEquals(away.filter(({ told, ended }) => ended && told.join() === "-5").length, 190);
  for (const { resolve } of lookUps.splice(0)) resolve(row);
  await clock.advance(1000);
  assertEquals(flood.slice(0, 10).every(({ told, ended }) => !ended && told.join() === "0"), true);
  connect();
  assertEquals(lookUps.length, 1, "room comes back");
  assertEquals(metrics.total("gatehouse_channel_sign_ins_put_off_total"), 190);
});

Deno.test("while the database stands still no more than 500 gateways are being looked up", async () => {
  const { clock, metrics, lookUps, connect } = setUp();
  const flood = Array.from({ length: 2000 }, connect);
  assertEquals([lookUps.length, flood.filter(({ ended }) => ended).length], [500, 1500]);
  assertEquals(metrics.render().includes("gatehouse_channel_sign_ins_in_work 500"), true);
  // However they end, their places are free again.
  lookUps.forEach(({ resolve, reject }, n) => n % 2 ? resolve(undefined) : reject(new Error("away")));
  await clock.advance(1);
  assertEquals(flood.slice(0, 500).every(({ told, ended }) => ended && told.join() === "-1"), true);
  connect();
  assertEquals(lookUps.length, 501);
});
