/**
 * A parameter tree on a disk, for tests.
 *
 * @module
 */
import { assertRejects } from "@std/assert";
import { FakeClock, silentLog } from "../../../base/mod.ts";
import type { Area } from "../definition.ts";
import { AREAS, ParameterError, type ParameterErrorCode, ParameterTree } from "../mod.ts";

export const WIFI = "InternetGatewayDevice.X_GATEHOUSE_WiFiTimer.";
export const TERMINALS = "InternetGatewayDevice.X_GATEHOUSE_AttachedDevice.";
export const MGT = "InternetGatewayDevice.X_CT-COM_Mgt.";
export const SERVER = "InternetGatewayDevice.ManagementServer.";
export const WLAN = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.";

/** A folder of its own, and ways to open the tree in it. */
export async function bench(
  test: (bench: {
    clock: FakeClock;
    path: string;
    open: (
      presets?: Record<string, string | number | boolean>,
      areas?: readonly Area[],
    ) => Promise<ParameterTree>;
  }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const clock = new FakeClock(), path = `${folder}/parameters.json`;
  try {
    await test({
      clock,
      path,
      open: (presets = {}, areas = AREAS) =>
        ParameterTree.open({ clock, log: silentLog }, { path, areas, presets }),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Why it was refused. */
export async function codeOf(promise: Promise<unknown>): Promise<ParameterErrorCode> {
  return (await assertRejects(() => promise, ParameterError)).code;
}
