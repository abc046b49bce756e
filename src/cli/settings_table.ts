/**
 * The table of settings. Everything that reads, checks, shows or documents a setting goes by it.
 *
 * @module
 */
import { LOG_LEVELS, type LogFormat } from "../base/mod.ts";
import type { GatewaySettings } from "../gateway/settings.ts";
import { DEFAULT_SERVICES, DEFAULT_SMS, type Receiver, RECEIVERS, SERVICES } from "../platform/settings.ts";
import type { RequireSigned } from "../sandbox/package/mod.ts";
import type { SyncMode } from "../storage/mod.ts";
import {
  command,
  database,
  host,
  ismgCode,
  listenAddress,
  loid,
  mac,
  names,
  nats,
  networks,
  nodeId,
  oneOf,
  origins,
  path,
  prefixes,
  remoteAddress,
  smsOutlet,
  sn,
  someOf,
  targets,
  token,
  whole,
  words,
  yesOrNo,
  zone,
} from "./parsers.ts";
import { optional, required, type Role, ROLES, type SettingsTable, withDefault } from "./setting.ts";

const anywhere = (port: number) => ({ host: "0.0.0.0", port });

/** What both roles ask of plug-ins. */
const requireSigned = withDefault(
  oneOf<RequireSigned>(["none", "carrier", "all"]),
  "none",
  "plug-ins that must be signed by a key in <data>/trust.json: those the carrier installs (a platform's are all such), or all",
);

/** What both roles' HTTP servers take. */
const tlsFiles = {
  "tls-cert": optional(
    path("FILE"),
    "PEM file with the certificate chain for HTTPS; read again when it changes",
    {
      fallbackText: "none: HTTP",
    },
  ),
  "tls-key": optional(path("FILE"), "PEM file with that certificate's private key", {
    fallbackText: "none: HTTP",
  }),
} satisfies SettingsTable;

/** Settings that every role has. */
export const COMMON_SETTINGS = {
  "role": required(oneOf(ROLES), "what to be: one home gateway, or the carrier's platform"),
  "config": optional(path("FILE"), "TOML file with settings under the same names"),
  "data": withDefault(
    path("DIR"),
    "./data",
    "folder of everything that must survive a restart; made if absent",
  ),
  "log-level": withDefault(oneOf(LOG_LEVELS), "info", "the least important log lines to write"),
  "log-format": withDefault(
    oneOf<LogFormat>(["text", "json"]),
    "text",
    "how log lines are written (on stderr)",
  ),
  "admin-token": optional(
    token,
    "the administrator's bearer token, 8 or more characters without spaces",
    {
      fallbackText: "kept in, or made on first start and written to, <data>/admin.token",
      environmentOnly: true,
    },
  ),
} satisfies SettingsTable;

