/**
 * A user's own gateway, or nobody's as far as that user is told.
 *
 * @module
 */
import { problem } from "../../control/mod.ts";
import type { BindingStore, OwnedGateway } from "./bindings.ts";

/** What finds the gateway with that MAC among a user's own; it throws a 404 `gateway_not_found` for any other. */
export function ownIn(
  bindings: Pick<BindingStore, "find">,
): (userId: string, mac: string) => Promise<OwnedGateway> {
  return async (userId, mac) => {
    const gateway = await bindings.find(userId, mac);
    if (!gateway) throw problem(404, "gateway_not_found", `you have no gateway ${mac}`);
    return gateway;
  };
}
