/**
 * How the gateway is doing, what it is made of, and what is done to it as a whole.
 */
export const manifest = {
  name: "system-monitor",
  version: "1.0",
  apiVersion: "2026-11-01",
  description: "Load, memory, hardware and name of the gateway; its clock, restart, recovery and upgrade",
  author: "Gatehouse",
  commands: {
    QUERY_CPU_INFO: { right: "remote" },
    QUERY_MEM_INFO: { right: "remote" },
    QUERY_SYSTEM_INFO: { right: "both" },
    GET_DEVICE_INFO_ALL: { right: "both", auth: "local" },
    GET_TIME_DURATION: { right: "both" },
    SET_HG_DATE_TIME_SYNC: { right: "both" },
    GET_HG_DEV_NAME: { right: "both" },
    SET_HG_DEV_NAME: { right: "both" },
    // Whoever is on the LAN is not whoever may take the home off the internet.
    HG_COMMAND_REBOOT: { right: "remote" },
    HG_LOCAL_RECOVERY: { right: "remote" },
    UPGRADE: { right: "remote" },
  },
  capabilities: [
    "system.cpu",
    "system.memory",
    "system.info",
    "system.time",
    "device.identity",
    "device.name",
    "service.read",
    "wan.read",
    "pon.read",
    "power.reboot",
    "power.recover",
    "power.upgrade",
    "power.time",
  ],
  limits: { memoryMb: 16, callMs: 10000 },
};

const known = (value) => value === undefined || value === null ? "" : String(value);
const flag = (value) => value === undefined ? "" : value ? "1" : "0";

/** What can be told; undefined where this machine does not. */
async function told(asked) {
  try {
    return await asked;
  } catch {
    return undefined;
  }
}

async function percentages(host) {
  const [cpu, memory] = await Promise.all([host.system.cpuPercent(), host.system.memory()]);
  return { cpu: String(Math.round(cpu)), memory: String(Math.round(memory.percent)) };
}

/** Every field is there; one that this machine does not tell is empty. */
async function systemInfo(host) {
  const [info, name, pon, connections, service] = await Promise.all([
    host.system.info(),
    host.device.name(),
    told(host.pon.status()),
    told(host.wan.connections()),
    told(host.service.status()),
  ]);
  const tagged = connections?.some(({ vlan }) => vlan !== undefined);
  return {
    SWVersion: info.softwareVersion,
    HDVersion: info.hardwareVersion,
    ProductCLass: info.model,
    CPUClass: known(info.cpuClass),
    DEVType: info.driver === "simulated" ? "simulated" : "",
    DEVType1: "",
    Capability: "",
    Card: info.card === "" ? "0" : "1",
    UPLink: pon ? pon.kind : connections && connections.length > 0 ? "Ethernet" : "",
    Cardno: info.card,
    IPV6: flag(info.ipv6),
    VLANbind: flag(tagged),
    LED: flag(service?.led),
    FlashSize: known(info.flashKb),
    RamSize: known(info.ramKb),
    DevName: name,
    WiFiMode: info.wifi === false ? "0" : "",
    NFC: flag(service?.nfc),
    WanIPAddr: info.wanAddress,
    LanIPAddr: info.lanAddress,
  };
}

/**
 * A moment that was written as the clock on the wall shows it, `2026-11-01 07:30:00` or `20261101073000`, or with its
 * zone: `2026-11-01T07:30:00Z`.
 */
function momentOf(text, utcOffsetMinutes) {
  const parts = /^(\d{4})-?(\d{2})-?(\d{2})[ T]?(\d{2}):?(\d{2}):?(\d{2})(Z|[+-]\d{2}:?\d{2})?$/.exec(text);
  if (!parts) throw new Error("Time is not a time as in 2026-11-01 07:30:00");
  const [year, month, day, hours, minutes, seconds] = parts.slice(1, 7).map(Number);
  const wall = Date.UTC(year, month - 1, day, hours, minutes, seconds);
  const back = new Date(wall);
  if (
    back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day || hours > 23 || minutes > 59 ||
    seconds > 59
  ) {
    throw new Error("Time is no day or no time of day");
  }
  if (year < 2020 || year > 2099) throw new Error("Time is not between 2020 and 2099");
  const zone = parts[7];
  if (zone === undefined) return wall - utcOffsetMinutes * 60000;
  if (zone === "Z") return wall;
  const ahead = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return wall - (zone[0] === "-" ? -ahead : ahead) * 60000;
}

export const commands = {
  async QUERY_CPU_INFO(_request, host) {
    return { Percent: (await percentages(host)).cpu };
  },

  async QUERY_MEM_INFO(_request, host) {
    return { Percent: (await percentages(host)).memory };
  },

  QUERY_SYSTEM_INFO: (_request, host) => systemInfo(host),

  /** What the others of this kind tell, in one. */
  async GET_DEVICE_INFO_ALL(_request, host) {
    const [info, { cpu, memory }, identity, durations] = await Promise.all([
      systemInfo(host),
      percentages(host),
      host.device.identity(),
      commands.GET_TIME_DURATION({}, host),
    ]);
    return {
      ...info,
      ...durations,
      MAC: identity.mac,
      LOID: identity.loid,
      BussinessStatus: identity.registered ? "SUCCESS" : "FAIL",
      CPUPercent: cpu,
      MEMPercent: memory,
    };
  },

  /** Seconds; empty where there is no such thing or it is not connected. */
  async GET_TIME_DURATION(_request, host) {
    const [info, pppoe, pon] = await Promise.all([
      host.system.info(),
      told(host.wan.pppoe()),
      told(host.pon.status()),
    ]);
    return {
      SYSDuration: known(info.uptimeSeconds),
      PPPoEDuration: known(pppoe?.uptimeSeconds),
      PONDuration: known(pon?.uptimeSeconds),
    };
  },

  async SET_HG_DATE_TIME_SYNC({ Time }, host) {
    const { utcOffsetMinutes } = await host.system.time();
    await host.power.setTime(momentOf(String(Time ?? ""), utcOffsetMinutes));
  },

  async GET_HG_DEV_NAME(_request, host) {
    return { DevName: await host.device.name() };
  },

  async SET_HG_DEV_NAME({ DevName }, host) {
    if (typeof DevName !== "string") throw new Error("DevName is missing");
    await host.device.setName(DevName.trim());
  },

  /** Answered first, done a few seconds later. */
  async HG_COMMAND_REBOOT(_request, host) {
    await host.power.reboot();
  },

  /** Answered first, done a few seconds later. */
  async HG_LOCAL_RECOVERY(_request, host) {
    await host.power.recover();
  },

  /** Begins an upgrade; asked again with the same `upgrade_ID`, tells how it goes. */
  async UPGRADE({ downurl, mode = "", method = "", upgrade_ID = "", digest }, host) {
    if (typeof downurl !== "string" || downurl === "") throw new Error("downurl is missing");
    const order = { url: downurl, id: String(upgrade_ID), mode: String(mode), method: String(method) };
    const { id, state, percent, reason } = await host.power.upgrade(
      digest === undefined ? order : { ...order, digest: String(digest) },
    );
    return { upgrade_ID: id, UpgradeStatus: state, Percent: String(percent), UpgradeResult: reason };
  },
};
