import { assertEquals, assertThrows } from "@std/assert";
import { PluginError } from "./errors.ts";
import { declaredFor, DEFAULT_CEILINGS, DEFAULT_LIMITS, readFacts } from "./manifest.ts";

const RULES = { ceilings: DEFAULT_CEILINGS, capabilities: ["system.cpu", "system.memory"] };
const GOOD = {
  name: "com.example.cpu",
  version: "1.0",
  apiVersion: "2026-11-01",
  commands: { QUERY: { right: "remote" } },
};

function read(manifest: unknown, commands = ["QUERY"]) {
  return readFacts(JSON.stringify({ manifest, commands, start: false, stop: false, health: false }), RULES)
    .manifest;
}

function faultsOf(manifest: unknown, commands = ["QUERY"]): readonly string[] {
  const error = assertThrows(() => read(manifest, commands), PluginError);
  assertEquals(error.code, "invalid");
  return error.faults;
}

Deno.test("a manifest without limits and capabilities gets the usual limits and no capability", () => {
  const manifest = read(GOOD);
  assertEquals(manifest.limits, DEFAULT_LIMITS);
  assertEquals(manifest.capabilities, []);
});

Deno.test("what is missing or unknown in a manifest is told in plain words", () => {
  const { version: _, ...rest } = GOOD;
  assertEquals(faultsOf({ ...rest, limits: { memory: 16 } }), [
    "manifest.version: is missing",
    "manifest.limits.memory: Unknown key",
  ]);
});

Deno.test("every fault of a manifest is named with its path", () => {
  const faults = faultsOf({
    ...GOOD,
    name: "../evil",
    apiVersion: "1999-01-01",
    commands: { QUERY: { right: "everyone" } },
    limits: { memoryMb: 10_000, callMs: 0 },
    colour: "red",
  });
  const paths = faults.map((fault) => fault.split(":")[0]);
  assertEquals(paths.sort(), [
    "manifest.apiVersion",
    "manifest.colour",
    "manifest.commands.QUERY.right",
    "manifest.limits.callMs",
    "manifest.limits.memoryMb",
    "manifest.name",
  ]);
});

Deno.test("an unknown capability is refused with the list of those there are", () => {
  assertEquals(faultsOf({ ...GOOD, capabilities: ["system.disk"] }), [
    `manifest.capabilities.0: no capability "system.disk": there are system.cpu, system.memory`,
  ]);
});

Deno.test("a command without a function of its name is a fault", () => {
  assertEquals(faultsOf(GOOD, []), [`manifest.commands.QUERY: no function of this name in "commands"`]);
});

Deno.test("a plug-in without a manifest is refused", () => {
  assertThrows(() => read(null), PluginError, `exports no "manifest"`);
});

Deno.test("names that would be trouble as paths are refused", () => {
  for (const name of ["", ".", "..", "a/b", "a\\b", ".hidden", "a\0b", "x".repeat(101), "a ", "名"]) {
    assertEquals(faultsOf({ ...GOOD, name }).length, 1, name);
  }
});

Deno.test("a declared path covers a name, or all that begins with it, and writing is declared apart", () => {
  const { parameters } = read({
    ...GOOD,
    parameters: { read: ["Device.Time.", "Device.Name"], write: ["Device.Wifi.1."] },
  });
  const may = (access: "read" | "write", name: string) => declaredFor(parameters, access, name) !== undefined;
  assertEquals(
    [
      "Device.Time.Zone",
      "Device.Name",
      "Device.Names",
      "Device.Wifi.1.SSID",
      "Device.Wifi.11.SSID",
      "Device.",
    ]
      .map((name) => [may("read", name), may("write", name)]),
    [[true, false], [true, false], [false, false], [true, true], [false, false], [false, false]],
  );
  assertEquals(declaredFor(read(GOOD).parameters, "read", "Device.Time.Zone"), undefined);
});

Deno.test("paths that are none, or too many, are faults with their place", () => {
  const odd = ["", ".", "Device..Time", "*", "Device.*", "Device.{i}.", " Device.", "../x", "x".repeat(257)];
  odd.forEach((path) => {
    const [fault, ...more] = faultsOf({ ...GOOD, parameters: { write: [path] } });
    assertEquals([fault!.split(":")[0], more.length <= 1], ["manifest.parameters.write.0", true], path);
  });
  assertEquals(faultsOf({ ...GOOD, parameters: { read: Array(33).fill("A.") } }).length, 1);
  assertEquals(faultsOf({ ...GOOD, parameters: ["A."] }).length > 0, true);
  assertEquals(
    faultsOf({ ...GOOD, parameters: { all: ["A."] } })[0]?.split(":")[0],
    "manifest.parameters.all",
  );
});
