import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeClock, seededRandom, silentLog as log, systemClock } from "../../base/mod.ts";
import {
  type DeviceAccess,
  type DeviceBandwidth,
  DriverError,
  type Lan,
  SimulatedDriver,
} from "../driver/mod.ts";
import { DEVICE_MACS, GATEWAY_ADDRESS, homeless, SERVER_ADDRESS, testHome } from "../driver/lan/testing.ts";
import { LinuxLan } from "../driver/lan/mod.ts";
import { openParameters, ParameterError } from "../parameters/mod.ts";
import { AttachedDevices, LOOK_MS } from "./attached_devices.ts";
import { AGAIN_MS } from "./until_done.ts";
import { WifiSettings } from "./wifi_settings.ts";

const without = await homeless();
// deno-lint-ignore no-console -- says why a test is ignored
if (without !== undefined) console.error(`a test with network namespaces is left out: ${without}`);
const TABLE = "InternetGatewayDevice.X_GATEHOUSE_AttachedDevice.";
const WLAN = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.";
const [PHONE, LAPTOP] = ["02:00:00:00:00:11", "02:00:00:00:00:12"] as const;

/** A home network that remembers what it was told last, and refuses where it is to. */
class ToldLan implements Pick<Lan, "setAccess" | "setBandwidth" | "intact"> {
  access: readonly DeviceAccess[] = [];
  bandwidth: readonly DeviceBandwidth[] = [];
  /** `half`: the next bandwidths, after the old ones are gone. */
  refuses: "access" | "bandwidth" | "half" | undefined;
  #intact = false;