/** Settings of `--role platform`. */
export const PLATFORM_SETTINGS = {
  ...COMMON_SETTINGS,
  "services": withDefault(someOf(SERVICES), DEFAULT_SERVICES, "the services to run"),
  "http": withDefault(listenAddress, anywhere(8080), "HTTP API, phone app's API and plug-in downloads (TCP)"),
  ...tlsFiles,
  "trusted-proxy": optional(
    networks,
    "proxies in front of HTTP whose X-Forwarded-For and X-Forwarded-Proto are believed",
    { fallbackText: "none" },
  ),
  "downloads": optional(
    listenAddress,
    "plug-in downloads without TLS, for gateways that can't do it (TCP)",
    { fallbackText: "only with the HTTP API" },
  ),
  "rate-limit": withDefault(
    whole(0, 10_000_000, "N"),
    30_000,
    "requests a minute that one caller (a token, or without one a network) may make over HTTP; 0: no limit",
  ),
  "cors-origin": optional(origins, "origins whose pages may use the API from a browser", {
    fallbackText: "none",
  }),
  "distribution": withDefault(listenAddress, anywhere(12112), "first registration of gateways (UDP and TCP)"),
  "access": withDefault(listenAddress, anywhere(12113), "registration and heartbeats (UDP)"),
  "plugin-center": withDefault(listenAddress, anywhere(12114), "the channel for plug-ins (TCP)"),
  "push": withDefault(listenAddress, anywhere(12115), "what gateways send of their own accord (TCP)"),
  "push-rate": withDefault(
    whole(1, 1_000_000, "N"),
    120,
    "messages a minute that one gateway may push: it keeps the others and sends them later",
  ),
  "push-days": withDefault(whole(1, 3650, "DAYS"), 30, "days that pushed messages are kept"),
  "command-days": withDefault(whole(1, 3650, "DAYS"), 90, "days that ended commands are kept"),
  "webhook-allow": optional(
    targets,
    "what webhooks may call besides the internet",
    { fallbackText: "nothing" },
  ),
  "webhook-key": optional(
    words("TEXT", 1024, 32),
    "what webhooks' secrets are sealed under in the database, 32 or more characters: the same for all nodes",
    {
      fallbackText: "kept in, or made on first start and written to, <data>/webhook.key",
      environmentOnly: true,
    },
  ),
  "audit-days": withDefault(whole(0, 36_500, "DAYS"), 0, "days that the audit is kept; 0: without end"),
  "sms": withDefault(listenAddress, DEFAULT_SMS.listen, "long connections of SMS providers, CMPP (TCP)"),
  "sms-short": withDefault(listenAddress, DEFAULT_SMS.short, "their short connections (TCP)"),
  "sms-peer": withDefault(listenAddress, DEFAULT_SMS.peer, "other short-message gateways, CMPP FWD (TCP)"),
  "gns": withDefault(
    listenAddress,
    DEFAULT_SMS.gns,
    "the name server's port; of a gateway: where its name server tells it of routes (TCP)",
  ),
  "gns-updates": withDefault(
    yesOrNo,
    true,
    "whether gateways may tell the name server of routes; no: it is a sub-node and answers 4",
  ),
  "gns-server": optional(
    remoteAddress,
    "the name server (GNS) that this short-message gateway asks for routes",
    {
      fallbackText: "none: every phone is served by the own centre",
    },
  ),
  "ismg-code": withDefault(
    ismgCode,
    DEFAULT_SMS.gatewayCode,
    "the ISMG_Id of this short-message gateway or name server",
  ),
  "sms-outlet": withDefault(
    smsOutlet,
    "simulator",
    "the short-message centre: played, or a real one over SMPP 3.4",
  ),
  "sms-outlet-password": optional(words("TEXT", 64), "the centre's password, where the URL has none", {
    fallbackText: "none",
    environmentOnly: true,
  }),
  "sms-outlet-password-file": optional(path("FILE"), "a file with the centre's password", {
    fallbackText: "none",
  }),
  "sms-active-test": withDefault(
    whole(1, 3_600, "SECONDS"),
    180,
    "C: how long a short-message link may be quiet until it is tested",
  ),
  "sms-response": withDefault(
    whole(1, 600, "SECONDS"),
    60,
    "T: how long a short-message request waits for its response until it is sent again",
  ),
  "sms-attempts": withDefault(
    whole(1, 100, "N"),
    3,
    "N: how often a short-message request is sent at most",
  ),
  "sms-validity": withDefault(
    whole(1, 720, "HOURS"),
    48,
    "how long a short message is valid that does not say, and at most",
  ),
  "sms-days": withDefault(whole(1, 3650, "DAYS"), 30, "days that short messages are kept after their end"),
  "sms-backlog": withDefault(
    whole(1, 10_000_000, "N"),
    100_000,
    "short messages that may wait for the centre: more are answered 8",
  ),
  "sms-durable": withDefault(
    yesOrNo,
    true,
    "whether a SUBMIT is answered only when its messages are on disk; no: faster, and a crash loses those on their way",
  ),
  "sms-zone": withDefault(
    zone,
    480,
    "the local time of short messages: in Msg_Ids, reports, QUERY's days and the console",
  ),
  "sms-billing": optional(
    prefixes,
    "numbers that may be billed here (Fee_terminal_Id): others are answered 9",
    {
      fallbackText: "all",
    },
  ),
  "advertise": optional(host, "name or address under which gateways reach this platform", {
    fallbackText: "the access service's address, or else this machine's first address",
  }),
  "database": optional(database, "where registrations and commands are kept", {
    fallbackText: "sqlite:<data>/platform.db",
  }),
  "database-sync": withDefault(
    oneOf<SyncMode>(["normal", "full"]),
    "normal",
    "how far the embedded database writes before it answers: what a power cut may lose",
  ),
  "heartbeat": withDefault(
    whole(1, 86_400, "SECONDS"),
    60,
    "seconds between heartbeats, as told to gateways",
  ),
  "registration-rate": withDefault(
    whole(1, 1_000_000, "N"),
    1000,
    "gateways a second that are let in to register, and to sign in on the plug-in channel: more are told to come again",
  ),
  "receiver": withDefault(
    oneOf<Receiver>(RECEIVERS),
    "inline",
    "what takes gateways' datagrams in: the service itself, or a thread that goes on while it is busy",
  ),
  "require-signed": requireSigned,
  "nats": optional(nats, "messages between several nodes (docs/cluster.md)", {
    fallbackText: "none: one node",
  }),
  "node": optional(nodeId, "this node's name among them, and in the log"),
  "lease": withDefault(
    whole(1, 60, "SECONDS"),
    3,
    "how long a node may be silent until others take over what it held",
  ),
} satisfies SettingsTable;

