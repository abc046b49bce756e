import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, seededRandom } from "../../../base/mod.ts";
import { DriverError } from "../errors.ts";
import { SimulatedHome, SimulatedLan, SPELL_MS, VISITOR } from "../lan/simulated.ts";
import { SimulatedWifi } from "./simulated.ts";

function house(seed = 1) {
  const clock = new FakeClock();
  const home = new SimulatedHome({ clock, random: seededRandom(seed) });
  return { clock, wifi: new SimulatedWifi(home, clock), lan: new SimulatedLan(home) };
}

const PRINTER = "02:00:5E:00:53:06", TELEVISION = "02:00:5E:00:53:01";

Deno.test("the same seed gives the same comings and goings, another one others", async () => {
  const day = async (seed: number) => {
    const { clock, lan } = house(seed), seen = [];
    for (let spell = 0; spell < 40; spell++) {
      await clock.advance(SPELL_MS);
      seen.push((await lan.devices()).map(({ mac }) => mac.slice(-1)).join(""));
    }
    return [seen, await lan.ports()] as const;
  };
  const [seen] = await day(7);
  assertEquals(await day(7), await day(7));
  assert(JSON.stringify(await day(8)) !== JSON.stringify(await day(7)));
  assert(new Set(seen).size > 3, "they do come and go");
});

Deno.test("counters grow, and never the other way", async () => {
  const { clock, wifi, lan } = house();
  let before = 0;
  for (let minute = 0; minute < 30; minute++) {
    await clock.advance(60_000);
    const [port] = await lan.ports();
    assert(port!.sentBytes > before);
    before = port!.sentBytes;
  }
  const { sentBytes, receivedBytes } = await wifi.traffic(1);
  assert(sentBytes > 0 && receivedBytes > 0);
  // A machine that slept for years wakes up at once.
  await clock.advance(5 * 365 * 86_400_000);
  assert((await lan.ports())[0]!.sentBytes > 1000 * before);
});

Deno.test("who is on a network that is switched off, or renamed, is gone", async () => {
  const { clock, wifi, lan } = house();
  const on = async (index: number) => (await wifi.stations()).filter((one) => one.index === index).length;
  assert(await on(1) > 0);
  await wifi.configure(1, { enabled: false });
  assertEquals([await on(1), (await lan.devices()).some(({ mac }) => mac === PRINTER)], [0, false]);
  const { sentBytes } = await wifi.traffic(1);
  await clock.advance(SPELL_MS);
  assertEquals((await wifi.traffic(1)).sentBytes, sentBytes);
  await wifi.configure(1, { enabled: true });
  assert(await on(1) > 0);
  await wifi.configure(1, { password: "another password" });
  assertEquals(await on(1), 0);
  await clock.advance(SPELL_MS);
  assert(await on(1) > 0);
  await wifi.setRadio(false);
  assertEquals([await wifi.stations(), await wifi.radioOn()], [[], false]);
  assertEquals((await wifi.networks()).map(({ enabled, onAir }) => [enabled, onAir]), [
    [true, false],
    [false, false],
    [true, false],
  ]);
  assert((await lan.devices()).some(({ mac }) => mac === TELEVISION), "cables do not care");
});

Deno.test("a device without internet shows no traffic, and one with little bandwidth little", async () => {
  const { clock, lan } = house();
  const minutes = async () => {
    const before = (await lan.ports())[0]!.sentBytes;
    await clock.advance(600_000);
    return (await lan.ports())[0]!.sentBytes - before;
  };
  assert(await minutes() > 10_000_000);
  await lan.setBandwidth([{ mac: TELEVISION, upKbps: 0, downKbps: 80 }]);
  const slow = await minutes();
  assert(slow > 0 && slow <= 600 * 80_000 / 8);
  await lan.setAccess([{ mac: TELEVISION, internet: false, storage: true }]);
  assertEquals(await minutes(), 0);
  await lan.setAccess([]);
  await lan.setBandwidth([]);
  assert(await minutes() > 10_000_000);
});

Deno.test("somebody joins when the button is pressed long enough", async () => {
  const { clock, wifi } = house();
  await wifi.startWps(5, 5);
  await clock.advance(6_000);
  assertEquals(await wifi.wps(), { state: "timeout" });
  await wifi.startWps(5, 120);
  assertEquals(await wifi.wps(), { state: "active" });
  await clock.advance(10_000);
  assertEquals(await wifi.wps(), { state: "success", peer: VISITOR.mac });
  assert((await wifi.stations()).some(({ mac, index }) => mac === VISITOR.mac && index === 5));
  await assertRejects(() => wifi.startWps(3, 10), DriverError);
});

Deno.test("a simulated network takes what a real one would, and refuses the same", async () => {
  const { wifi } = house();
  await wifi.configure(5, { ssid: "Garten", security: "open", channel: 149, powerPercent: 30 });
  const five = (await wifi.networks()).find(({ index }) => index === 5)!;
  assertEquals([five.ssid, five.security, five.password, five.channel, five.powerPercent], [
    "Garten",
    "open",
    "",
    149,
    30,
  ]);
  for (const change of [{ channel: 6 }, { ssid: "" }, { security: "wpa2" as const }, { powerPercent: 99 }]) {
    assertEquals((await assertRejects(() => wifi.configure(5, change), DriverError)).code, "invalid");
  }
  await wifi.configure(1, { channel: 11 });
  assertEquals((await wifi.networks()).map(({ channel }) => channel), [11, 11, 149]);
});
