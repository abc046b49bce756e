import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { systemClock } from "../../../base/mod.ts";
import { DriverError } from "../errors.ts";
import { SystemRunner } from "../linux/run.ts";
import { LinuxWifi } from "./linux.ts";
import { OpenWrt } from "../linux/openwrt.ts";
import { parseUci, uciSecurity } from "./uci.ts";

const WIRELESS = `wireless.radio0=wifi-device
wireless.radio0.type='mac80211'
wireless.radio0.channel='6'
wireless.radio0.band='2g'
wireless.cfg033579=wifi-iface
wireless.cfg033579.device='radio0'
wireless.cfg033579.mode='ap'
wireless.cfg033579.network='lan'
wireless.cfg033579.ssid='It'\\''s home'
wireless.cfg033579.encryption='psk2+ccmp'
wireless.cfg033579.key='secret123'
wireless.uplink=wifi-iface
wireless.uplink.device='radio0'
wireless.uplink.mode='sta'
wireless.radio1=wifi-device
wireless.radio1.band='5g'
wireless.radio1.channel='auto'
wireless.guests=wifi-iface
wireless.guests.device='radio1'
wireless.guests.mode='ap'
wireless.guests.ssid='Guests'
wireless.guests.encryption='none'
wireless.guests.disabled='1'
`;
const STATUS = {
  radio0: { up: true, interfaces: [{ section: "cfg033579", ifname: "phy0-ap0", config: { mode: "ap" } }] },
  radio1: { up: false },
};
const STATION = "02:00:00:00:00:aa\nflags=[AUTH][ASSOC][AUTHORIZED]\nsignal=-60\n";

/**
 * Stand-ins for the programs of OpenWrt, which say what its own say and write down what they were told: this is no
 * OpenWrt, and what it would do is not tried here.
 */
async function openWrt() {
  const folder = await Deno.makeTempDir(), told = `${folder}/told`;
  const program = async (name: string, script: string) => {
    const path = `${folder}/${name}`;
    await Deno.writeTextFile(path, `#!/bin/sh\nprintf '%s\\n' "${name} $*" >> ${told}\n${script}\n`, {
      mode: 0o755,
    });
    return path;
  };
  await Deno.writeTextFile(`${folder}/wireless`, WIRELESS);
  await Deno.writeTextFile(`${folder}/status`, JSON.stringify(STATUS));
  const paths = {
    uci: await program(
      "uci",
      `case "$*" in "-X show wireless") cat ${folder}/wireless;; *) cat >> ${told};; esac`,
    ),
    ubus: await program(
      "ubus",
      `case "$*" in *"interface dump"*) echo '{"interface":[]}';; *status*) cat ${folder}/status;; esac`,
    ),
    iw: await program("iw", "exit 1"),
  };
  const runner = new SystemRunner({ clock: systemClock, paths });
  const wifi = new LinuxWifi({
    clock: systemClock,
    runner,
    openWrt: new OpenWrt(runner),
    control: (path, command) =>
      Promise.resolve(path === "/var/run/hostapd/phy0-ap0" && command === "STA-FIRST" ? STATION : ""),
  });
  return {
    wifi,
    told: async () => {
      const text = await Deno.readTextFile(told);
      await Deno.remove(told);
      return text.split("\n").filter((line) => line !== "" && !/show wireless|dump|status|^iw/.test(line));
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

Deno.test("networks of OpenWrt are its access points, by band", async () => {
  await using box = await openWrt();
  assertEquals(await box.wifi.networks(), [
    {
      index: 1,
      interface: "phy0-ap0",
      ssid: "It's home",
      enabled: true,
      onAir: true,
      security: "wpa2",
      password: "secret123",
      channel: 6,
    },
    {
      index: 5,
      interface: "guests",
      ssid: "Guests",
      enabled: false,
      onAir: false,
      security: "open",
      password: "",
      channel: 0,
    },
  ]);
  assertEquals(await box.wifi.stations(), [{ mac: "02:00:00:00:00:AA", index: 1, signalDbm: -60 }]);
  assertEquals(await box.wifi.radioOn(), true);
});

Deno.test("changes go to OpenWrt's settings by standard input, and into force by its network manager", async () => {
  await using box = await openWrt();
  await box.wifi.configure(1, { ssid: "Garten", security: "mixed", password: "next password", channel: 0 });
  assertEquals(await box.told(), [
    "uci -q batch",
    "set wireless.cfg033579.ssid='Garten'",
    "set wireless.cfg033579.encryption='psk-mixed'",
    "set wireless.cfg033579.key='next password'",
    "set wireless.radio0.channel='auto'",
    "commit wireless",
    "ubus call network reload",
  ]);
  await box.wifi.configure(5, { enabled: true });
  assert((await box.told()).includes("set wireless.guests.disabled='0'"));
  await box.wifi.setRadio(false);
  assertEquals(await box.told(), [
    'ubus call network.wireless down {"device":"radio0"}',
    'ubus call network.wireless down {"device":"radio1"}',
  ]);
});

Deno.test("a radio that is held off stays off while its networks are changed", async () => {
  await using box = await openWrt();
  await box.wifi.setRadio(false);
  await box.told();
  await box.wifi.configure(1, { ssid: "Garten" });
  assertEquals((await box.told()).slice(-3), [
    "ubus call network reload",
    'ubus call network.wireless down {"device":"radio0"}',
    'ubus call network.wireless down {"device":"radio1"}',
  ]);
  await box.wifi.setRadio(true);
  await box.told();
  await box.wifi.configure(1, { ssid: "Hof" });
  assertEquals((await box.told()).at(-1), "ubus call network reload");
});

Deno.test("what can't be said to OpenWrt is refused before anything is changed", async () => {
  await using box = await openWrt();
  await box.wifi.networks();
  await box.told();
  for (const change of [{ ssid: "a'b" }, { password: "short" }, { channel: 36 }]) {
    assertEquals((await assertRejects(() => box.wifi.configure(1, change), DriverError)).code, "invalid");
  }
  assertEquals(
    (await assertRejects(() => box.wifi.configure(1, { powerPercent: 60 }), DriverError)).code,
    "failed",
  );
  assertMatch((await assertRejects(() => box.wifi.startWps(5, 10), DriverError)).message, /not on the air/);
  assertEquals(await box.told(), []);
});

Deno.test("uci's output is read with its quotes, and encryption by its kind", () => {
  const [, section] = parseUci(WIRELESS);
  assertEquals([section!.name, section!.type, section!.options.get("ssid")], [
    "cfg033579",
    "wifi-iface",
    "It's home",
  ]);
  assertEquals(parseUci("nonsense\nwireless.x.y='1'\n"), []);
  const kinds = [undefined, "none", "wep-open", "psk", "psk2+ccmp", "psk-mixed", "sae", "sae-mixed"];
  assertEquals(kinds.map(uciSecurity), ["open", "open", "wep", "wpa", "wpa2", "mixed", undefined, undefined]);
});
