import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock, seededRandom, silentLog as log } from "../../base/mod.ts";
import {
  type DeviceAccess,
  type DeviceBandwidth,
  DriverError,
  type Lan,
  SimulatedDriver,
} from "../driver/mod.ts";
import { openParameters, ParameterError } from "../parameters/mod.ts";
import { AGAIN_MS, AttachedDevices } from "./attached_devices.ts";
import { WifiSettings } from "./wifi_settings.ts";

const TABLE = "InternetGatewayDevice.X_GATEHOUSE_AttachedDevice.";
const WLAN = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.";
const [PHONE, LAPTOP] = ["02:00:00:00:00:11", "02:00:00:00:00:12"] as const;

/** A home network that remembers what it was told last, and refuses where it is to. */
class ToldLan implements Pick<Lan, "setAccess" | "setBandwidth"> {
  access: readonly DeviceAccess[] = [];
  bandwidth: readonly DeviceBandwidth[] = [];
  refuses: "access" | "bandwidth" | undefined;

  setAccess(devices: readonly DeviceAccess[]): Promise<void> {
    if (this.refuses === "access") return Promise.reject(new DriverError("unsupported", "there is no nft"));
    this.access = devices;
    return Promise.resolve();
  }

  setBandwidth(devices: readonly DeviceBandwidth[]): Promise<void> {
    if (this.refuses === "bandwidth") return Promise.reject(new DriverError("unsupported", "there is no tc"));
    this.bandwidth = devices;
    return Promise.resolve();
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
    assertEquals(home.clock.pendingTimers, 0);
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