  intact(): Promise<boolean> {
    return Promise.resolve(this.#intact);
  }

  flush(): void {
    [this.access, this.bandwidth, this.#intact] = [[], [], false];
  }

  // deno-lint-ignore require-await -- what is refused rejects
  async setAccess(devices: readonly DeviceAccess[]): Promise<void> {
    this.#intact = false;
    if (this.refuses === "access") throw new DriverError("unsupported", "there is no nft");
    this.access = devices;
  }

  // deno-lint-ignore require-await -- what is refused rejects
  async setBandwidth(devices: readonly DeviceBandwidth[]): Promise<void> {
    this.#intact = false;
    if (this.refuses === "bandwidth") throw new DriverError("unsupported", "there is no tc");
    if (this.refuses === "half") {
      [this.bandwidth, this.refuses] = [[], undefined];
      throw new DriverError("failed", "line 7 is wrong");
    }
    this.bandwidth = devices;
    this.#intact = true;
  }
}

async function stage(dataDir?: string, refuses?: ToldLan["refuses"]) {
  const clock = new FakeClock(), lan = new ToldLan();
  lan.refuses = refuses;
  const stack = new AsyncDisposableStack();
  const tree = stack.use(await openParameters({ clock, log }, dataDir));
  const devices = stack.use(new AttachedDevices({ clock, log, lan: lan as unknown as Lan, tree }));
  return { clock, lan, tree, devices, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

Deno.test("whoever writes the rules, the machine is told all of them", async () => {
  await using home = await stage();
  const { lan, tree, devices } = home;
  await devices.set(PHONE, { internet: false }, "app");
  assertEquals(lan.access.map(({ mac, internet }) => [mac, internet]), [[PHONE, false]]);
  const row = await tree.add(TABLE, "itms", { values: { MACAddress: LAPTOP, DsBandwidth: 500 } });
  assertEquals(lan.bandwidth.map(({ mac, downKbps }) => [mac, downKbps]), [[LAPTOP, 500]]);
  assertEquals(lan.access.length, 1, "the app's rule is still there");
  await tree.set({ [`${TABLE}${row}.StorageAccess`]: "OFF" }, "itms");
  assertEquals(lan.access.length, 2);
  await tree.remove(`${TABLE}${row}.`, "itms");
  assertEquals([lan.access.length, lan.bandwidth.length], [1, 0]);
  await tree.restore("app");
  assertEquals([lan.access, devices.list()], [[], []]);
});

Deno.test("two writes about one device at one time make one row", async () => {
  await using home = await stage();
  const { devices, tree } = home;
  await Promise.all([
    devices.set(PHONE, { name: "Mobile" }, "app"),
    devices.set(PHONE.replaceAll(":", ""), { upKbps: 100 }, "app"),
    devices.set(PHONE.toLowerCase(), { internet: false }, "app"),
  ]);
  assertEquals(tree.instances(TABLE).length, 1);
  assertEquals(devices.list(), [
    { mac: PHONE, name: "Mobile", internet: false, storage: true, upKbps: 100, downKbps: 0 },
  ]);
});

Deno.test("rules that the machine refuses are neither kept nor half in force", async () => {
  await using home = await stage();
  const { lan, devices } = home;
  await devices.set(PHONE, { internet: false }, "app");
  const before = devices.list();
  lan.refuses = "bandwidth";
  const error = await assertRejects(
    () => devices.set(PHONE, { storage: false, upKbps: 100 }, "app"),
    ParameterError,
  );
  assertEquals([error.code, error.message], ["apply", "there is no tc"]);
  assertEquals(devices.list(), before);
  assertEquals(lan.access.map(({ internet, storage }) => [internet, storage]), [[false, true]]);
  await assertRejects(() => devices.set("nonsense", { internet: false }, "app"), DriverError);
});

Deno.test("a bandwidth that the machine refuses half-way leaves everybody's as it was", async () => {
  await using home = await stage();
  const { lan, devices, clock } = home;
  await devices.set(PHONE, { internet: false, downKbps: 700 }, "app");
  lan.refuses = "half";
  await assertRejects(() => devices.set(LAPTOP, { upKbps: 100 }, "app"), ParameterError, "line 7");
  assertEquals(lan.bandwidth.map(({ mac, downKbps }) => [mac, downKbps]), [[PHONE, 700]]);
  // Where even that is refused, it is tried until it is not.
  lan.refuses = "bandwidth";
  await assertRejects(() => devices.set(LAPTOP, { upKbps: 100 }, "app"), ParameterError);
  lan.flush();
  await clock.advance(AGAIN_MS);
  lan.refuses = undefined;
  await clock.advance(AGAIN_MS);
  assertEquals([lan.access.length, lan.bandwidth[0]?.downKbps], [1, 700]);
});

Deno.test("rules that somebody flushed are in force again within a minute", async () => {
  await using home = await stage();
  const { lan, devices, clock } = home;
  await devices.set(PHONE, { internet: false, downKbps: 700 }, "app");
  lan.flush();
  await clock.advance(LOOK_MS);
  assertEquals([lan.access.length, lan.bandwidth.length], [1, 1]);
  await devices.set(PHONE, { internet: true, downKbps: 0 }, "app");
  assertEquals(clock.pendingTimers, 0, "without rules nobody looks");
});

Deno.test("rules come back after the firewall was flushed and after the bridge was made anew", {
  ignore: without !== undefined,
}, async () => {
  await using house = await testHome();
  const clock = new FakeClock();
  const lan = new LinuxLan({ clock: systemClock, runner: house.runner, leaseFiles: [] });
  await using tree = await openParameters({ clock, log }, undefined);
  await using devices = new AttachedDevices({ clock, log, lan, tree });
  const { phone } = DEVICE_MACS;
  await devices.set(phone, { internet: false, downKbps: 1_000 }, "app");
  assertEquals(await lan.intact(), true);
  const inGateway = (line: string) => house.in("gateway", ...line.split(" "));
  const restored = async () => {
    assertEquals(await lan.intact(), false);
    await clock.advance(LOOK_MS);
    while (!await lan.intact()) await clock.advance(0); // one program after the other: that takes its time
    await assertRejects(() => house.in("phone", "ping", "-c", "1", "-W", "1", SERVER_ADDRESS));
    assert((await inGateway("tc class show dev br-lan")).includes("rate 1Mbit"));
  };
  await inGateway("nft flush ruleset");
  await house.in("phone", "ping", "-c", "1", "-W", "4", SERVER_ADDRESS);
  await restored();
  await inGateway("ip link del br-lan");
  await inGateway("ip link add br-lan type bridge");
  for (const port of ["lan1", "lan2"]) await inGateway(`ip link set ${port} master br-lan`);
  await inGateway("ip link set br-lan up");
  await inGateway(`ip addr add ${GATEWAY_ADDRESS}/24 dev br-lan`);
  await restored();
});

Deno.test("rules are in force again after a restart", async () => {
  const dataDir = await Deno.makeTempDir();
  {
    await using home = await stage(dataDir);
    await home.devices.set(PHONE, { internet: false, downKbps: 700 }, "app");
  }
  {
    await using home = await stage(dataDir);
    await home.devices.set(LAPTOP, { name: "Laptop" }, "app");
    assertEquals([home.lan.access.length, home.lan.bandwidth[0]?.downKbps], [1, 700]);
  }
  {
    // A machine that has no LAN yet when the gateway starts.
    await using home = await stage(dataDir, "access");
    await home.clock.advance(2 * AGAIN_MS);
    assertEquals(home.lan.access, []);
    home.lan.refuses = undefined;
    await home.clock.advance(AGAIN_MS);
    assertEquals(home.lan.access.length, 1);
    assertEquals(home.clock.pendingTimers, 1, "it looks whether they stay");
  }
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("a machine that can't hold devices to rules is left in peace while there are none", async () => {
  await using home = await stage(undefined, "access");
  await home.clock.advance(2 * AGAIN_MS);
  assertEquals(home.clock.pendingTimers, 0);
});

Deno.test("WLANConfiguration is what the machine has, and writing what is so already disturbs nobody", async () => {
  const clock = new FakeClock();
  await using driver = new SimulatedDriver({ clock, random: seededRandom(1) });
  await using tree = await openParameters({ clock, log }, undefined);
  let changes = 0;
  const { wifi } = driver, configure = wifi.configure.bind(wifi);
  wifi.configure = (index, change) => {
    changes++;
    return configure(index, change);
  };
  await using settings = new WifiSettings({ clock, wifi, tree });
  await settings.networks();
  assertEquals(tree.instances(WLAN), [1, 2, 5]);
  assertEquals((await tree.get(`${WLAN}5.SSID`)).value, "Simulated-5G");
  assertEquals((await tree.get(`${WLAN}2.Status`)).value, "Disabled");
  await tree.set({ [`${WLAN}1.SSID`]: "Simulated", [`${WLAN}1.Channel`]: 6 }, "itms");
  assertEquals(changes, 0);
  await tree.set({ [`${WLAN}1.SSID`]: "Garten", [`${WLAN}1.BeaconType`]: "WPAand11i" }, "itms");
  assertEquals(changes, 1);
  assertEquals((await settings.networks())[0]!.security, "mixed");
  for (
    const [part, value] of [["Channel", 200], ["SSIDAdvertisementEnabled", false], [
      "KeyPassphrase",
      "x",
    ]] as const
  ) {
    const error = await assertRejects(
      () => tree.set({ [`${WLAN}1.${part}`]: value }, "itms"),
      ParameterError,
    );
    assertEquals([part, error.code], [part, "apply"]);
  }
});
