/**
 * How the gateway is doing, and what it is made of.
 */
export const manifest = {
  name: "system-monitor",
  version: "1.0",
  apiVersion: "2026-11-01",
  description: "Processor load, memory in use and hardware of the gateway",
  author: "Gatehouse",
  commands: {
    QUERY_CPU_INFO: { right: "remote" },
    QUERY_MEM_INFO: { right: "remote" },
    QUERY_SYSTEM_INFO: { right: "both" },
  },
  capabilities: ["system.cpu", "system.memory", "system.info"],
  limits: { memoryMb: 16, callMs: 5000 },
};

export const commands = {
  async QUERY_CPU_INFO(_request, host) {
    return { Percent: String(Math.round(await host.system.cpuPercent())) };
  },

  async QUERY_MEM_INFO(_request, host) {
    const { percent } = await host.system.memory();
    return { Percent: String(Math.round(percent)) };
  },

  /** Every field is there; one that this machine does not tell is empty. */
  async QUERY_SYSTEM_INFO(_request, host) {
    const info = await host.system.info();
    const known = (value) => value === undefined ? "" : String(value);
    const flag = (value) => value === undefined ? "" : value ? "1" : "0";
    return {
      SWVersion: info.softwareVersion,
      HDVersion: info.hardwareVersion,
      ProductCLass: info.model,
      CPUClass: known(info.cpuClass),
      DEVType: info.driver === "simulated" ? "simulated" : "",
      DEVType1: "",
      Capability: "",
      Card: info.card === "" ? "0" : "1",
      UPLink: "",
      Cardno: info.card,
      IPV6: flag(info.ipv6),
      VLANbind: "",
      LED: "",
      FlashSize: known(info.flashKb),
      RamSize: known(info.ramKb),
      DevName: known(info.hostName),
      WiFiMode: info.wifi === false ? "0" : "",
      NFC: "",
      WanIPAddr: info.wanAddress,
      LanIPAddr: info.lanAddress,
    };
  },
};
