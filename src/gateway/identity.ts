/**
 * Who this gateway says it is.
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };
import type { GatewaySettings } from "./settings.ts";

/** Version of this software, as `AppVer` and `SWVersion` say it. */
export const APP_VERSION: string = config.version;

/** What Boot messages carry; fixed while the gateway runs. */
export interface Identity {
  readonly vendor: string;
  readonly model: string;
  readonly firmwareVer: string;
  readonly hardwareVer: string;
  readonly osVer: string;
  readonly appVer: string;
  readonly mac: string;
  readonly sn: string;
  readonly loid: string;
  readonly card: string;
}

/** The identity that the settings give; `osVer` comes from the machine. */
export function identityOf(settings: GatewaySettings, osVer: string): Identity {
  return {
    vendor: settings.vendor,
    model: settings.model,
    firmwareVer: settings.firmwareVer ?? APP_VERSION,
    hardwareVer: settings.hardwareVer ?? "",
    osVer,
    appVer: APP_VERSION,
    mac: settings.mac,
    sn: settings.sn,
    loid: settings.loid,
    card: settings.card ?? "",
  };
}
