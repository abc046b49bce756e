import { assert, assertEquals } from "@std/assert";
import { FakeClock, systemClock } from "../../../base/mod.ts";
import { LinuxMachine } from "./machine.ts";

/** A /proc of a test's own. */
async function fakeRoot(files: Record<string, string>): Promise<string> {
  const root = await Deno.makeTempDir();
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(`${root}${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(root + path, text);
  }
  return root;
}

Deno.test("this very machine tells its load, its memory and what it is", async () => {
  await using driver = new LinuxMachine({ clock: systemClock });
  const load = await driver.cpuPercent();
  assert(load >= 0 && load <= 100);
  const memory = await driver.memory();
  assert(memory.totalKb > 0 && memory.percent > 0 && memory.percent < 100);
  const info = await driver.info();
  assertEquals(info.ramKb, memory.totalKb);
  assert(info.osVersion?.startsWith("Linux "));
  assert(driver.interfaces().some(({ address }) => address === "127.0.0.1"));
  assertEquals(driver.wanAddress("127.0.0.1"), "127.0.0.1");
});

Deno.test("load is measured between samples, once for all who ask within five seconds", async () => {
  const stat = (busy: number, idle: number) => `cpu  ${busy} 0 0 ${idle} 0 0 0 0\n`;
  const root = await fakeRoot({ "/proc/stat": stat(100, 900) });
  const clock = new FakeClock();
  await using driver = new LinuxMachine({ clock, root, interfaces: () => [] });
  const write = (busy: number, idle: number) => Deno.writeTextFile(`${root}/proc/stat`, stat(busy, idle));
  /** Asks, and lets real file reads and the fake clock have their turns until there is an answer. */
  const ask = async () => {
    let load: number | undefined;
    const asked = driver.cpuPercent().then((value) => load = value);
    for (let i = 0; load === undefined && i < 500; i++) {
      await clock.advance(1);
      if (i === 50) await write(130, 970);
    }
    return await asked;
  };
  assertEquals(await ask(), 30);
  await write(1000, 970);
  assertEquals(await driver.cpuPercent(), 30, "remembered");
  await Deno.remove(root, { recursive: true });
});

Deno.test("what the machine does not tell is absent", async () => {
  const root = await fakeRoot({
    "/proc/sys/kernel/hostname": "box\n",
    "/sys/block/mmcblk0/size": "4096\n",
    "/sys/block/loop0/size": "99\n",
  });
  await using driver = new LinuxMachine({ clock: new FakeClock(), root, interfaces: () => [] });
  const { hostName, flashKb, ipv6 } = await driver.info();
  assertEquals([hostName, flashKb, ipv6], ["box", 2048, false]);
  assertEquals([driver.wanAddress(), driver.lanAddress()], ["0.0.0.0", undefined]);
  await Deno.remove(root, { recursive: true });
});

Deno.test("the own address is the one in the peer's network, else the one of the default route", async () => {
  const root = await fakeRoot({
    "/proc/net/route": "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n" +
      "wan0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\n",
  });
  const interfaces = () => [
    { name: "lo", address: "127.0.0.1", prefix: 8 },
    { name: "lan0", address: "192.168.1.1", prefix: 24 },
    { name: "wan0", address: "203.0.113.5", prefix: 24 },
  ];
  await using driver = new LinuxMachine({ clock: new FakeClock(), root, interfaces });
  assertEquals(driver.wanAddress("192.168.1.50"), "192.168.1.1");
  assertEquals(driver.wanAddress("8.8.8.8"), "203.0.113.5");
  assertEquals(driver.wanAddress("127.0.0.1"), "127.0.0.1");
  assertEquals(driver.lanAddress(), "192.168.1.1");
  await Deno.remove(root, { recursive: true });
});

Deno.test("the default route is looked up once in ten seconds, and only where there is a choice", async () => {
  const clock = new FakeClock();
  let reads = 0, out = "wan0";
  const all = [
    { name: "lan0", address: "192.168.1.1", prefix: 24 },
    { name: "wan0", address: "203.0.113.5", prefix: 24 },
    { name: "wan1", address: "198.51.100.5", prefix: 24 },
  ];
  let there = all.slice(0, 1);
  await using machine = new LinuxMachine({
    clock,
    root: "/none",
    interfaces: () => there,
    readNow: () => {
      reads++;
      return `Iface\tDestination\n${out}\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\n`;
    },
  });
  assertEquals([machine.wanAddress(), reads], ["192.168.1.1", 0]);
  there = all;
  await clock.advance(2_000);
  for (let i = 0; i < 5; i++) assertEquals(machine.wanAddress(), "203.0.113.5");
  assertEquals([machine.lanAddress(), reads], ["192.168.1.1", 1]);
  out = "wan1";
  await clock.advance(10_000);
  assertEquals([machine.wanAddress(), reads], ["198.51.100.5", 2]);
});
