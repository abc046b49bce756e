import { assert, assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "./errors.ts";
import { flagNames, readCommandLine } from "./flags.ts";

Deno.test("flags are read in both forms", () => {
  const { values, help, version } = readCommandLine([
    "--role",
    "gateway",
    "--port=12",
    "--card=--x",
    "-h",
    "-V",
  ]);
  assertEquals([...values], [["role", "gateway"], ["port", "12"], ["card", "--x"]]);
  assert(help && version);
});

Deno.test("what is no flag, or no good one, is refused in a sentence that names it", () => {
  const refused: [string[], string][] = [
    [["gateway"], 'unexpected argument "gateway"'],
    [["-x"], 'unexpected argument "-x"'],
    [["--rolle", "x"], "unknown flag --rolle: did you mean --role?"],
    [["--frobnicate"], "unknown flag --frobnicate: see --help"],
    [["--http", "--role"], "--http needs a value: an IP address and a port"],
    [["--role"], "--role needs a value: gateway or platform"],
    [["--port", "1", "--port", "2"], "--port is given twice"],
    [["--help=yes"], "--help takes no value"],
    [["--admin-token", "secret"], "unknown flag --admin-token"],
    [["--__proto__", "x"], "unknown flag --__proto__"],
    [["--"], "unknown flag --"],
  ];
  for (const [args, message] of refused) {
    assertThrows(() => readCommandLine(args), UsageError, message);
  }
});

Deno.test("no flag that others rely on is missing", () => {
  const relied =
    "role config data log-level log-format version help services http distribution access plugin-center " +
    "push advertise database nats node mgt-url port mac sn loid vendor model local control plugins isolation driver";
  const there = flagNames();
  assertEquals(relied.split(" ").filter((name) => !there.includes(name)), []);
});
