import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { FakeClock, systemClock } from "../../../base/mod.ts";
import { DriverError } from "../errors.ts";
import { HostapdWifi } from "./hostapd.ts";
import { changedConf, parseConf, passwordOf, securityOf, securitySettings } from "./hostapd_conf.ts";
import { type Control, hostapdControl, parseFields, parseStation, parseWps } from "./hostapd_control.ts";
import { levelOf, mbmOf, parseIwInfo, parseMostDbm } from "./power.ts";
import { type TestHostapd, testHostapd, withoutHostapd } from "./testing.ts";
import { WIFI_SECURITY } from "./wifi.ts";

const without = await withoutHostapd();
// deno-lint-ignore no-console -- says why tests are ignored
if (without !== undefined) console.error(`tests with a real hostapd are left out: ${without}`);

const onHostapd = (
  name: string,
  fn: (wifi: HostapdWifi, ap: TestHostapd, ask: (command: string) => Promise<string>) => Promise<void>,
) =>
  Deno.test({
    name,
    ignore: without !== undefined,
    async fn() {
      await using ap = await testHostapd();
      const control = hostapdControl(systemClock);
      using wifi = new HostapdWifi({ clock: systemClock, runner: ap.runner(), files: [ap.conf] });
      await fn(wifi, ap, (command) => control(`${ap.controlDir}/wlan0`, command));
    },
  });

onHostapd(
  "a network of hostapd is read from its file, and whether it is on the air from hostapd itself",
  async (wifi) => {
    assertEquals(await wifi.networks(), [{
      index: 1,
      interface: "wlan0",
      ssid: "Home",
      enabled: true,
      onAir: true,
      security: "wpa2",
      password: "secret123",
      channel: 6,
    }]);
    assertEquals(await wifi.radioOn(), true);
    assertEquals(await wifi.stations(), []);
    assert((await wifi.traffic(1)).sentBytes >= 0);
  },
);

onHostapd(
  "a change is in force in the running hostapd, and in its file for the next one",
  async (wifi, ap, ask) => {
    const password = 'a "quoted"  pass\\word';
    await wifi.configure(1, { ssid: "Möbelhaus  5", security: "mixed", password, channel: 11 });
    const now = parseFields(await ask("GET_CONFIG"));
    assertEquals([now.get("wpa"), now.get("group_cipher")], ["3", "TKIP"]);
    assert(now.get("ssid")!.endsWith("belhaus  5"));
    assertEquals(parseFields(await ask("STATUS")).get("channel"), "11");
    const [network] = await wifi.networks();
    assertEquals(
      [network!.ssid, network!.security, network!.password, network!.channel, network!.onAir],
      ["Möbelhaus  5", "mixed", password, 11, true],
    );
    const text = await Deno.readTextFile(ap.conf);
    assert(text.startsWith("# A home.\n") && text.includes("\nwps_state=2\n"), "the rest stays");
    assertEquals((await Deno.stat(ap.conf)).mode! & 0o777, 0o640);

    await wifi.configure(1, { security: "open" });
    assertEquals((await wifi.networks())[0]!.security, "open");
    assert(!(await ask("GET_CONFIG")).includes("key_mgmt"));
    await wifi.configure(1, { security: "wpa2", password: "0123456789abcdef".repeat(4) });
    assertEquals(parseFields(await ask("GET_CONFIG")).get("psk"), "0123456789abcdef".repeat(4));
  },
);

onHostapd(
  "what hostapd does not take changes nothing, neither there nor in the file",
  async (wifi, ap, ask) => {
    const file = await Deno.readTextFile(ap.conf), before = await ask("GET_CONFIG");
    for (
      const change of [
        { ssid: "" },
        { ssid: "x".repeat(33) },
        { ssid: "a\nwpa=0" },
        { password: "short" },
        { password: "ümlaut123" },
        { password: "12345678\nwpa=0" },
        { channel: 36 },
        { powerPercent: 50 },
      ]
    ) {
      const error = await assertRejects(() => wifi.configure(1, change), DriverError);
      assertEquals(error.code, "invalid");
      assert(!error.message.includes("ümlaut"));
    }
    await assertRejects(() => wifi.configure(2, { ssid: "Other" }), DriverError, "index 2");
    // One that says no in the middle of a change.
    const control = hostapdControl(systemClock);
    using stubborn = new HostapdWifi({
      clock: systemClock,
      runner: ap.runner(),
      files: [ap.conf],
      control: (path, command) =>
        command.includes("other123") ? Promise.resolve("FAIL\n") : control(path, command),
    });
    const error = await assertRejects(
      () => stubborn.configure(1, { ssid: "Other", password: "other123" }),
      DriverError,
    );
    assertEquals([error.code, error.message], ["failed", "hostapd does not take this wpa_passphrase"]);
    assertEquals(await Deno.readTextFile(ap.conf), file);
    assertEquals(await ask("GET_CONFIG"), before);
  },
);