/** Settings of `--role gateway`. */
export const GATEWAY_SETTINGS = {
  ...COMMON_SETTINGS,
  "mgt-url": withDefault(host, "189cube", "the distribution platform (X_CT-COM_Mgt.MgtURL)"),
  "port": withDefault(whole(1, 65_535), 12112, "the distribution platform's port (X_CT-COM_Mgt.Port)"),
  "mac": required(mac, "this gateway's hardware address"),
  "sn": required(sn, "this gateway's serial number"),
  "loid": required(loid, "the line's logical id, as the carrier gave it"),
  "vendor": withDefault(words("TEXT", 64), "Gatehouse", "the maker's name, as policies know it"),
  "model": withDefault(words("TEXT", 64), "Agent", "the model's name, as policies know it"),
  "firmware-ver": optional(words("TEXT", 64), "the firmware's version", {
    fallbackText: "this program's version",
  }),
  "hardware-ver": optional(words("TEXT", 64), "the hardware's version", { fallbackText: "empty" }),
  "card": optional(words("TEXT", 64), "the number of the smart card in it", { fallbackText: "empty" }),
  "local": withDefault(listenAddress, anywhere(17998), "the phone app's port, for the LAN side only (TCP)"),
  "local-http": optional(
    listenAddress,
    "where the local port also takes requests as an HTTP form, POST /gatewayManage.cmd (TCP)",
    { fallbackText: "nowhere" },
  ),
  "start-spread": withDefault(
    whole(0, 3600, "SECONDS"),
    0,
    "a gateway that was registered before waits a random part of this when it starts: after a power cut not all " +
      "come at once",
  ),
  "lan-interfaces": optional(names, "the interfaces whose neighbours may use the local port", {
    fallbackText: "all that have a private address",
  }),
  "control": withDefault(listenAddress, { host: "127.0.0.1", port: 8081 }, "control API (HTTP)"),
  ...tlsFiles,
  "plugins": withDefault(path("DIR"), "./plugins", "folder that plug-ins are dropped into"),
  "max-plugins": withDefault(whole(1, 1000), 100, "how many plug-ins there may be"),
  "keep-versions": withDefault(whole(0, 20), 2, "earlier versions of each plug-in that stay on the disk"),
  "isolation": withDefault(
    oneOf<GatewaySettings["isolation"]>(["process", "shared", "inline"]),
    "process",
    "plug-ins in a process that can be killed, one for each tier of trust; in one for all, or in this one, to save memory",
  ),
  "driver": withDefault(
    oneOf<GatewaySettings["driver"]>(["linux", "simulated"]),
    "linux",
    "the machine under the gateway",
  ),
  "seed": optional(whole(0, 0xffff_ffff), "what a simulated machine follows from", {
    fallbackText: "made from the MAC address",
  }),
  "wan-interfaces": optional(names, "interfaces towards the outside, also while no route goes out by them", {
    fallbackText: "those that default routes go out by",
  }),
  "reboot-command": optional(command, "restarts the machine", { fallbackText: "none: it is not possible" }),
  "recovery-command": optional(command, "what recovery does beside restoring parameters", {
    fallbackText: "none",
  }),
  "upgrade-command": optional(command, "installs a firmware, whose path is added as the last word", {
    fallbackText: "none: it is not possible",
  }),
  "vendor-command": optional(
    command,
    "does what Linux has no common way for (docs/capabilities.md); the action is added as the last word",
    { fallbackText: "none" },
  ),
  "dnsmasq-dir": optional(
    path("DIR"),
    "the folder of a dnsmasq (its conf-dir) that name servers are set in",
    {
      fallbackText: "none: on OpenWrt its own settings",
    },
  ),
  "hostapd": optional(path("FILE"), "the configuration of hostapd, or the folder of its files", {
    fallbackText: "/etc/hostapd and /etc/hostapd.conf; on OpenWrt its own settings",
  }),
  "dnsmasq-reload": withDefault(
    command,
    ["systemctl", "restart", "dnsmasq"],
    "has that dnsmasq read its folder anew",
  ),
  "require-signed": requireSigned,
  "passwords": optional(path("FILE"), "JSON file with the local passwords, read at each start", {
    fallbackText: "<data>/passwords.json, if there is one",
  }),
} satisfies SettingsTable;

/** The table of each role. */
export const SETTINGS_OF = {
  gateway: GATEWAY_SETTINGS,
  platform: PLATFORM_SETTINGS,
} satisfies Record<Role, SettingsTable>;
