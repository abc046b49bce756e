/**
 * What the plug-ins say of themselves that gateways ship with: they are on gateways without having been uploaded.
 *
 * @module
 */
import deviceIdentity from "../../../plugins/device-identity.js" with { type: "text" };
import diagnostics from "../../../plugins/diagnostics.js" with { type: "text" };
import lan from "../../../plugins/lan.js" with { type: "text" };
import management from "../../../plugins/management.js" with { type: "text" };
import service from "../../../plugins/service.js" with { type: "text" };
import systemMonitor from "../../../plugins/system-monitor.js" with { type: "text" };
import wan from "../../../plugins/wan.js" with { type: "text" };
import wifi from "../../../plugins/wifi.js" with { type: "text" };
import { checkSource, type RawManifest } from "../../sandbox/package/mod.ts";

const SOURCES = [deviceIdentity, diagnostics, lan, management, service, systemMonitor, wan, wifi];

let read: Promise<readonly RawManifest[]> | undefined;

/** Their manifests, read without running anything; once, for they are part of the program. */
export function shippedManifests(): Promise<readonly RawManifest[]> {
  return read ??= Promise.all(SOURCES.map((source) => checkSource(source)));
}
