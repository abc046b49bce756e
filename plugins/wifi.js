/**
 * The wireless networks: what they are, who is on them, when they are on the air, joining by button.
 */
export const manifest = {
  name: "wifi",
  version: "1.0",
  apiVersion: "2026-11-01",
  description: "WiFi networks, timers, joining by button",
  author: "Gatehouse",
  commands: {
    GET_WIFI_INFO: { right: "both" },
    SET_WIFI_INFO: { right: "both" },
    SET_WLAN_SSID_ENABLE: { right: "both" },
    SET_WLAN_SSID_DISABLE: { right: "both" },
    GET_WLAN_INTF_INFO: { right: "both" },
    GET_WLAN_ATTACH_INFO: { right: "both" },
    SET_HG_WIFI_TIMER: { right: "both" },
    SET_HG_WIFI_TIMER_EX: { right: "both" },
    GET_HG_WIFI_TIMER_EX: { right: "both" },
    WPS_ON: { right: "both" },
    WPS_OFF: { right: "both" },
    WPS_QY: { right: "both" },
  },
  capabilities: ["wifi.read", "wifi.password", "wifi.write", "lan.read"],
  limits: { memoryMb: 16, callMs: 25000 },
};

/** How ENCRYPT counts. */
const SECURITY = ["open", "wep", "wpa", "wpa2", "mixed"];
const WPS_STATES = {
  idle: "IDLE",
  active: "ACTIVE",
  success: "SUCCESS",
  failed: "FAIL",
  timeout: "TIMEOUT",
  overlap: "OVERLAP",
};

function number(name, text, min, max) {
  const value = Number(text);
  if (text === "" || !Number.isInteger(value) || value < min || value > max) {
    throw new Error(`${name} is not a whole number from ${min} to ${max}`);
  }
  return value;
}

function flag(name, value) {
  const words = { "1": true, "ON": true, "TRUE": true, "0": false, "OFF": false, "FALSE": false };
  const on = words[String(value ?? "").toUpperCase()];
  if (on === undefined) throw new Error(`${name} is not 1 or 0`);
  return on;
}

/** `HH:MM`, also where it comes as `H:MM`. */
function time(name, value) {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(String(value ?? "")) ?? [];
  if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59) {
    throw new Error(`${name} is not a time of day as in 07:30`);
  }
  return `${hours.padStart(2, "0")}:${minutes}`;
}

/** A field that was sent with something in it. */
function given(value) {
  return value !== undefined && value !== "";
}

function index(request) {
  return number("SSIDIndex", request.SSIDIndex ?? "1", 1, 64);
}

async function network(request, host) {
  const wanted = index(request);
  const found = (await host.wifi.networks()).find((one) => one.index === wanted);
  if (!found) throw new Error(`there is no WiFi network with the index ${wanted}`);
  return found;
}

const known = (value) => value === undefined ? "" : String(value);

/** What both questions about a network answer; a field that this machine does not tell is empty. */
function shown({ ssid, security, powerPercent, channel, enabled }) {
  return {
    SSID: ssid,
    ENCRYPT: security === undefined ? "" : String(SECURITY.indexOf(security) + 1),
    PowerLevel: known(powerPercent),
    Channel: String(channel),
    Enable: enabled ? "1" : "0",
  };
}

