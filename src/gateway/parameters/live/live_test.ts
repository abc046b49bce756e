import { assert, assertEquals, assertMatch } from "@std/assert";
import { FakeClock, silentLog } from "../../../base/mod.ts";
import { openParameters, type ParameterTree } from "../mod.ts";
import { bindDevice, bindNetwork, type NetworkFacts } from "./mod.ts";
import type { ConnectionFacts, HostFacts } from "./network.ts";

const ROOT = "InternetGatewayDevice.";

async function stage() {
  const clock = new FakeClock();
  return { clock, tree: await openParameters({ clock, log: silentLog }, undefined) };
}

/** All that has a value beneath a prefix. */
async function shown(tree: ParameterTree, prefix: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const name of tree.names({ prefix })) {
    const { value } = await tree.get(name);
    if (value !== undefined) found[name.slice(prefix.length)] = value;
  }
  return found;
}

Deno.test("ports, hosts and connections are read where the machine tells, and what it does not tell has no value", async () => {
  const { clock, tree } = await stage();
  let looks = 0, hosts: HostFacts[] = [];
  const connections: ConnectionFacts[] = [
    {
      name: "1_INTERNET",
      protocol: "PPPoE",
      up: true,
      addresses: ["2001:db8::2", "192.0.2.2"],
      dns: ["192.0.2.53"],
    },
    { name: "2_VOIP", protocol: "DHCP", up: false, addresses: [], dns: [], uptimeSeconds: 7.9 },
  ];
  const facts: NetworkFacts = {
    clock,
    lan: {
      ports: () =>
        Promise.resolve([{ interface: "eth1", up: true, receivedBytes: 2 ** 32 + 5, sentBytes: 7 }]),
      devices: () => {
        looks++;
        return Promise.resolve(hosts);
      },
    },
    wan: { connections: () => Promise.resolve(connections) },
  };
  using _ = bindNetwork(tree, facts);
  const LAN = `${ROOT}LANDevice.1.`, WAN = `${ROOT}WANDevice.1.WANConnectionDevice.`;
  assertEquals(tree.instances(`${LAN}Hosts.Host.`), []);
  const a = { mac: "64:D9:54:00:00:0A", address: "192.168.1.10", connection: "wifi" } as const;
  const b = { mac: "64:D9:54:00:00:0B", hostName: "printer" };
  hosts = [a, b];
  await tree.refresh();
  assertEquals(await shown(tree, `${LAN}LANEthernetInterfaceConfig.`), {
    "1.Name": "eth1",
    "1.Stats.BytesReceived": 5,
    "1.Stats.BytesSent": 7,
    "1.Status": "Up",
  });
  assertEquals(await shown(tree, `${LAN}Hosts.`), {
    "Host.1.Active": true,
    "Host.1.IPAddress": "192.168.1.10",
    "Host.1.InterfaceType": "802.11",
    "Host.1.MACAddress": a.mac,
    "Host.2.Active": true,
    "Host.2.HostName": "printer",
    "Host.2.MACAddress": b.mac,
    HostNumberOfEntries: 2,
  });
  assertEquals(await shown(tree, WAN), {
    "1.WANIPConnectionNumberOfEntries": 0,
    "1.WANPPPConnection.1.ConnectionStatus": "Connected",
    "1.WANPPPConnection.1.DNSServers": "192.0.2.53",
    "1.WANPPPConnection.1.ExternalIPAddress": "192.0.2.2",
    "1.WANPPPConnection.1.Name": "1_INTERNET",
    "1.WANPPPConnection.1.Password": "",
    "1.WANPPPConnectionNumberOfEntries": 1,
    "2.WANIPConnection.1.AddressingType": "DHCP",
    "2.WANIPConnection.1.ConnectionStatus": "Disconnected",
    "2.WANIPConnection.1.DNSServers": "",
    "2.WANIPConnection.1.Name": "2_VOIP",
    "2.WANIPConnection.1.Uptime": 7,
    "2.WANIPConnectionNumberOfEntries": 1,
    "2.WANPPPConnectionNumberOfEntries": 0,
  });
  assertEquals(looks, 1, "one look is good for all of it");
  hosts = [b];
  await clock.advance(1_000);
  await tree.refresh();
  assertEquals(tree.instances(`${LAN}Hosts.Host.`), [2], "whoever stays keeps the number");
});

Deno.test("a machine that tells nothing, or never answers, leaves the tables empty and holds nobody up", async () => {
  const { clock, tree } = await stage();
  const failing = () => Promise.reject(new Error("no such thing here"));
  using first = bindNetwork(tree, {
    clock,
    lan: { ports: failing, devices: failing },
    wan: { connections: failing },
  });
  await tree.refresh();
  assertEquals(tree.instances(`${ROOT}LANDevice.1.LANEthernetInterfaceConfig.`), []);
  first[Symbol.dispose]();
  const never = () => new Promise<never>(() => {});
  using _ = bindNetwork(tree, { clock, lan: { ports: never, devices: never }, wan: { connections: never } });
  const refreshed = tree.refresh();
  await clock.advance(5_000);
  await refreshed;
});

Deno.test("the gateway tells who it is, and the time with its zone", async () => {
  const { clock, tree } = await stage();
  using _ = bindDevice(tree, {
    clock,
    identity: { vendor: "V", model: "M", firmwareVer: "F", hardwareVer: "H", sn: "64D954-D6AE-1" },
    machine: {
      cpuPercent: () => Promise.resolve(12.6),
      memory: () => Promise.resolve({ totalKb: 100, availableKb: 40 }),
      info: () => Promise.resolve({}),
    },
  });
  assertEquals(await shown(tree, `${ROOT}DeviceInfo.`), {
    HardwareVersion: "H",
    Manufacturer: "V",
    ManufacturerOUI: "64D954",
    "MemoryStatus.Free": 40,
    "MemoryStatus.Total": 100,
    ModelName: "M",
    "ProcessStatus.CPUUsage": 13,
    ProductClass: "M",
    ProvisioningCode: "",
    SerialNumber: "D6AE-1",
    SoftwareVersion: "F",
    SpecVersion: "1.0",
    X_GATEHOUSE_Name: "",
  });
  const { value } = await tree.get(`${ROOT}Time.CurrentLocalTime`);
  assertMatch(String(value), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$/);
  assertEquals(Date.parse(String(value)), clock.now());
  const zone = (await tree.get(`${ROOT}Time.LocalTimeZone`)).value;
  assert(String(value).endsWith(String(zone)));
});
