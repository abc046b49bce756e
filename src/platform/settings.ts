/**
 * What a platform is told when it starts: the flags, the configuration file and the environment after checking.
 *
 * @module
 */
import type { HostPort } from "../base/mod.ts";
import type { TlsFiles } from "../control/mod.ts";
import type { IpNetwork } from "../net/mod.ts";
import type { RequireSigned } from "../sandbox/package/mod.ts";
import type { SyncMode } from "../storage/mod.ts";
import type { SmsSettings } from "./sms/mod.ts";

/** What takes gateways' datagrams in: the service itself, or a thread that goes on while it is busy. */
export const RECEIVERS = ["inline", "thread"] as const;
/** One of {@linkcode RECEIVERS}. */
export type Receiver = typeof RECEIVERS[number];

/** The services that a platform can run, each startable alone by `--services`. */
export const SERVICES = ["distribution", "access", "plugin_center", "push", "app", "sms", "gns"] as const;
/** One of {@linkcode SERVICES}. */
export type ServiceName = typeof SERVICES[number];
/** Those that run where nobody says: what home gateways need. */
export const DEFAULT_SERVICES: readonly ServiceName[] = [
  "distribution",
  "access",
  "plugin_center",
  "push",
  "app",
];

/** Settings of `--role platform`. */
export interface PlatformSettings {
  /** Folder of everything that must survive a restart. */
  readonly dataDir: string;
  readonly services: readonly ServiceName[];
  /** The control API, the phone app's API and the plug-in downloads; default `0.0.0.0:8080`. */
  readonly http: HostPort;
  /** HTTPS with the certificate in these files; absent: HTTP. */
  readonly tls?: TlsFiles | undefined;
  /** Where plug-ins can be fetched without TLS too; absent: only with the rest of HTTP. */
  readonly downloads?: HostPort | undefined;
  /** Proxies whose word is taken for whom a request comes from; absent: none. */
  readonly trustedProxies?: readonly IpNetwork[] | undefined;
  /** UDP and TCP; default `0.0.0.0:12112`. */
  readonly distribution: HostPort;
  /** UDP; default `0.0.0.0:12113`. */
  readonly access: HostPort;
  /** TCP; default `0.0.0.0:12114`. */
  readonly pluginCenter: HostPort;
  /** TCP; default `0.0.0.0:12115`. Registrations announce it as `MessageServer` where the service runs. */
  readonly push: HostPort;
  /** Messages a minute that one gateway may push, default 120; days that messages are kept, default 30. */
  readonly pushLimits?: { readonly perMinute: number; readonly keepDays: number };
  /** Days that ended commands are kept; default 90. */
  readonly commandDays?: number;
  /** The host name or address that acks and triggers name to gateways. */
  readonly advertise: string;
  /** `sqlite:PATH` or `postgres://…`; undefined: `<data>/platform.db`. */
  readonly database: string | undefined;
  /** How far a commit of `sqlite:` goes before it is answered; undefined: `normal`. */
  readonly databaseSync?: SyncMode | undefined;
  /** One node among several: they share a PostgreSQL database, and speak over NATS (docs/cluster.md). */
  readonly cluster?: {
    readonly node: string;
    readonly nats: string;
    readonly leaseMs?: number | undefined;
  } | undefined;
  /** Seconds between heartbeats that registrations hand out; default 60. */
  readonly heartbeatSeconds: number;
  /** Registrations begun with a second, at distribution and at access each; undefined: all that come. */
  readonly registrationsPerSecond?: number | undefined;
  /** What takes datagrams in: the service itself (default), or a thread for each port. */
  readonly receiver?: Receiver | undefined;
  /** Requests a minute that one caller may make; absent: no limit. */
  readonly rateLimit?: number | undefined;
  /** Origins whose pages may use the API from a browser; absent: none. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** The first administrator's token; undefined: kept in, or made on first start and written to, `<data>/admin.token`. */
  readonly adminToken: string | undefined;
  /**
   * Whether the repository takes in and hands out only plug-ins that a trusted key signed: `carrier` and `all` are the
   * same here. Undefined: none. The keys are in `<data>/trust.json`.
   */
  readonly requireSigned?: RequireSigned | undefined;
  /** What webhooks may call besides the internet, and the text that their secrets are sealed under. */
  readonly webhooks?: {
    /** Host names, addresses, networks such as `10.1.0.0/16`. */
    readonly allow?: readonly string[] | undefined;
    /** Undefined: a key that is kept in, or made and written to, `<data>/webhook.key`. */
    readonly key?: string | undefined;
  };
  /** The short-message service's ports (TCP) and gateway code; defaults `0.0.0.0:7890`, `0.0.0.0:7900`, `001001`. */
  readonly sms?: SmsPlatformSettings;
  /** Days that the audit's entries are kept; absent or 0: without end. */
  readonly auditDays?: number | undefined;
  /** Every setting by its name as text for operators, without secrets; absent: nothing is shown. */
  readonly inForce?: Readonly<Record<string, string>> | undefined;
}

/** What an operator tunes of the service; what is left out is as `DEFAULT_SMS_SETTINGS` has it. */
type SmsTuning = Partial<
  Pick<
    SmsSettings,
    | "activeTestMs"
    | "responseMs"
    | "attempts"
    | "validityMs"
    | "retentionMs"
    | "maxBacklog"
    | "durable"
    | "utcOffsetMinutes"
    | "billing"
  >
>;

/** The short-message service's part. */
export interface SmsPlatformSettings extends SmsTuning {
  readonly listen: HostPort;
  readonly short: HostPort;
  readonly gatewayCode: string;
  /** Other gateways (TCP); default `0.0.0.0:7930` on the command line. Undefined: none are let in. */
  readonly peer?: HostPort;
  /** The name server's port (TCP), and a gateway's for what its name server tells; default `0.0.0.0:9168`. */
  readonly gns?: HostPort;
  /** false: the name server is a sub-node, whose routes gateways can't change. Default true. */
  readonly gnsTakesUpdates?: boolean;
  /** The name server that this gateway asks for routes. */
  readonly gnsServer?: HostPort | undefined;
  /**
   * The way to a centre: `url` is `simulator` or `smpp://USER:PASSWORD@HOST:PORT`; the password may stand beside it or
   * in a file. Undefined: the simulator.
   */
  readonly outlet?: {
    readonly url: string;
    readonly password?: string | undefined;
    readonly passwordFile?: string | undefined;
  };
}

/** Where the short-message service listens, and what it is called, where nobody says. */
export const DEFAULT_SMS = {
  listen: { host: "0.0.0.0", port: 7890 },
  short: { host: "0.0.0.0", port: 7900 },
  gatewayCode: "001001",
  peer: { host: "0.0.0.0", port: 7930 },
  gns: { host: "0.0.0.0", port: 9168 },
} as const satisfies SmsPlatformSettings;
