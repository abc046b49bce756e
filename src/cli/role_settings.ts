/**
 * From the table's values to what the roles take.
 *
 * @module
 */
import type { HostPort } from "../base/mod.ts";
import type { TlsFiles } from "../control/mod.ts";
import type { GatewaySettings } from "../gateway/settings.ts";
import type { PlatformSettings } from "../platform/settings.ts";
import { UsageError } from "./errors.ts";
import type { ValuesOf } from "./setting.ts";
import { type GATEWAY_SETTINGS, PLATFORM_SETTINGS } from "./settings_table.ts";
import { shownSettings } from "./shown_settings.ts";

/** An address of this machine, as `Deno.networkInterfaces` gives it. */
export type Interface = Pick<Deno.NetworkInterfaceInfo, "address" | "family">;

/** What the platform takes; `interfaces` is asked only where the advertised name must be found out. */
export function platformSettings(
  values: ValuesOf<typeof PLATFORM_SETTINGS>,
  interfaces: () => readonly Interface[],
): PlatformSettings {
  return {
    dataDir: values.data,
    services: values.services,
    http: values.http,
    tls: tlsOf(values),
    downloads: values.downloads,
    trustedProxies: values["trusted-proxy"],
    distribution: values.distribution,
    access: values.access,
    pluginCenter: values["plugin-center"],
    rateLimit: values["rate-limit"] || undefined,
    corsOrigins: values["cors-origin"],
    push: values.push,
    pushLimits: { perMinute: values["push-rate"], keepDays: values["push-days"] },
    commandDays: values["command-days"],
    advertise: values.advertise ?? ownAddress(values.access, interfaces),
    database: values.database,
    cluster: clusterOf(values),
    databaseSync: values["database-sync"],
    heartbeatSeconds: values.heartbeat,
    registrationsPerSecond: values["registration-rate"],
    receiver: values.receiver,
    adminToken: values["admin-token"],
    requireSigned: values["require-signed"],
    webhooks: { allow: values["webhook-allow"], key: values["webhook-key"] },
    auditDays: values["audit-days"],
    inForce: shownSettings(PLATFORM_SETTINGS, values),
    sms: {
      listen: values.sms,
      short: values["sms-short"],
      gatewayCode: values["ismg-code"],
      peer: values["sms-peer"],
      gns: values.gns,
      gnsServer: values["gns-server"],
      gnsTakesUpdates: values["gns-updates"],
      activeTestMs: values["sms-active-test"] * 1000,
      responseMs: values["sms-response"] * 1000,
      attempts: values["sms-attempts"],
      validityMs: values["sms-validity"] * 3_600_000,
      retentionMs: values["sms-days"] * 86_400_000,
      maxBacklog: values["sms-backlog"],
      durable: values["sms-durable"],
      utcOffsetMinutes: values["sms-zone"],
      billing: values["sms-billing"] ?? [],
      outlet: {
        url: values["sms-outlet"],
        password: values["sms-outlet-password"],
        passwordFile: values["sms-outlet-password-file"],
      },
    },
  };
}

/** One node among several needs a name of its own, and a database that the others see too. @throws {UsageError} */
function clusterOf(values: ValuesOf<typeof PLATFORM_SETTINGS>): PlatformSettings["cluster"] {
  const { nats, node, database, lease } = values;
  if (nats === undefined) return undefined;
  if (node === undefined) throw new UsageError("--nats needs --node: a name that no other node has");
  if (!database || database.startsWith("sqlite:")) {
    throw new UsageError("--nats needs --database postgres://…: the nodes share one");
  }
  return { node, nats, leaseMs: lease * 1000 };
}

/** A certificate is nothing without its key. @throws {UsageError} */
function tlsOf(
  { "tls-cert": cert, "tls-key": key }: { "tls-cert"?: string | undefined; "tls-key"?: string | undefined },
): TlsFiles | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined) throw new UsageError("--tls-key needs --tls-cert: the file with its certificate");
  if (key === undefined) throw new UsageError("--tls-cert needs --tls-key: the file with its private key");
  return { cert, key };
}

/** What the gateway takes. */
export function gatewaySettings(values: ValuesOf<typeof GATEWAY_SETTINGS>): GatewaySettings {
  return {
    dataDir: values.data,
    mgtUrl: values["mgt-url"],
    port: values.port,
    mac: values.mac,
    sn: values.sn,
    loid: values.loid,
    vendor: values.vendor,
    model: values.model,
    firmwareVer: values["firmware-ver"],
    hardwareVer: values["hardware-ver"],
    card: values.card,
    local: values.local,
    lanInterfaces: values["lan-interfaces"],
    localHttp: values["local-http"],
    startSpreadSeconds: values["start-spread"],
    control: values.control,
    tls: tlsOf(values),
    pluginsDir: values.plugins,
    maxPlugins: values["max-plugins"],
    keepVersions: values["keep-versions"],
    isolation: values.isolation,
    driver: values.driver,
    seed: values.seed,
    machine: {
      commands: {
        reboot: values["reboot-command"],
        recover: values["recovery-command"],
        upgrade: values["upgrade-command"],
      },
      vendorCommand: values["vendor-command"],
      wanInterfaces: values["wan-interfaces"],
      hostapdFiles: values.hostapd === undefined ? undefined : [values.hostapd],
      dnsmasq: values["dnsmasq-dir"] === undefined
        ? undefined
        : { dir: values["dnsmasq-dir"], reload: values["dnsmasq-reload"] },
    },
    requireSigned: values["require-signed"],
    adminToken: values["admin-token"],
    passwordsFile: values.passwords,
  };
}

/** Where gateways find a platform that does not say so: where it listens, else this machine's first address. */
function ownAddress(access: HostPort, interfaces: () => readonly Interface[]): string {
  if (access.host !== "0.0.0.0" && access.host !== "::") return access.host;
  const family = access.host === "::" ? "IPv6" : "IPv4";
  const outer = interfaces().find((one) =>
    one.family === family && !/^(127\.|169\.254\.|::1$|fe80:)/.test(one.address)
  );
  return outer?.address ?? (family === "IPv6" ? "::1" : "127.0.0.1");
}
