/**
 * What timers hold off, remembered in the parameter tree: a gateway that is killed after its timer was removed and before
 * the radio was on again finds it there.
 *
 * @module
 */
import type { ParameterTree } from "../parameters/mod.ts";
import type { HeldOff } from "../schedule/mod.ts";

/** `WiFi` or `LED`. */
export function heldOff(tree: ParameterTree, what: "WiFi" | "LED"): HeldOff {
  const name = `InternetGatewayDevice.X_GATEHOUSE_TimerState.${what}HeldOff`;
  return {
    get: () => tree.peek(name) === true,
    set: (value) => tree.set({ [name]: value }, { source: "system", by: "timer" }),
  };
}
