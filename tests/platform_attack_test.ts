/**
 * Hostile bytes at every port of the platform, while an honest gateway is being served.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { flood, hostile, storm, stormUntilSettled } from "./support/hostile.ts";
import { startProgram } from "../scripts/lib/program.ts";
import { ADMIN_TOKEN } from "./support/platform.ts";
import { distribute, h, identity, inner, register, TcpPeer, UdpPeer } from "./support/scripted_gateway.ts";

const RND = "0123456789ABCDEF0123456789ABCDEF";
/** The honest gateway, and one that is preset too and whose messages are mangled. */
const me = identity(1), other = identity(2);
const DATAGRAMS = 100_000, FRAMES = 10_000;
const UP = [
  JSON.stringify({
    RPCMethod: "BootFirst",
    Vendor: "M",
    Model: "M",
    FirmwareVer: "1",
    HardwareVer: "1",
    MAC: other.mac,
    IPAddr: "1.2.3.4",
    PlatformID: "OTHER",
  }),
  JSON.stringify({ RPCMethod: "RegisterFirst", CheckSN: h("a"), MAC: other.mac }),
  JSON.stringify({
    RPCMethod: "Boot",
    Vendor: "M",
    Model: "M",
    FirmwareVer: "1",
    HardwareVer: "1",
    MAC: other.mac,
    DevRND: RND,
    PlatformID: "OTHER",
    Card: "",
    IPAddr: "1.2.3.4",
    OsVer: "",
    AppVer: "",
    LOID: "L",
  }),
  JSON.stringify({
    RPCMethod: "Register",
    MAC: other.mac,
    CheckSN: h("a"),
    UserID: h("b"),
    pppoename: "",
    flag: "0",
  }),
  JSON.stringify({ RPCMethod: "Hb", MAC: other.mac, FLAG: "0" }),
  JSON.stringify({ RPCMethod: "Hb", IPAddr: "1.2.3.4", MAC: other.mac, FLAG: "1" }),
  JSON.stringify({ Result: 0, DevRND: RND }),
];
const CHANNEL = [
  JSON.stringify({
    RPCMethod: "Boot",
    Vendor: "M",
    Model: "M",
    FirmwareVer: "1",
    HardwareVer: "1",
    MAC: other.mac,
    IPAddr: "1.2.3.4",
    LOID: other.loid,
    Card: "",
  }),
  JSON.stringify({ RPCMethod: "Register", CheckSN: h("a") }),
  JSON.stringify({ RPCMethod: "Heartbeat", IPAddr: "1.2.3.4", MAC: other.mac }),
  JSON.stringify({ Result: 0, ID: 1, return_Parameter: inner({ Status: "0" }) }),
];

Deno.test("no bytes at any port of the platform crash it, make it grow, or keep it from serving", async () => {
  const local = "127.0.0.1:0";
  const args = [
    "--http",
    local,
    "--distribution",
    local,
    "--access",
    local,
    "--plugin-center",
    local,
    "--push",
    local,
  ];
  await using platform = await startProgram("platform", [...args, "--advertise", "127.0.0.1"], {
    env: { GATEHOUSE_ADMIN_TOKEN: ADMIN_TOKEN },
  });
  const { http, distribution, access, plugin_center } = platform.ports as Record<string, number>;
  const api = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${http}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
    });
  await (await api("/api/v1/gateways", { method: "POST", body: JSON.stringify([me, other]) })).body?.cancel();
  using udp = new UdpPeer();
  await register(udp, access!, me, RND);
  using tcp = await TcpPeer.connect(plugin_center!);
  await tcp.signIn(me);
  /** An honest gateway's day: a heartbeat, a command over its channel. */
  const serve = async () => {
    // A flood fills the kernel's buffer and honest datagrams are lost with the others: sent again, as gateways do.
    await udp.askUntilAnswered({ RPCMethod: "Hb", MAC: me.mac, FLAG: "0" }, access!);
    const asked = api(`/api/v1/gateways/${me.mac}/commands?wait=20`, {
      method: "POST",
      body: JSON.stringify({ parameter: { CmdType: "X", SequenceId: "00000001" } }),
    });
    const post = (await tcp.hear())!;
    await tcp.send({
      Result: 0,
      ID: post.ID,
      return_Parameter: inner({ CmdType: "X", SequenceId: "00000001", Status: "0" }),
    });
    assertEquals((await (await asked).json()).status, "succeeded");
  };
  await serve();
  let attacking = true, served = 0;
  const honest = (async () => {
    for (; attacking; served++) {
      await serve();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  await stormUntilSettled(async (seed) => {
    await flood(distribution!, DATAGRAMS / 2, hostile(UP, 4200, seed + 1));
    await flood(access!, DATAGRAMS / 2, hostile(UP, 4200, seed + 2));
    await Promise.all([
      storm(distribution!, FRAMES / 2, hostile(UP, 8000, seed + 3)),
      storm(plugin_center!, FRAMES / 2, hostile(CHANNEL, 8000, seed + 4)),
    ]);
  }, platform.residentMiB);
  attacking = false;
  await honest;
  assert(served > 3, `only ${served} honest rounds were served`);
  await serve();
  using fresh = new UdpPeer();
  assertEquals((await distribute(fresh, distribution!, me)).Result, 2);
});
