/**
 * What the gateway does beside networking: telephony, lights, near-field communication, sleep.
 */
export const manifest = {
  name: "service",
  version: "1.0",
  apiVersion: "2026-11-01",
  description: "Telephone lines, lights, NFC and sleep",
  author: "Gatehouse",
  commands: {
    GET_VOIP_INFO: { right: "both" },
    GET_VOIP_REG_STATUS: { right: "both" },
    GET_SERVICE: { right: "both" },
    SET_HG_LED_INDICATOR_TIMER: { right: "both" },
    SET_LED_STATUS: { right: "both" },
    SET_SLEEP_STATUS: { right: "both" },
    GET_SLEEP_STATUS: { right: "both" },
  },
  capabilities: ["voip.read", "service.read", "service.write", "wifi.read"],
  limits: { memoryMb: 16, callMs: 10000 },
};

/** `1` or `0`; empty where the machine does not have it. */
function flag(value) {
  return value === undefined ? "" : value ? "1" : "0";
}

function switched(name, value) {
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

export const commands = {
  async GET_VOIP_INFO(_request, host) {
    const lines = await host.voip.lines();
    return {
      Num: String(lines.length),
      Info: lines.map(({ line, enabled, number, server, protocol }) => ({
        Line: String(line),
        Enable: flag(enabled),
        Number: number ?? "",
        Server: server ?? "",
        Protocol: protocol ?? "",
      })),
    };
  },

  async GET_VOIP_REG_STATUS(_request, host) {
    const lines = await host.voip.lines();
    const names = { registered: "Up", registering: "Registering", failed: "Error", disabled: "Disabled" };
    return {
      Num: String(lines.length),
      Info: lines.map(({ line, registration, reason }) => ({
        Line: String(line),
        Status: names[registration],
        Reason: reason ?? "",
      })),
    };
  },

  /** `1` on, `0` off, empty: not on this machine. */
  async GET_SERVICE(_request, host) {
    const [networks, { led, nfc, sleep }, timer, wifi] = await Promise.all([
      // A machine without WiFi says so by refusing.
      host.wifi.networks().catch(() => []),
      host.service.status(),
      host.service.ledTimer(),
      host.wifi.timer(),
    ]);
    return {
      wifi: networks.length === 0 ? "" : flag(networks.some(({ onAir }) => onAir)),
      wifiTimer: flag(wifi.enabled),
      wifiStartTime: wifi.start,
      wifiEndTime: wifi.end,
      wifiControlCycle: wifi.cycle,
      LED: flag(led),
      LEDTimer: flag(timer.enabled),
      LEDStartTime: timer.start,
      LEDEndTime: timer.end,
      LEDControlCycle: timer.cycle,
      NFC: flag(nfc),
      HGWSLEEP: flag(sleep),
    };
  },

  /** Lights are on from `StartTime` to `EndTime` on the days of `ControlCycle`. */
  async SET_HG_LED_INDICATOR_TIMER({ StartTime, EndTime, ControlCycle = "DAY", Enable }, host) {
    await host.service.setLedTimer({
      enabled: switched("Enable", Enable),
      start: time("StartTime", StartTime),
      end: time("EndTime", EndTime),
      cycle: String(ControlCycle),
    });
  },

  /** `Action`: 1 as usual, 0 out. */
  async SET_LED_STATUS({ Action }, host) {
    await host.service.setLed(switched("Action", Action));
  },

  /** `Action`: 1 sleep, 0 wake; in `SLEEPTimer` minutes, at once where that is 0 or absent. */
  async SET_SLEEP_STATUS({ Action, SLEEPTimer = "0" }, host) {
    const asleep = switched("Action", Action);
    const minutes = SLEEPTimer === "" ? 0 : Number(SLEEPTimer);
    if (!Number.isInteger(minutes)) throw new Error("SLEEPTimer is not a number of minutes");
    await host.service.setSleep({ asleep, minutes });
  },

  async GET_SLEEP_STATUS(_request, host) {
    const { asleep, minutes } = await host.service.sleep();
    return { Action: flag(asleep), SLEEPTimer: String(minutes) };
  },
};
