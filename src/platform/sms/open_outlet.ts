/**
 * From a setting to the way to a centre.
 *
 * @module
 */
import { type Deps, GatehouseError, messageOf } from "../../base/mod.ts";
import type { Outlet } from "./outlet.ts";
import { parseSmppUrl, type SmppDeps, SmppOutlet } from "./smpp/mod.ts";
import { Simulator } from "./simulator.ts";
import { parseSimulatorUrl } from "./simulator_settings.ts";

/** Which centre, as an operator names it. */
export interface OutletChoice {
  /** `simulator`, `simulator:?…` with how it behaves, or `smpp://USER:PASSWORD@HOST:PORT?…`. */
  readonly url: string;
  /** Stands in where the URL has no password. */
  readonly password?: string | undefined;
  /** A file with the password, where neither of the others has it. */
  readonly passwordFile?: string | undefined;
}

/** The setting is none, or its password can't be read. */
export class OutletError extends GatehouseError<"sms_outlet"> {
  override readonly name = "OutletError";
}

/** Opens the way; it connects by itself. @throws {OutletError} */
export async function openOutlet(
  deps: SmppDeps & Pick<Deps, "metrics" | "random">,
  { url, password, passwordFile }: OutletChoice,
): Promise<Outlet> {
  const behaviour = parseSimulatorUrl(url);
  if (behaviour) return new Simulator(deps.clock, deps.random, behaviour);
  const settings = parseSmppUrl(url, password ?? await secretIn(passwordFile));
  if (!settings) {
    // Without the URL: it may hold the password.
    throw new OutletError(
      "sms_outlet",
      "the short-message outlet is none: give simulator, simulator:? with latency=100-500, " +
        "&outcomes=UNDELIV:0.1,EXPIRED:0.1, &silent=, &refused= (shares of 1) and &busy=yes as needed, or smpp://USER:PASSWORD@HOST:PORT with " +
        "?window=, &enquire=, &response=, &system_type= and &alphabet=ascii or gsm as needed",
    );
  }
  return await SmppOutlet.open(deps, settings);
}

async function secretIn(path: string | undefined): Promise<string> {
  if (path === undefined) return "";
  try {
    return (await Deno.readTextFile(path)).trim();
  } catch (error) {
    throw new OutletError("sms_outlet", `the outlet's password can't be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