export const commands = {
  async GET_WIFI_INFO(request, host) {
    const found = await network(request, host);
    return { ...shown(found), PWD: await host.wifi.encryptedPassword(found.index) };
  },

  /** What is absent or empty stays as it is. */
  async SET_WIFI_INFO(request, host) {
    const { SSID, PWD, ENCRYPT, PowerLevel, Channel, Enable } = request;
    const change = {};
    if (given(SSID)) change.ssid = String(SSID);
    if (given(ENCRYPT)) change.security = SECURITY[number("ENCRYPT", ENCRYPT, 1, 5) - 1];
    if (given(PWD) && change.security !== "open") change.pwd = String(PWD);
    if (given(PowerLevel)) change.powerPercent = number("PowerLevel", PowerLevel, 1, 100);
    if (given(Channel)) change.channel = number("Channel", Channel, 0, 255);
    if (given(Enable)) change.enabled = flag("Enable", Enable);
    if (Object.keys(change).length === 0) throw new Error("nothing is to be changed");
    await host.wifi.configure(index(request), change);
  },

  async SET_WLAN_SSID_ENABLE(request, host) {
    await host.wifi.configure(index(request), { enabled: true });
  },

  async SET_WLAN_SSID_DISABLE(request, host) {
    await host.wifi.configure(index(request), { enabled: false });
  },

  /** `RECV` and `SEND` in bytes, as the gateway sees it; empty while the network has no counters. */
  async GET_WLAN_INTF_INFO(request, host) {
    const found = await network(request, host);
    const traffic = await host.wifi.traffic(found.index).catch(() => ({}));
    return { ...shown(found), RECV: known(traffic.receivedBytes), SEND: known(traffic.sentBytes) };
  },

  /** `Info`: a device after the other with `/` between, of each `name:type:MAC:IP:WIFI:SSIDn:brand:system:seconds`. */
  async GET_WLAN_ATTACH_INFO(_request, host) {
    const [stations, devices] = await Promise.all([
      host.wifi.stations(),
      host.lan.devices().catch(() => []),
    ]);
    const plain = (text) => known(text).replace(/[:/]/g, "_");
    return {
      Num: String(stations.length),
      Info: stations.map(({ mac, index, connectedSeconds }) => {
        const { name, address } = devices.find((device) => device.mac === mac) ?? {};
        const parts = [
          plain(name),
          "",
          mac.replaceAll(":", ""),
          plain(address),
          "WIFI",
          `SSID${index}`,
          "",
          "",
        ];
        return [...parts, known(connectedSeconds)].join(":");
      }).join("/"),
    };
  },

  /** On the air from `StartTime` to `EndTime` on the days of `ControlCycle`: `DAY`, or 1 (Monday) to 7 as in `1,2,7`. */
  async SET_HG_WIFI_TIMER({ StartTime, EndTime, ControlCycle = "DAY", Enable }, host) {
    await host.wifi.setTimer({
      enabled: flag("Enable", Enable),
      start: time("StartTime", StartTime),
      end: time("EndTime", EndTime),
      cycle: String(ControlCycle),
    });
  },

  /** The list replaces the earlier one. `Weekday` may name several days, as in `1,2,7`. */
  async SET_HG_WIFI_TIMER_EX({ WifiTimer }, host) {
    const list = typeof WifiTimer === "string" ? JSON.parse(WifiTimer || "[]") : WifiTimer;
    if (!Array.isArray(list)) throw new Error("WifiTimer is not a list");
    const switches = list.flatMap((entry) => {
      const { Weekday, Time, Active, Enable } = entry ?? {};
      return String(Weekday ?? "").split(",").map((day) => ({
        weekday: number("Weekday", day.trim(), 1, 7),
        time: time("Time", Time),
        active: flag("Active", Active),
        enabled: flag("Enable", Enable),
      }));
    });
    await host.wifi.setSwitches(switches);
  },

  async GET_HG_WIFI_TIMER_EX(_request, host) {
    return {
      WifiTimer: (await host.wifi.switches()).map(({ weekday, time, active, enabled }) => ({
        Weekday: String(weekday),
        Time: time,
        Active: active ? "1" : "0",
        Enable: enabled ? "1" : "0",
      })),
    };
  },

  /** `SSID`: a network's name, or its index; the first where it is absent. `Timeout`: seconds, 120 at most. */
  async WPS_ON({ SSID = "1", Timeout = "120" }, host) {
    const networks = await host.wifi.networks();
    const found = networks.find(({ ssid }) => ssid === String(SSID)) ??
      networks.find(({ index }) => String(index) === String(SSID));
    if (!found) throw new Error("there is no WiFi network of this name or index");
    await host.wifi.startWps(found.index, number("Timeout", Timeout === "" ? "120" : Timeout, 1, 120));
  },

  async WPS_OFF(_request, host) {
    await host.wifi.stopWps();
  },

  /** `WPSStatus`: IDLE, ACTIVE, SUCCESS, FAIL, TIMEOUT, OVERLAP. `devInfo`: the MAC of who joined. */
  async WPS_QY(_request, host) {
    const { state, peer } = await host.wifi.wps();
    return { WPSStatus: WPS_STATES[state], devInfo: known(peer).replaceAll(":", "") };
  },
};
