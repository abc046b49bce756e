/**
 * The home network: its ports, the devices on it, and what each of them may do.
 */
export const manifest = {
  name: "lan",
  version: "1.0",
  apiVersion: "2026-11-01",
  description: "Ports of the home network, attached devices, their rights and bandwidth",
  author: "Gatehouse",
  commands: {
    GET_LAN_NET_INFO: { right: "both" },
    GET_LAN_INFO2: { right: "both" },
    SYSTEST: { right: "both" },
    SET_ATTACH_DEVICE_RIGHT: { right: "both" },
    GET_ATTACH_DEVICE_RIGHT: { right: "both" },
    SET_ATTACH_DEVICE_NAME: { right: "both" },
    SET_ATTACH_DEVICE_BANDWIDTH: { right: "both" },
    GET_ATTACH_DEVICE_BANDWIDTH: { right: "both" },
  },
  capabilities: ["lan.read", "lan.write", "wifi.read", "wan.read"],
  limits: { memoryMb: 16, callMs: 25000 },
};

const known = (value) => value === undefined ? "" : String(value);
const onOff = (value) => value === undefined ? "" : value ? "ON" : "OFF";
const bare = (mac) => mac.replaceAll(":", "");

function right(name, value) {
  const words = { "ON": true, "1": true, "TRUE": true, "OFF": false, "0": false, "FALSE": false };
  const on = words[String(value).toUpperCase()];
  if (on === undefined) throw new Error(`${name} is not ON or OFF`);
  return on;
}

function kbps(name, value) {
  const rate = Number(value);
  if (value === "" || !Number.isInteger(rate) || rate < 0 || rate > 10000000) {
    throw new Error(`${name} is not a whole number of kbit/s, 0 for no limit`);
  }
  return rate;
}

function mac(request) {
  const digits = String(request.MAC ?? "").replace(/[:-]/g, "").toUpperCase();
  if (!/^[0-9A-F]{12}$/.test(digits)) throw new Error("MAC is not 12 hex digits");
  return digits.match(/../g).join(":");
}

export const commands = {
  /** `Info`: a device after the other with `/` between, of each `name:type:MAC:IP:connection:port:brand:system:seconds`. */
  async GET_LAN_NET_INFO(_request, host) {
    const plain = (text) => known(text).replace(/[:/]/g, "_");
    const kinds = { cable: "LAN", wifi: "WIFI" };
    return {
      Info: (await host.lan.devices()).map(({ name, mac, address, connection, port, connectedSeconds }) =>
        [
          plain(name),
          "",
          bare(mac),
          plain(address),
          kinds[connection] ?? "",
          plain(port),
          "",
          "",
          known(connectedSeconds),
        ].join(":")
      ).join("/"),
    };
  },

  /** Of each port what came in (`LANnRX`) and what went out (`LANnTX`), in KiB. */
  async GET_LAN_INFO2(_request, host) {
    const reply = {};
    for (const { name, receivedBytes, sentBytes } of await host.lan.ports()) {
      reply[`${name}RX`] = String(Math.floor(receivedBytes / 1024));
      reply[`${name}TX`] = String(Math.floor(sentBytes / 1024));
    }
    return reply;
  },

  /** ON or OFF; empty where this machine has no such port, or does not tell. */
  async SYSTEST(_request, host) {
    const [ports, networks, wan] = await Promise.all([
      host.lan.ports().catch(() => []),
      host.wifi.networks().catch(() => undefined),
      host.wan.connections().catch(() => undefined),
    ]);
    const port = (number) => onOff(ports.find(({ name }) => name === `LAN${number}`)?.up);
    return {
      LAN1Status: port(1),
      LAN2Status: port(2),
      LAN3Status: port(3),
      LAN4Status: port(4),
      WANStatus: onOff(wan?.some(({ up }) => up)),
      WIFIModuleStatus: onOff(networks?.some(({ onAir }) => onAir)),
    };
  },

  async SET_ATTACH_DEVICE_RIGHT(request, host) {
    const { InternetAccessRight, StorageAccessRight } = request, rules = {};
    if (InternetAccessRight !== undefined) rules.internet = right("InternetAccessRight", InternetAccessRight);
    if (StorageAccessRight !== undefined) rules.storage = right("StorageAccessRight", StorageAccessRight);
    if (Object.keys(rules).length === 0) {
      throw new Error("neither InternetAccessRight nor StorageAccessRight is given");
    }
    await host.lan.setRules(mac(request), rules);
  },

  /** `MACList`: devices without internet, `StorageMACList`: those without storage, with `/` between. */
  async GET_ATTACH_DEVICE_RIGHT(_request, host) {
    const rules = await host.lan.rules();
    const list = (devices) => devices.map(({ mac }) => bare(mac)).join("/");
    return {
      MACList: list(rules.filter(({ internet }) => !internet)),
      StorageMACList: list(rules.filter(({ storage }) => !storage)),
    };
  },

  async SET_ATTACH_DEVICE_NAME(request, host) {
    if (request.DevName === undefined) throw new Error("DevName is missing");
    await host.lan.setRules(mac(request), { name: String(request.DevName) });
  },

  /** In kbit/s; 0: no limit. What is absent stays. */
  async SET_ATTACH_DEVICE_BANDWIDTH(request, host) {
    const { UsBandwidth, DsBandwidth } = request, rules = {};
    if (UsBandwidth !== undefined) rules.upKbps = kbps("UsBandwidth", UsBandwidth);
    if (DsBandwidth !== undefined) rules.downKbps = kbps("DsBandwidth", DsBandwidth);
    if (Object.keys(rules).length === 0) throw new Error("neither UsBandwidth nor DsBandwidth is given");
    await host.lan.setRules(mac(request), rules);
  },

  /** Of the device `MAC`; without one `Info`, all that are limited: `MAC:UsBandwidth:DsBandwidth` with `/` between. */
  async GET_ATTACH_DEVICE_BANDWIDTH(request, host) {
    const rules = await host.lan.rules();
    if (request.MAC === undefined || request.MAC === "") {
      return {
        Info: rules.filter(({ upKbps, downKbps }) => upKbps > 0 || downKbps > 0)
          .map(({ mac, upKbps, downKbps }) => `${bare(mac)}:${upKbps}:${downKbps}`).join("/"),
      };
    }
    const wanted = mac(request);
    const { upKbps = 0, downKbps = 0 } = rules.find((one) => one.mac === wanted) ?? {};
    return { MAC: bare(wanted), UsBandwidth: String(upKbps), DsBandwidth: String(downKbps) };
  },
};