onHostapd(
  "a network that is switched off stays off when the radio comes back, and over a restart",
  async (wifi, ap, ask) => {
    const state = async () => parseFields(await ask("STATUS")).get("state");
    await wifi.setRadio(false);
    assertEquals([await state(), await wifi.radioOn(), (await wifi.networks())[0]!.enabled], [
      "DISABLED",
      false,
      true,
    ]);
    await wifi.setRadio(true);
    assertEquals([await state(), await wifi.radioOn()], ["ENABLED", true]);
    await wifi.configure(1, { enabled: false });
    assertEquals(await state(), "DISABLED");
    await wifi.setRadio(true);
    assertEquals(await state(), "DISABLED");
    using again = new HostapdWifi({ clock: systemClock, runner: ap.runner(), files: [ap.conf] });
    assertEquals((await again.networks())[0]!.enabled, false);
    await again.configure(1, { enabled: true });
    assertEquals([await state(), (await again.networks())[0]!.onAir], ["ENABLED", true]);
  },
);

onHostapd("joining by button begins, is told, and ends by hand or with its time", async (_, ap) => {
  const clock = new FakeClock();
  // Only hostapd's own socket needs real time.
  using wifi = new HostapdWifi({
    clock,
    runner: ap.runner(),
    files: [ap.conf],
    control: hostapdControl(systemClock),
  });
  assertEquals(await wifi.wps(), { state: "idle" });
  await wifi.startWps(1, 60);
  assertEquals((await wifi.wps()).state, "active");
  await wifi.stopWps();
  assertEquals((await wifi.wps()).state === "active", false);
  await wifi.startWps(1, 60);
  await clock.advance(60_000);
  while ((await wifi.wps()).state === "active") await clock.advance(1);
  await assertRejects(() => wifi.startWps(1, 121), DriverError, "1 to 120");
});

Deno.test("where no hostapd is configured, or none runs, that is the reason", async () => {
  const runner = { run: () => Promise.reject(new Error("no program")) } as never;
  using none = new HostapdWifi({ clock: systemClock, runner, files: ["/nonexistent/"] });
  assertEquals((await assertRejects(() => none.networks(), DriverError)).code, "unsupported");
  const conf = await Deno.makeTempFile({ suffix: ".conf" });
  await Deno.writeTextFile(conf, "interface=wlan0\nctrl_interface=/nonexistent\nssid=x\n");
  using silent = new HostapdWifi({ clock: systemClock, runner, files: [conf] });
  const error = await assertRejects(() => silent.wps(), DriverError);
  assertEquals([error.code, error.message], ["unsupported", "hostapd does not run for wlan0"]);
  await Deno.remove(conf);
});

/** What hostapd answers about two stations, one of which is not let in yet, in the words of its documentation. */
const STATION = (mac: string, flags: string) =>
  `${mac}\nflags=${flags}\naid=1\ncapability=0x431\nlisten_interval=10\nsupported_rates=82 84 8b 96\n` +
  `dot11RSNAStatsSTAAddress=${mac}\nrx_packets=155\ntx_packets=97\nrx_bytes=16400\ntx_bytes=21600\n` +
  `inactive_msec=3000\nsignal=-52\nrx_rate_info=540\nconnected_time=123\n`;

