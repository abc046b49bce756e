/**
 * The lines to the outside: connections, dialling, fibre, name servers.
 */
export const manifest = {
  name: "wan",
  version: "1.0",
  apiVersion: "2026-11-01",
  description: "Connections, PPPoE, PON and name servers",
  author: "Gatehouse",
  commands: {
    GET_PON_STATUS: { right: "both" },
    GET_PONINFORM_REQ: { right: "both" },
    QUERY_WAN_NUM: { right: "both" },
    QUERY_WAN_INFO: { right: "both" },
    QUERY_WAN_REALRATE: { right: "both" },
    PPPOE_DIAG_REQ: { right: "both" },
    // Whoever dials with another account takes the home off the internet: the platform answers for who may.
    PPPOE_DIAL_REQUEST: { right: "remote" },
    REGISTER: { right: "remote" },
    REGISTER_GETSTAT: { right: "both" },
    GET_NETWORK_DNS: { right: "both" },
    // Who sets the name servers leads every device of the home wherever they like.
    SET_NETWORK_DNS: { right: "remote" },
    SET_REDIRECT_INFO: { right: "remote" },
  },
  capabilities: ["wan.read", "wan.dial", "pon.read", "pon.register", "dns.read", "dns.write"],
  limits: { memoryMb: 16, callMs: 30000 },
};

/** A measurement with two decimals; empty where there is none. */
function measured(value) {
  return value === undefined ? "" : value.toFixed(2);
}

function text(name, value, most) {
  if (typeof value !== "string" || value === "") throw new Error(`${name} is missing`);
  if (value.length > most) throw new Error(`${name} is longer than ${most} characters`);
  return value;
}

function known(value) {
  return value === undefined ? "" : String(value);
}

function connectionType({ mode, protocol }) {
  if (protocol === "PPPoE") return mode === "bridge" ? "PPPoE_Bridged" : "PPPoE_Routed";
  return mode === "bridge" ? "IP_Bridged" : "IP_Routed";
}

/** The numbers of a connection. Every field is there; what the machine does not tell is empty. */
function fieldsOf(wan) {
  return {
    INDEX: String(wan.index),
    WANName: wan.name,
    SERVICELIST: known(wan.services),
    CONNECTIONTYPE: connectionType(wan),
    VLANID: known(wan.vlan),
    "8021P": known(wan.priority),
    PROTOCOL: wan.protocol,
    STATUS: wan.up ? "Connected" : "Disconnected",
    IP: wan.addresses.find((address) => !address.includes(":")) ?? "",
    IPV6: wan.addresses.find((address) => address.includes(":")) ?? "",
    GATEWAY: known(wan.gateway),
    DNS: wan.dns.join(","),
    MAC: known(wan.mac),
    UPTIME: known(wan.uptimeSeconds),
  };
}

const STATES = { none: "NONE", running: "RUNNING", succeeded: "SUCCESS", failed: "FAIL" };

export const commands = {
  async GET_PON_STATUS(_request, host) {
    const { up, kind } = await host.pon.status();
    return { PonStatus: up ? "UP" : "DOWN", PonType: kind };
  },

  /** The field is spelled so on the wire: `Vottage`. Degrees Celsius, volts, mA, dBm. */
  async GET_PONINFORM_REQ(_request, host) {
    const { temperature, voltage, current, txPower, rxPower } = await host.pon.optics();
    return {
      Temperature: measured(temperature),
      Vottage: measured(voltage),
      Current: measured(current),
      TXPower: measured(txPower),
      RXPower: measured(rxPower),
    };
  },

  async QUERY_WAN_NUM(_request, host) {
    const connections = await host.wan.connections();
    return { NUM: String(connections.length), Description: connections.map(({ name }) => name).join(",") };
  },

  /** The connection `WANName` names, by its name, its interface or its number; without one, that to the internet. */
  async QUERY_WAN_INFO({ WANName: wanted = "" }, host) {
    const connections = await host.wan.connections();
    const found = wanted === ""
      ? connections.find(({ services }) => services?.includes("INTERNET")) ?? connections[0]
      : connections.find((wan) => [wan.name, wan.interface, String(wan.index)].includes(wanted));
    if (!found) throw new Error(wanted === "" ? "there is no connection" : "there is no such connection");
    return fieldsOf(found);
  },

  /** kbit/s, measured for a second: both directions together, and each. */
  async QUERY_WAN_REALRATE(_request, host) {
    const { down, up } = await host.wan.rate();
    const kilobits = (bits) => String(Math.round(bits / 1000));
    return { RealTimeRate: kilobits(down + up), DownRate: kilobits(down), UpRate: kilobits(up) };
  },

  async PPPOE_DIAG_REQ(_request, host) {
    const { link, connected, reason } = await host.wan.pppoe();
    return {
      ConnectionStatus: connected ? "Connected" : "Disconnected",
      WANStatus: link ? "Up" : "Down",
      DialReason: connected ? "" : reason,
    };
  },

  async PPPOE_DIAL_REQUEST({ Account, Password }, host) {
    await host.wan.dial(text("Account", Account, 128), text("Password", Password, 128));
  },

  async REGISTER({ USERID, PASSWORD = "" }, host) {
    await host.pon.register(text("USERID", USERID, 64), String(PASSWORD));
  },

  async REGISTER_GETSTAT(_request, host) {
    const { state, text } = await host.pon.registration();
    return { RegisterStatus: STATES[state], RegisterResult: text };
  },

  async GET_NETWORK_DNS(_request, host) {
    const [first = "", second = ""] = await host.dns.servers();
    return { DNS1: first, DNS2: second };
  },

  /** Both empty: those that the connection tells. */
  async SET_NETWORK_DNS({ DNS1 = "", DNS2 = "" }, host) {
    await host.dns.setServers([DNS1, DNS2].filter((address) => address !== ""));
  },

  /** Names redirected by the list at `downurl`, a line each as in a hosts file; empty: no name any more. */
  async SET_REDIRECT_INFO({ downurl }, host) {
    if (typeof downurl !== "string") throw new Error("downurl is missing");
    return { Num: String(await host.dns.redirect(downurl)) };
  },
};
