import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock, GatehouseError, silentLog } from "../../base/mod.ts";
import { openParameters } from "./mod.ts";

const SSID = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.1.SSID";
const HEARTBEAT = "InternetGatewayDevice.X_CT-COM_Mgt.Heartbeat";
const deps = { clock: new FakeClock(), log: silentLog };

Deno.test("the operator's factory presets are what is restored, and what the machine was at the factory is not made up", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${folder}/factory_presets.json`,
      JSON.stringify({ [SSID]: "Carrier-1", [HEARTBEAT]: "90" }),
    );
    const tree = await openParameters(deps, folder);
    let machine = "set by hand";
    tree.bind("InternetGatewayDevice.LANDevice.{i}.WLANConfiguration.{i}.", {
      instances: () => [1, 2],
      apply: (changes) => void (machine = String(changes[0]!.value)),
    });
    assertEquals(tree.peek(HEARTBEAT), 90);
    await tree.set({ [SSID]: "changed" }, "app");
    await tree.set({ [SSID.replace("1.SSID", "2.SSID")]: "changed too" }, "app");
    assertEquals(await tree.restore("itms"), 1, "of the other nobody knows what it was");
    assertEquals([machine, tree.peek(SSID)], ["Carrier-1", "Carrier-1"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a file of factory presets with faults is refused with all of them", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const open = async (text: string, why: string) => {
      await Deno.writeTextFile(`${folder}/factory_presets.json`, text);
      const error = await assertRejects(() => openParameters(deps, folder), GatehouseError, why);
      assertEquals((error as GatehouseError).code, "bad_presets_file");
    };
    await open("{", "not JSON");
    await open("[]", "not a JSON object");
    await open(`{"${HEARTBEAT}": 0, "Nothing.Such": 1, "__proto__": 1}`, "Nothing.Such");
    await open(`{"${HEARTBEAT}": 0}`, `"${HEARTBEAT}": not from 1 to 86400`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