Deno.test("an answer counts only from hostapd's own socket", async () => {
  const folder = await Deno.makeTempDir();
  const listen = (name: string) =>
    Deno.listenDatagram({ transport: "unixpacket", path: `${folder}/${name}` });
  const hostapd = listen("wlan0"), liar = listen("liar");
  const asked = hostapdControl(systemClock)(`${folder}/wlan0`, "PING");
  const [question, from] = await hostapd.receive();
  await liar.send(new TextEncoder().encode("LIE"), from);
  await hostapd.send(new TextEncoder().encode("PONG"), from);
  assertEquals([new TextDecoder().decode(question), await asked], ["PING", "PONG"]);
  hostapd.close();
  liar.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a hostapd that does not answer is given up", async () => {
  const folder = await Deno.makeTempDir(), clock = new FakeClock();
  const silent = Deno.listenDatagram({ transport: "unixpacket", path: `${folder}/wlan0` });
  const asked = assertRejects(
    () => hostapdControl(clock)(`${folder}/wlan0`, "PING"),
    DriverError,
    "did not answer PING",
  );
  await silent.receive();
  await clock.advance(10_000);
  assertEquals((await asked).code, "failed");
  silent.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("stations are those that hostapd has let in, on all networks of all bands", async () => {
  const [phone, guest] = ["02:00:00:00:00:aa", "02:00:00:00:00:bb"];
  const control: Control = (path, command) => {
    const answers: Record<string, string> = {
      "/run/a/wlan0 STA-FIRST": STATION(phone!, "[AUTH][ASSOC][AUTHORIZED]"),
      [`/run/a/wlan0 STA-NEXT ${phone}`]: STATION(guest!, "[AUTH][ASSOC]"),
      "/run/b/wlan1 STA-FIRST": "FAIL\n",
      "/run/b/guest STA-FIRST": STATION(guest!, "[AUTH][ASSOC][AUTHORIZED][WMM]"),
    };
    return Promise.resolve(answers[`${path} ${command}`] ?? "");
  };
  const folder = `${await Deno.makeTempDir()}/`;
  await Deno.writeTextFile(
    `${folder}a.conf`,
    "interface=wlan0\nhw_mode=g\nctrl_interface=DIR=/run/a GROUP=x\n",
  );
  await Deno.writeTextFile(
    `${folder}b.conf`,
    "interface=wlan1\nhw_mode=a\nctrl_interface=/run/b\nbss=guest\nssid=Guests\n",
  );
  using wifi = new HostapdWifi({ clock: systemClock, runner: {} as never, files: [folder], control });
  const known = { signalDbm: -52, connectedSeconds: 123, receivedBytes: 16400, sentBytes: 21600 };
  assertEquals(await wifi.stations(), [
    { mac: phone!.toUpperCase(), index: 1, ...known },
    { mac: guest!.toUpperCase(), index: 6, ...known },
  ]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("what hostapd says of joining by button is understood", () => {
  assertEquals(parseWps("PBC Status: Disabled\nLast WPS result: None\n"), { state: "idle" });
  assertEquals(
    parseWps("PBC Status: Disabled\nLast WPS result: Success\nPeer Address: 02:00:00:00:00:aa\n"),
    {
      state: "success",
      peer: "02:00:00:00:00:AA",
    },
  );
  assertEquals(parseWps("PBC Status: Timed-out\nLast WPS result: None\n").state, "timeout");
  assertEquals(parseWps("PBC Status: Overlap\nLast WPS result: Failed\n").state, "overlap");
  assertEquals(parseStation("garbage", 1), undefined);
});

Deno.test("a file of hostapd's is changed in its lines alone, whatever is in it", () => {
  const file = "# x\ninterface=wlan0\nssid=a\nssid=b\nwpa=2\n\n# guests\nbss=guest\nssid=c\nwpa=0\n";
  const conf = parseConf(file)!;
  assertEquals(conf.networks.map(({ settings }) => settings.get("ssid")), ["b", "c"]);
  assertEquals(
    changedConf(conf, 0, new Map([["ssid", "z"], ["wpa", undefined], ["channel", "1"]])),
    "# x\ninterface=wlan0\nssid=z\n\n# guests\nchannel=1\nbss=guest\nssid=c\nwpa=0\n",
  );
  assertEquals(changedConf(conf, 1, new Map()), file);
  const security = fc.constantFrom(...WIFI_SECURITY), password = fc.stringMatching(/^[\x20-\x7e]{13}$/);
  fc.assert(fc.property(fc.constantFrom(0, 1), security, password, security, (at, first, secret, second) => {
    const once = parseConf(changedConf(conf, at, securitySettings(first, secret)))!;
    const twice = parseConf(changedConf(once, at, securitySettings(second, secret)))!;
    assertEquals(securityOf(twice.networks[at]!.settings), second);
    assertEquals(passwordOf(twice.networks[at]!.settings), second === "open" ? "" : secret);
    assertEquals(twice.networks[1 - at]!.settings, conf.networks[1 - at]!.settings);
  }));
  assertEquals(parseConf("ssid=x\n"), undefined);
});

Deno.test("power is told in the levels of apps, and set in what iw takes", () => {
  const info = parseIwInfo(
    "Interface wlan0\n\tifindex 3\n\twdev 0x1\n\taddr 02:00:00:00:00:01\n\tssid Home\n\ttype AP\n\twiphy 0\n" +
      "\tchannel 6 (2437 MHz), width: 20 MHz, center1: 2437 MHz\n\ttxpower 17.80 dBm\n",
  );
  assertEquals(info, { wiphy: 0, mhz: 2437, channel: 6, dbm: 17.8 });
  const phy =
    "\t\tFrequencies:\n\t\t\t* 2412 MHz [1] (30.0 dBm)\n\t\t\t* 2437 MHz [6] (20.0 dBm)\n\t\t\t* 2484 MHz [14] (disabled)\n";
  assertEquals([parseMostDbm(phy, 2437), parseMostDbm(phy, 2484)], [20, undefined]);
  assertEquals(levelOf(17.8, 20), 60);
  for (const level of [100, 80, 60, 30, 20]) assertEquals(levelOf(mbmOf(level, 20) / 100, 20), level);
});
