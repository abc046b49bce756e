import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { DriverError } from "../errors.ts";
import { checkedAccess, checkedBandwidth, deviceMac, MAX_DEVICES } from "./lan.ts";
import { parseForwarding, parseLeases, parseLinks, parseNeighbours } from "./links.ts";
import { accessRules } from "./rules.ts";
import { shapingCommands } from "./shaping.ts";

const MAC = "64:D9:54:20:21:4B";

Deno.test("a MAC address is taken in the spellings of apps, and one that no device has is refused", () => {
  for (const text of ["64D95420214B", "64d95420214b", "64-d9-54-20-21-4b", MAC]) {
    assertEquals(deviceMac(text), MAC);
  }
  for (
    const text of [
      "",
      "64D95420214",
      "64D95420214G",
      "64:D9:54-20:21:4B",
      "FFFFFFFFFFFF",
      "000000000000",
      "01005E000001",
      `${MAC}\n`,
      `${MAC} drop`,
    ]
  ) assertThrows(() => deviceMac(text), DriverError);
});

Deno.test("lists are checked: known addresses once each, bandwidths in range, no more than there is room for", () => {
  assertEquals(
    checkedAccess([
      { mac: MAC, internet: false, storage: true },
      { mac: "020000000001", internet: true, storage: true },
      { mac: "64D95420214B", internet: true, storage: false },
    ]),
    [{ mac: MAC, internet: true, storage: false }],
  );
  for (const kbps of [1, -5, 1.5, NaN, 1e9]) {
    assertThrows(() => checkedBandwidth([{ mac: MAC, upKbps: kbps, downKbps: 0 }]), DriverError);
  }
  const many = Array.from({ length: MAX_DEVICES + 1 }, (_, i) => ({
    mac: `0200000${i.toString(16).padStart(5, "0")}`,
    internet: false,
    storage: true,
  }));
  assertThrows(() => checkedAccess(many), DriverError);
});

Deno.test("whatever a caller names a device, nothing but MAC addresses gets into rules and commands", () => {
  fc.assert(fc.property(fc.string(), fc.nat(), (mac, kbps) => {
    try {
      const rules = accessRules(checkedAccess([{ mac, internet: false, storage: false }]), ["br-lan"]);
      const commands = shapingCommands(checkedBandwidth([{ mac, upKbps: kbps, downKbps: kbps }]), [
        { interface: "br-lan", ingress: false, filters: [] },
      ]);
      assert(/^[0-9A-F:]{17}$/.test(deviceMac(mac)) && rules !== "" && commands !== undefined);
    } catch (error) {
      assert(error instanceof DriverError && error.code === "invalid");
    }
  }));
});

Deno.test("what is forbidden to nobody is a table that is taken away", () => {
  assertEquals(accessRules([], ["br-lan"]).split("\n"), [
    "add table inet gatehouse_access",
    "delete table inet gatehouse_access",
    "",
  ]);
});

Deno.test("programs that answer what nobody expects are read as if they said nothing", () => {
  fc.assert(fc.property(fc.jsonValue(), (json) => {
    parseLinks(json);
    parseNeighbours(json);
    parseForwarding(json);
  }));
  assertEquals(parseLinks([{ ifname: "lan10" }, { ifname: "lan2", operstate: "UP" }, { ifname: 5 }, null]), [
    { name: "lan2", up: true, loopback: false, kind: undefined, receivedBytes: 0, sentBytes: 0 },
    { name: "lan10", up: false, loopback: false, kind: undefined, receivedBytes: 0, sentBytes: 0 },
  ]);
});

Deno.test("neighbours are those with an address of hardware that were heard lately", () => {
  const at = (state: string, confirmed?: number) => ({
    dst: "192.168.1.2",
    lladdr: MAC,
    state: [state],
    confirmed,
  });
  const alive = (entry: unknown) => parseNeighbours([entry]).map(({ alive }) => alive);
  assertEquals(alive(at("REACHABLE")), [true]);
  assertEquals(alive(at("STALE", 30)), [true]);
  assertEquals(alive(at("STALE", 3000)), [false]);
  assertEquals(alive(at("FAILED")), []);
  assertEquals(alive({ dst: "fe80::1", lladdr: MAC, state: ["REACHABLE"] }), []);
});

Deno.test("leases that have not ended give names; those that call themselves * give none", () => {
  const text = `2000 ${MAC.toLowerCase()} 192.168.1.5 phone *\n500 02:00:00:00:00:01 192.168.1.6 old *\n` +
    "0 02:00:00:00:00:02 192.168.1.7 * *\nduid 00:01\nnonsense";
  assertEquals(
    [...parseLeases(text, 1_000_000)],
    [[MAC, { address: "192.168.1.5", hostName: "phone" }], ["02:00:00:00:00:02", { address: "192.168.1.7" }]],
  );
});
