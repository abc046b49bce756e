import { assert, assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../../base/mod.ts";
import { DriverError } from "../errors.ts";
import { LinuxLan } from "./linux.ts";
import {
  DEVICE_MACS,
  GATEWAY_ADDRESS,
  homeless,
  SERVER_ADDRESS,
  type TestHome,
  testHome,
} from "./testing.ts";

const without = await homeless();
// deno-lint-ignore no-console -- says why tests are ignored
if (without !== undefined) console.error(`tests with network namespaces are left out: ${without}`);
/** A test that has a home of its own. */
const inHome = (name: string, fn: (home: TestHome, lan: LinuxLan) => Promise<void>) =>
  Deno.test({
    name,
    ignore: without !== undefined,
    async fn() {
      await using home = await testHome();
      await fn(home, new LinuxLan({ clock: systemClock, runner: home.runner, leaseFiles: [] }));
    },
  });

const { phone, laptop } = DEVICE_MACS;
const rights = (internet: boolean, storage = true) => [{ mac: phone, internet, storage }];

inHome("ports and their counters are those of the bridge, in their order", async (home, lan) => {
  const before = await lan.ports();
  assertEquals(before.map(({ name, interface: on, up }) => [name, on, up]), [["LAN1", "lan1", true], [
    "LAN2",
    "lan2",
    true,
  ]]);
  await home.transfer("phone", "up", 100_000);
  const after = await lan.ports();
  assert(after[0]!.receivedBytes >= before[0]!.receivedBytes + 100_000);
  assert(after[1]!.receivedBytes < before[1]!.receivedBytes + 100_000);
  await home.in("laptop", "ip", "link", "set", "eth0", "down");
  assertEquals((await lan.ports()).map(({ up }) => up), [true, false]);
});

inHome(
  "devices are those that the bridge has heard, with address, port and the name of their lease",
  async (home) => {
    const leaseFile = await Deno.makeTempFile();
    await Deno.writeTextFile(leaseFile, `0 ${phone} 192.168.77.11 phone 01:${phone}\n`);
    const lan = new LinuxLan({ clock: systemClock, runner: home.runner, leaseFiles: [leaseFile] });
    await home.in("phone", "ping", "-c", "1", GATEWAY_ADDRESS);
    await home.in("laptop", "ping", "-c", "1", GATEWAY_ADDRESS);
    assertEquals(await lan.devices(), [
      { mac: phone, address: "192.168.77.11", hostName: "phone", connection: "cable", port: "LAN1" },
      { mac: laptop, address: "192.168.77.12", connection: "cable", port: "LAN2" },
    ]);
    // Plugged out, it is forgotten.
    await home.in("gateway", "ip", "link", "set", "lan2", "down");
    assertEquals((await lan.devices()).map(({ mac }) => mac), [phone]);
    await Deno.remove(leaseFile);
  },
);

inHome(
  "a device without internet reaches nothing outside, everything inside, and comes back",
  async (home, lan) => {
    await home.serve("gateway", 8080);
    await lan.setAccess(rights(false));
    await lan.setAccess(rights(false));
    await assertRejects(() => home.transfer("phone", "up", 1000));
    await assertRejects(() => home.in("phone", "ping", "-c", "1", "-W", "1", SERVER_ADDRESS));
    await home.transfer("phone", "up", 1000, `${GATEWAY_ADDRESS}:8080`);
    await home.transfer("laptop", "up", 1000);
    await lan.setAccess([]);
    await home.transfer("phone", "up", 1000);
    assert(!(await home.in("gateway", "nft", "list", "tables")).includes("gatehouse"), "nothing is left");
  },
);

inHome(
  "what the outside sends to a device without internet is stopped too, once the device tried",
  async (home, lan) => {
    await home.in("server", "ping", "-c", "1", "192.168.77.11");
    await lan.setAccess(rights(false));
    await assertRejects(() => home.in("phone", "ping", "-c", "1", "-W", "1", SERVER_ADDRESS));
    const dropped = await home.in("gateway", "nft", "list", "set", "inet", "gatehouse_access", "silent4");
    assert(dropped.includes("192.168.77.11"));
    await assertRejects(() => home.in("server", "ping", "-c", "1", "-W", "1", "192.168.77.11"));
    // Another device that gets the same address is not stopped for it.
    await home.in("phone", "ip", "addr", "flush", "dev", "eth0");
    await home.in("laptop", "ip", "addr", "add", "192.168.77.11/24", "dev", "eth0");
    await home.in("laptop", "ping", "-c", "1", "-W", "4", "-I", "192.168.77.11", SERVER_ADDRESS);
  },
);

inHome("a device without storage does not reach what the gateway shares, and all else", async (home, lan) => {
  await Promise.all([home.serve("gateway", 445), home.serve("gateway", 8080)]);
  await home.transfer("phone", "up", 1000, `${GATEWAY_ADDRESS}:445`);
  await lan.setAccess(rights(true, false));
  await assertRejects(() => home.transfer("phone", "up", 1000, `${GATEWAY_ADDRESS}:445`));
  await home.transfer("phone", "up", 1000, `${GATEWAY_ADDRESS}:8080`);
  await home.transfer("phone", "up", 1000);
  await home.transfer("laptop", "up", 1000, `${GATEWAY_ADDRESS}:445`);
});

/** Bytes that may pass beyond the rate: the bursts of the queues, and what buffers hold. */
const SLACK = 150_000;

/** The least time in milliseconds that bytes take at a rate. Being slower is never wrong on a busy machine. */
const leastMs = (bytes: number, kbps: number) => 8 * (bytes - SLACK) / kbps;

inHome("a device is held to its bandwidth in both directions, and let go again", async (home, lan) => {
  await lan.setBandwidth([{ mac: phone, upKbps: 2_000, downKbps: 4_000 }]);
  const up = await home.transfer("phone", "up", 500_000),
    down = await home.transfer("phone", "down", 1_000_000);
  assert(up >= leastMs(500_000, 2_000), `up took ${up} ms`);
  assert(down >= leastMs(1_000_000, 4_000), `down took ${down} ms`);
  // Its classes have seen it; a device that has no limit passes them by.
  const classes = await home.in("gateway", "tc", "-s", "class", "show", "dev", "gatehouse-ifb");
  assert(Number(/Sent (\d+) bytes/.exec(classes)![1]) > 500_000);
  await home.transfer("laptop", "up", 5_000_000);
  const after = await home.in("gateway", "tc", "-s", "class", "show", "dev", "gatehouse-ifb");
  assert(Number(/Sent (\d+) bytes/.exec(after)![1]) < 1_000_000);

  await lan.setBandwidth([{ mac: phone, upKbps: 0, downKbps: 1_000 }, {
    mac: laptop,
    upKbps: 500,
    downKbps: 0,
  }]);
  const slower = await home.transfer("phone", "down", 400_000);
  assert(slower >= leastMs(400_000, 1_000), `down took ${slower} ms`);

  await lan.setBandwidth([]);
  const left = await home.in("gateway", "tc", "qdisc", "show");
  assert(!/htb|ingress/.test(left), left);
  await assertRejects(() => home.in("gateway", "ip", "link", "show", "gatehouse-ifb"));
});

inHome("shaping of somebody else's is left alone", async (home, lan) => {
  await home.in("gateway", "tc", "qdisc", "add", "dev", "br-lan", "root", "handle", "1:", "htb");
  const error = await assertRejects(
    () => lan.setBandwidth([{ mac: phone, upKbps: 0, downKbps: 1_000 }]),
    DriverError,
  );
  assertEquals([error.code, error.message], ["unsupported", "br-lan is shaped by something else (htb)"]);
  await lan.setBandwidth([]);
  assert((await home.in("gateway", "tc", "qdisc", "show")).includes("htb 1:"));
});

Deno.test("an interface whose name would mean more than a name is refused", () => {
  const runner = {} as ConstructorParameters<typeof LinuxLan>[0]["runner"];
  for (const name of ['a" drop', "-x", "a".repeat(16), "a b", ""]) {
    let code = "";
    try {
      new LinuxLan({ clock: systemClock, runner, interfaces: [name] });
    } catch (error) {
      code = (error as DriverError).code;
    }
    assertEquals(code, "invalid", name);
  }
});
