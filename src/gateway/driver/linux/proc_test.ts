import { assertEquals } from "@std/assert";
import {
  cpuLoad,
  parseCpuClass,
  parseCpuTimes,
  parseDefaultInterface,
  parseMemory,
  parseUptime,
} from "./proc.ts";

Deno.test("processor times leave guest time out, which is in user time already", () => {
  const stat = "cpu  100 10 50 800 20 5 5 10 70 30\ncpu0 1 2 3 4\nintr 5\n";
  assertEquals(parseCpuTimes(stat), { total: 1000, idle: 820 });
  assertEquals(parseCpuTimes("cpu  1 2 3 4"), { total: 10, idle: 4 });
  assertEquals(parseCpuTimes(""), undefined);
  assertEquals(parseCpuTimes("cpu  1 2"), undefined);
});

Deno.test("load is the share of time that was not idle, and never out of bounds", () => {
  assertEquals(cpuLoad({ total: 1000, idle: 800 }, { total: 1100, idle: 875 }), 25);
  assertEquals(cpuLoad({ total: 1000, idle: 800 }, { total: 1000, idle: 800 }), undefined);
  // Kernels have let idle time run backwards.
  assertEquals(cpuLoad({ total: 1000, idle: 800 }, { total: 1100, idle: 790 }), 100);
});

Deno.test("memory in use is what is not available, also where an old kernel does not say", () => {
  assertEquals(parseMemory("MemTotal:       1000 kB\nMemFree: 100 kB\nMemAvailable:    250 kB\n"), {
    totalKb: 1000,
    availableKb: 250,
    percent: 75,
  });
  assertEquals(
    parseMemory("MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 50 kB\nCached: 50 kB\n")?.percent,
    80,
  );
  assertEquals(parseMemory("nothing"), undefined);
});

Deno.test("the processor has a name on x86, ARM and MIPS", () => {
  assertEquals(parseCpuClass("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n"), "Some CPU @ 2 GHz");
  assertEquals(parseCpuClass("Processor\t: ARMv7\nHardware\t: Box 9\n"), "Box 9");
  assertEquals(
    parseCpuClass("system type\t\t: MediaTek MT7621\ncpu model\t\t: MIPS 1004Kc\n"),
    "MIPS 1004Kc",
  );
  assertEquals(parseCpuClass(""), undefined);
});

Deno.test("uptime is whole seconds", () => {
  assertEquals(parseUptime("350735.47 234388.90\n"), 350735);
  assertEquals(parseUptime(""), undefined);
});

Deno.test("the default route with the best metric counts", () => {
  const head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
  const routes = head +
    "wan1\t00000000\t0101A8C0\t0003\t0\t0\t200\t00000000\t0\t0\t0\n" +
    "wan0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n" +
    "lan0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
  assertEquals(parseDefaultInterface(routes), "wan0");
  assertEquals(parseDefaultInterface(head), undefined);
});
