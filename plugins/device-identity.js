/**
 * Who this gateway is: what a phone app asks when it binds a gateway.
 */
export const manifest = {
  name: "device-identity",
  version: "1.0",
  apiVersion: "2026-11-01",
  description: "Identity and versions of the gateway, and the local password check of binding",
  author: "Gatehouse",
  commands: {
    GET_SN_INFO: { right: "local" },
    CHECK_PASSWD_PARAM: { right: "local" },
    // The LOID is what binding proves: it is not for everyone on the LAN.
    GET_HG_LOID: { right: "remote" },
    GET_VERSION: { right: "both" },
  },
  capabilities: ["device.identity", "device.password"],
  limits: { memoryMb: 16, callMs: 5000 },
};

export const commands = {
  async GET_SN_INFO(_request, host) {
    const { mac, registered } = await host.device.identity();
    return { MAC: mac, BussinessStatus: registered ? "SUCCESS" : "FAIL" };
  },

  async CHECK_PASSWD_PARAM(request, host) {
    const { sn } = await host.device.checkPassword(request.PassWD);
    const { loid, card } = await host.device.identity();
    return { LOID: loid, SN: sn, CARD: card };
  },

  async GET_HG_LOID(_request, host) {
    const { loid, card } = await host.device.identity();
    return { LOID: loid, CARD: card };
  },

  async GET_VERSION(_request, host) {
    const { softwareVersion, hardwareVersion, appVersion, driver } = await host.device.identity();
    const mark = driver === "simulated" ? " (simulated)" : "";
    return { Version: appVersion + mark, Version1: softwareVersion, Version2: hardwareVersion };
  },
};
