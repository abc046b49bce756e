import { assertEquals, assertThrows } from "@std/assert";
import { DEFAULT_SMS_SETTINGS } from "../platform/sms/mod.ts";
import { UsageError } from "./errors.ts";
import { Settings } from "./resolve.ts";
import { gatewaySettings, platformSettings } from "./role_settings.ts";
import { GATEWAY_SETTINGS, PLATFORM_SETTINGS } from "./settings_table.ts";

const interfaces = () => [
  { family: "IPv4", address: "127.0.0.1" } as const,
  { family: "IPv6", address: "fe80::1" } as const,
  { family: "IPv4", address: "169.254.1.1" } as const,
  { family: "IPv4", address: "192.0.2.2" } as const,
  { family: "IPv6", address: "2001:db8::2" } as const,
];

function platform(flags: Record<string, string>, of: typeof interfaces = interfaces) {
  const settings = new Settings({ flags: new Map(Object.entries(flags)), env: () => undefined });
  return platformSettings(settings.all("platform", PLATFORM_SETTINGS), of);
}

Deno.test("a platform advertises what it is told, else where it listens, else this machine's first address", () => {
  assertEquals(platform({ advertise: "gate.example.net" }).advertise, "gate.example.net");
  assertEquals(platform({ access: "10.1.2.3:1" }).advertise, "10.1.2.3");
  assertEquals(platform({}).advertise, "192.0.2.2");
  assertEquals(platform({ access: "[::]:1" }).advertise, "2001:db8::2");
  assertEquals(platform({}, () => []).advertise, "127.0.0.1");
});

Deno.test("every setting of the gateway reaches it", () => {
  const flags = {
    "data": "/d",
    "mgt-url": "m.example.net",
    "port": "1",
    "mac": "64D95420214B",
    "sn": "64D954-1",
    "loid": "L",
    "vendor": "V",
    "model": "M",
    "firmware-ver": "F",
    "hardware-ver": "H",
    "card": "C",
    "local": "127.0.0.1:2",
    "local-http": "127.0.0.1:4",
    "start-spread": "60",
    "lan-interfaces": "br-lan",
    "control": "127.0.0.1:3",
    "tls-cert": "/c.pem",
    "tls-key": "/k.pem",
    "plugins": "/p",
    "max-plugins": "7",
    "keep-versions": "1",
    "isolation": "inline",
    "driver": "simulated",
    "seed": "5",
    "reboot-command": "reboot -f",
    "hostapd": "/etc/hostapd/home.conf",
    "dnsmasq-dir": "/etc/dnsmasq.d",
    "require-signed": "carrier",
    "passwords": "/w",
  };
  const settings = new Settings({ flags: new Map(Object.entries(flags)), env: () => undefined });
  assertEquals(gatewaySettings(settings.all("gateway", GATEWAY_SETTINGS)), {
    dataDir: "/d",
    mgtUrl: "m.example.net",
    port: 1,
    mac: "64D95420214B",
    sn: "64D954-1",
    loid: "L",
    vendor: "V",
    model: "M",
    firmwareVer: "F",
    hardwareVer: "H",
    card: "C",
    local: { host: "127.0.0.1", port: 2 },
    lanInterfaces: ["br-lan"],
    localHttp: { host: "127.0.0.1", port: 4 },
    startSpreadSeconds: 60,
    control: { host: "127.0.0.1", port: 3 },
    tls: { cert: "/c.pem", key: "/k.pem" },
    pluginsDir: "/p",
    maxPlugins: 7,
    keepVersions: 1,
    isolation: "inline",
    driver: "simulated",
    seed: 5,
    machine: {
      commands: { reboot: ["reboot", "-f"], recover: undefined, upgrade: undefined },
      vendorCommand: undefined,
      wanInterfaces: undefined,
      hostapdFiles: ["/etc/hostapd/home.conf"],
      dnsmasq: { dir: "/etc/dnsmasq.d", reload: ["systemctl", "restart", "dnsmasq"] },
    },
    requireSigned: "carrier",
    adminToken: undefined,
    passwordsFile: "/w",
  });
});

Deno.test("a certificate without its key, or a key without its certificate, is refused", () => {
  for (const flag of ["tls-cert", "tls-key"]) {
    const settings = new Settings({ flags: new Map([[flag, "/x.pem"]]), env: () => undefined });
    const values = settings.all("platform", PLATFORM_SETTINGS);
    assertThrows(() => platformSettings(values, () => []), UsageError, `--${flag} needs --tls-`);
  }
});

Deno.test("what is tuned of short messages reaches the service, and is the service's own default where nobody says", () => {
  const tuned = platform({
    "sms-active-test": "30",
    "sms-response": "10",
    "sms-attempts": "5",
    "sms-validity": "12",
    "sms-days": "7",
    "sms-backlog": "500",
    "sms-durable": "no",
    "sms-zone": "-03:30",
    "sms-billing": "139,1380013",
    "gns-updates": "no",
  }).sms!;
  const names = [
    "activeTestMs",
    "responseMs",
    "attempts",
    "validityMs",
    "retentionMs",
    "maxBacklog",
    "durable",
    "utcOffsetMinutes",
    "billing",
  ] as const;
  assertEquals(
    names.map((name) => tuned[name]),
    [30_000, 10_000, 5, 12 * 3_600_000, 7 * 86_400_000, 500, false, -210, ["139", "1380013"]],
  );
  assertEquals(tuned.gnsTakesUpdates, false);
  const plain = platform({}).sms!;
  assertEquals(names.map((name) => plain[name]), names.map((name) => DEFAULT_SMS_SETTINGS[name]));
  for (
    const [flag, value] of [
      ["sms-active-test", "0"],
      ["sms-response", "601"],
      ["sms-attempts", "0"],
      ["sms-validity", "721"],
      ["sms-days", "0"],
      ["sms-backlog", "0"],
      ["sms-durable", "maybe"],
      ["sms-zone", "Beijing"],
    ] as const
  ) assertThrows(() => platform({ [flag]: value }), UsageError, `--${flag}`);
});

Deno.test("the ports of short messages are the standard's where nobody says: 7890, 7900, 7930 and 9168", () => {
  const { listen, short, peer, gns } = platform({}).sms!;
  assertEquals([listen, short, peer, gns].map((address) => address?.port), [7890, 7900, 7930, 9168]);
});
