// A plug-in of the first date of the host API. Never changed: what it asks and gets today it asks and gets for ever.
const NAME = "InternetGatewayDevice.X_CT-COM_Mgt.Heartbeat";
const MAC = "AABBCCDDEEFF";

export const manifest = {
  name: "com.example.frozen",
  version: "1.0",
  apiVersion: "2026-11-01",
  description: "uses what a gateway gave on that date",
  commands: { ALL: { right: "both" } },
  capabilities: [
    "device.identity",
    "device.name",
    "device.password",
    "dns.read",
    "dns.write",
    "lan.read",
    "lan.write",
    "network.dns",
    "network.download",
    "network.http",
    "network.inform",
    "network.ping",
    "network.traceroute",
    "parameters",
    "pon.read",
    "power.upgrade",
    "push",
    "rights",
    "service.read",
    "service.write",
    "system.cpu",
    "system.info",
    "system.interfaces",
    "system.load",
    "system.memory",
    "system.time",
    "system.uptime",
    "voip.read",
    "wan.read",
    "wifi.password",
    "wifi.read",
    "wifi.write",
  ],
  hosts: ["example.com"],
  parameters: {
    read: ["InternetGatewayDevice.DeviceInfo."],
    write: ["InternetGatewayDevice.X_CT-COM_Mgt."],
  },
  limits: { callMs: 20000 },
};

/** What is asked, by the function's name. */
const ASKED = {
  "device.identity": [],
  "device.name": [],
  "device.setName": ["the den"],
  "device.checkPassword": ["password"],
  "dns.servers": [],
  "dns.redirections": [],
  "dns.setServers": [["192.0.2.53"]],
  "dns.redirect": [""],
  "lan.ports": [],
  "lan.devices": [],
  "lan.rules": [],
  "lan.setRules": [MAC, {}],
  "network.inform": [],
  "network.lookup": ["host.example", "A"],
  "network.ping": ["192.0.2.1", { count: 2 }],
  "network.traceroute": ["192.0.2.1"],
  "parameters.changes": [],
  "parameters.get": [NAME],
  "parameters.names": ["InternetGatewayDevice.DeviceInfo."],
  "parameters.set": [{ [NAME]: 60 }],
  "parameters.values": [[NAME]],
  "pon.optics": [],
  "pon.registration": [],
  "pon.status": [],
  "power.upgradeStatus": [],
  "push.send": [{ text: "a message" }],
  "service.ledTimer": [],
  "service.setLed": [false],
  "service.setLedTimer": [{ enabled: false, start: "22:00", end: "07:00", cycle: "DAY" }],
  "service.setSleep": [{ asleep: false, minutes: 0 }],
  "service.sleep": [],
  "service.status": [],
  "system.cpuPercent": [],
  "system.info": [],
  "system.interfaces": [],
  "system.load": [],
  "system.memory": [],
  "system.time": [],
  "system.uptime": [],
  "voip.lines": [],
  "wan.connections": [],
  "wan.pppoe": [],
  "wan.rate": [],
  "wifi.configure": [1, { ssid: "home" }],
  "wifi.encryptedPassword": [1],
  "wifi.networks": [],
  "wifi.setSwitches": [[]],
  "wifi.setTimer": [{ enabled: false, start: "00:00", end: "06:00", cycle: "DAY" }],
  "wifi.startWps": [1, 60],
  "wifi.stations": [],
  "wifi.stopWps": [],
  "wifi.switches": [],
  "wifi.timer": [],
  "wifi.traffic": [1],
  "wifi.wps": [],
};

/** What is refused, and with which words. */
const REFUSED = {
  "device.checkPassword": ["wrong"],
  "device.setName": ["x".repeat(65)],
  "network.download": ["http://127.0.0.1/", { seconds: 1 }],
  "network.http": ["http://example.org/"],
  "network.lookup": ["host.example", "MX"],
  "parameters.add": ["InternetGatewayDevice.X_CT-COM_Mgt.Nothing.", {}],
  "parameters.get": ["InternetGatewayDevice.WANDevice.1.X"],
  "parameters.remove": ["InternetGatewayDevice.X_CT-COM_Mgt.Nothing.1."],
  "parameters.set": [{ "InternetGatewayDevice.DeviceInfo.UpTime": 1 }],
  "power.upgrade": [{ url: "file:///etc/passwd" }],
  "push.send": ["x".repeat(70000)],
  "rights.set": ["NO_SUCH_COMMAND", "2"],
};

export const commands = {
  async ALL(_request, host) {
    const ask = async (name, args) => {
      const [group, own] = name.split(".");
      return await host[group][own](...args);
    };
    const answers = {}, refusals = {};
    for (const [name, args] of Object.entries(ASKED)) {
      try {
        answers[name] = await ask(name, args);
      } catch (error) {
        answers[name] = { refused: error.message };
      }
    }
    for (const [name, args] of Object.entries(REFUSED)) {
      refusals[name] = await ask(name, args).then(() => "", (error) => error.message);
    }
    return {
      functions: Object.keys(host).filter((group) => group !== "log").flatMap((group) =>
        Object.keys(host[group]).map((own) => `${group}.${own}`)
      ).sort(),
      answers,
      refusals,
    };
  },
};
