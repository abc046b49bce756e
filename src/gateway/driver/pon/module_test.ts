import { assertEquals } from "@std/assert";
import { parseModule } from "./module.ts";

/** In the form of ethtool for a module with diagnostics (SFF-8472). */
const TEXT = `	Identifier                                : 0x03 (SFP)
	Vendor name                               : EXAMPLE
	Laser bias current                        : 6.340 mA
	Laser output power                        : 0.5012 mW / -3.00 dBm
	Receiver signal average optical power     : 0.2042 mW / -6.90 dBm
	Module temperature                        : -5.50 degrees C / 22.10 degrees F
	Module voltage                            : 3.2845 V
	Alarm/warning flags implemented           : Yes
	Laser bias current high alarm             : Off
	Laser bias current high alarm threshold   : 15.000 mA
	Laser output power high alarm threshold   : 1.0000 mW / 0.00 dBm
	Module temperature high alarm threshold   : 90.00 degrees C / 194.00 degrees F
`;

Deno.test("a module's own measurements are read, and not its thresholds", () => {
  assertEquals(parseModule(TEXT), {
    temperature: -5.5,
    voltage: 3.2845,
    current: 6.34,
    txPower: -3,
    rxPower: -6.9,
  });
  assertEquals(parseModule("\tLaser output power   : 0.0000 mW / -40.00 dBm\n")?.txPower, -40);
});

Deno.test("a module without diagnostics has none, whatever else it says", () => {
  for (
    const text of [
      "",
      "netlink error: Operation not supported",
      TEXT.slice(0, 90),
      "Module voltage : high V",
      "x".repeat(1e5),
    ]
  ) {
    assertEquals(parseModule(text), undefined, text.slice(0, 40));
  }
});
