import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock, seededRandom, silentLog } from "../../base/mod.ts";
import { DriverError, SimulatedDriver } from "../driver/mod.ts";
import { openParameters, ParameterError } from "../parameters/mod.ts";
import { DnsRedirect } from "./dns_redirect.ts";
import { House } from "./mod.ts";
import { ACTION_DELAY_MS, PowerActions } from "./power_actions.ts";
import { AGAIN_MS } from "./until_done.ts";

const noon = Date.UTC(2026, 10, 2, 12);
const PATH = "InternetGatewayDevice.X_GATEHOUSE_DNSRedirect.";
const DNS = "InternetGatewayDevice.LANDevice.1.LANHostConfigManagement.DNSServers";

/** A house on a folder; another one on the same folder is the same house after a restart, on another machine. */
async function open(folder: string, clock: FakeClock, radioOn = true) {
  const driver = new SimulatedDriver({ clock, random: seededRandom(1) });
  await driver.wifi.setRadio(radioOn);
  const tree = await openParameters({ clock, log: silentLog }, folder);
  const house = new House({ clock, log: silentLog, driver, tree, dataDir: folder, zone: () => 0 });
  return {
    driver,
    tree,
    house,
    [Symbol.asyncDispose]: async () => {
      await house[Symbol.asyncDispose]();
      await tree[Symbol.asyncDispose]();
      await driver[Symbol.asyncDispose]();
    },
  };
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const settled = async (what: () => boolean | Promise<boolean>) => {
  while (!await what()) await new Promise((resolve) => setTimeout(resolve, 5));
};
const look = (driver: SimulatedDriver, name: string) => driver.diagnosis.lookup(name, "A");

Deno.test("timer, name, name servers and redirections are in force again after a restart", () =>
  inFolder(async (folder) => {
    const clock = new FakeClock(noon);
    {
      await using first = await open(folder, clock);
      const { house } = first;
      await house.rename("cellar", "app");
      await house.nameServers.set(["198.51.100.1"], "app");
      await house.redirect.set([{ name: "a.example", address: "203.0.113.1" }], "http://l.example/", "app");
      await house.ledTimer.set({ enabled: true, start: "20:00", end: "06:00", cycle: "DAY" }, "app");
    }
    await using second = await open(folder, clock);
    const { house, driver } = second;
    assertEquals(await house.name(), "cellar");
    await settled(async () => (await driver.dns.servers())[0] === "198.51.100.1");
    await settled(async () => (await look(driver, "x.a.example"))[0] === "203.0.113.1");
    await settled(async () => !(await driver.service.status()).led);
    const nine = Date.UTC(2026, 10, 2, 21);
    await clock.advance(nine - clock.now());
    await settled(async () => (await driver.service.status()).led === true);
  }));

Deno.test("WiFi that its timer held off is on the air again where a kill came between the timer's end and the radio", () =>
  inFolder(async (folder) => {
    const clock = new FakeClock(Date.UTC(2026, 10, 2, 23)),
      timer = "InternetGatewayDevice.X_GATEHOUSE_WiFiTimer.";
    {
      await using first = await open(folder, clock);
      await first.house.wifiTimer.setWindow(
        { enabled: true, start: "08:00", end: "22:00", cycle: "DAY" },
        "app",
      );
      assertEquals(await first.driver.wifi.radioOn(), false);
    }
    {
      // What is left of a life that removed the timer and did no more.
      await using tree = await openParameters({ clock, log: silentLog }, folder);
      await tree.set({ [`${timer}Enable`]: false }, "app");
    }
    await using third = await open(folder, clock, false);
    await settled(() => third.driver.wifi.radioOn());
    await settled(() =>
      third.tree.peek("InternetGatewayDevice.X_GATEHOUSE_TimerState.WiFiHeldOff") === false
    );
  }));

Deno.test("days that are none are refused, not acknowledged and left without effect", () =>
  inFolder(async (folder) => {
    await using test = await open(folder, new FakeClock(noon));
    for (const timer of ["WiFiTimer", "LEDTimer"]) {
      const name = `InternetGatewayDevice.X_GATEHOUSE_${timer}.ControlCycle`;
      for (const bad of ["Mondays", "8", "1,", "1,2,3,4,5,6,7,1"]) {
        await assertRejects(() => test.tree.set({ [name]: bad }, "app"), ParameterError, "DAY", bad);
      }
      for (const good of ["DAY", "day", "", "1,7"]) await test.tree.set({ [name]: good }, "app");
    }
  }));

Deno.test("whoever changes the rules in the tree changes what is in force", () =>
  inFolder(async (folder) => {
    await using test = await open(folder, new FakeClock(noon));
    const { house, driver, tree } = test;
    await house.redirect.set(
      [{ name: "a.example", address: "203.0.113.1" }, { name: "b.example", address: "203.0.113.2" }],
      "",
      "app",
    );
    await house.redirect.set([{ name: "c.example", address: "203.0.113.3" }], "", "app");
    assertEquals(tree.instances(`${PATH}Rule.`), [1], "fewer than before: the rest is gone");
    assertEquals(await look(driver, "b.example"), ["192.0.2.9"]);
    await tree.set({ [`${PATH}Rule.1.Address`]: "203.0.113.9" }, "app");
    await settled(async () => (await look(driver, "c.example"))[0] === "203.0.113.9");
    await assertRejects(() => tree.set({ [`${PATH}Enable`]: false }, "itms"), ParameterError);
    await tree.set({ [`${PATH}Enable`]: false }, "app");
    await settled(async () => (await look(driver, "c.example"))[0] === "192.0.2.9");
  }));

Deno.test("rules that the machine refuses are not written down, and those that can't be are not in force", () =>
  inFolder(async (folder) => {
    await using test = await open(folder, new FakeClock(noon));
    const { house, driver, tree } = test;
    const good = { name: "a.example", address: "203.0.113.1" };
    await house.redirect.set([good], "", "app");
    await assertRejects(() => house.redirect.set([{ name: "a b", address: "203.0.113.1" }], "", "app"));
    // The management system may not write what is the app platform's alone (reference §9).
    await assertRejects(() =>
      house.redirect.set([{ name: "z.example", address: "203.0.113.7" }], "", "itms")
    );
    assertEquals(await look(driver, "z.example"), ["192.0.2.9"]);
    assertEquals(await look(driver, "a.example"), ["203.0.113.1"]);
    assertEquals(house.redirect.get(), [good]);
    assertEquals(tree.peek(`${PATH}Rule.1.Domain`), "a.example");
  }));

Deno.test("a redirection that the machine refuses is not acknowledged, whoever writes it, and one of before is tried again", () =>
  inFolder(async (folder) => {
    const clock = new FakeClock(noon), rule = { name: "a.example", address: "203.0.113.1" };
    {
      await using test = await open(folder, clock);
      const { house, driver, tree } = test;
      await house.redirect.set([rule], "http://l.example/", "app");
      const { redirect } = driver.dns;
      driver.dns.redirect = () => Promise.reject(new DriverError("failed", "dnsmasq did not start"));
      const error = await assertRejects(
        () => tree.set({ [`${PATH}Rule.1.Address`]: "203.0.113.2" }, "app"),
        ParameterError,
        "dnsmasq did not start",
      );
      assertEquals([error.code, tree.peek(`${PATH}Rule.1.Address`)], ["apply", "203.0.113.1"]);
      await tree.set({ [`${PATH}URL`]: "http://m.example/" }, "app"); // no matter of the machine's
      driver.dns.redirect = redirect.bind(driver.dns);
      await tree.set({ [`${PATH}Rule.1.Address`]: "203.0.113.1" }, "app");
    }
    const driver = new SimulatedDriver({ clock, random: seededRandom(1) });
    await using tree = await openParameters({ clock, log: silentLog }, folder);
    const { redirect } = driver.dns;
    let tries = 0;
    driver.dns.redirect = () => (tries++, Promise.reject(new DriverError("failed", "no dnsmasq yet")));
    await using redirection = new DnsRedirect({ clock, log: silentLog, dns: driver.dns, tree });
    await clock.advance(AGAIN_MS);
    assertEquals([tries, redirection.get()], [2, [rule]]);
    driver.dns.redirect = redirect.bind(driver.dns);
    await clock.advance(AGAIN_MS);
    assertEquals(await look(driver, "a.example"), ["203.0.113.1"]);
    assertEquals(clock.pendingTimers, 0);
    await driver[Symbol.asyncDispose]();
  }));

Deno.test("of name servers the last writer wins, and what the machine refuses is not kept", () =>
  inFolder(async (folder) => {
    await using test = await open(folder, new FakeClock(noon));
    const { house, driver, tree } = test;
    await tree.set({ [DNS]: "198.51.100.7" }, "itms");
    assertEquals(await driver.dns.servers(), ["198.51.100.7"]);
    await house.nameServers.set(["198.51.100.8"], "app");
    assertEquals((await tree.get(DNS)).value, "198.51.100.8");
    await assertRejects(() => tree.set({ [DNS]: "not an address" }, "itms"), ParameterError);
    assertEquals(await driver.dns.servers(), ["198.51.100.8"]);
    assertEquals(tree.stamp(DNS)?.source, "app");
  }));

Deno.test("a recovery that somebody here asks for is told before anything is restored, the platform's own is not", async () => {
  const clock = new FakeClock(noon), did: string[] = [];
  let refuses = false;
  await using power = new PowerActions({
    clock,
    log: silentLog,
    power: {
      check: () => {},
      recover: () => Promise.resolve(void did.push("machine")),
    } as unknown as SimulatedDriver["power"],
    restore: () =>
      refuses ? Promise.reject(new Error("no dnsmasq")) : Promise.resolve(did.push("parameters")),
    onRecovery: (by) => Promise.resolve(void did.push(`told: ${by}`)),
  });
  for (const by of ["local", undefined]) {
    power.recover(by);
    await clock.advance(ACTION_DELAY_MS);
  }
  assertEquals(did, ["told: local", "parameters", "machine", "parameters", "machine"]);
  refuses = true;
  power.recover(undefined);
  await clock.advance(ACTION_DELAY_MS);
  assertEquals(did.slice(5), ["machine"], "what can't be restored does not keep the machine from recovering");
});

Deno.test("what was about to be done is not done when the gateway stops", () =>
  inFolder(async (folder) => {
    const clock = new FakeClock(noon);
    {
      await using test = await open(folder, clock);
      await clock.advance(10_000);
      test.house.power.reboot();
      test.house.sleep.set({ asleep: true, minutes: 1 });
      await test.house[Symbol.asyncDispose]();
      await clock.advance(600_000);
      assertEquals((await test.driver.info()).uptimeSeconds, 610);
      assertEquals((await test.driver.service.status()).sleep, false);
    }
  }));
