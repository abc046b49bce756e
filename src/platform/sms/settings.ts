/**
 * What the short-message service is told when it starts.
 *
 * @module
 */
import type { HostPort } from "../../base/mod.ts";
import { type AlarmLimits, DEFAULT_ALARM_LIMITS } from "./alarms.ts";

/** Settings of the service; {@linkcode DEFAULT_SMS_SETTINGS} has all but the addresses. */
export interface SmsSettings {
  /** Long connections of service providers (TCP); default port 7890. */
  readonly listen: HostPort;
  /** Short connections (TCP); default port 7900. */
  readonly short: HostPort;
  /** This gateway's ISMG_Id, six digits. */
  readonly gatewayCode: string;
  /** Minutes east of Greenwich of the local time in Msg_Ids, reports and counters. */
  readonly utcOffsetMinutes: number;
  /** C: after how long without traffic a link is tested, in milliseconds. */
  readonly activeTestMs: number;
  /** T: how long a request waits for its response, in milliseconds. */
  readonly responseMs: number;
  /** N: how often a request is sent at most. */
  readonly attempts: number;
  /** How long a new connection has for its CONNECT, in milliseconds. */
  readonly connectMs: number;
  /** Connections at once, in all and from one address. */
  readonly maxConnections: number;
  readonly maxPerAddress: number;
  /** Connections from one address that have not said who they are (CONNECT), at once. */
  readonly maxStrangers: number;
  /** Wrong CONNECTs that one address has a minute before it is not let in any more. */
  readonly wrongSecretsPerMinute: number;
  /** Validity of a message that does not say, and the longest that it may say, in milliseconds. */
  readonly validityMs: number;
  /**
   * How far At_Time may be, in milliseconds. Msg_Ids have no year: a message that is still open after one would meet its
   * own id.
   */
  readonly scheduleMs: number;
  /**
   * Messages that may wait for the centre or another gateway; past it SUBMIT is answered 8. A provider may have as many
   * waiting as are left free.
   */
  readonly maxBacklog: number;
  /** Messages that the centre has and has not reported on, in memory: those beyond are left to the database. */
  readonly maxTaken: number;
  /** Messages handed to the centre and not answered by it, at once. */
  readonly outletWindow: number;
  /** How long what a provider has not taken is kept for it, in milliseconds. */
  readonly outboxMs: number;
  /** How long messages are kept after their end, in milliseconds. */
  readonly retentionMs: number;
  /**
   * false: messages that are to go at once are not written to disk, and lost where the process ends before they are
   * sent. Those for later, reports and counters are kept as always.
   */
  readonly durable: boolean;
  /** Beginnings of the numbers that may be billed here (Fee_terminal_Id), without a country code; empty: all. */
  readonly billing: readonly string[];
  /** When something is an alarm. */
  readonly alarms: AlarmLimits;
  /** Long connections of other gateways (TCP); default port 7930. undefined: none are taken. */
  readonly peer?: HostPort;
  /** Gateways that a message may pass, this one included: NodesCount past it is a circle. The standard has no figure. */
  readonly maxNodes: number;
  /** The name server (GNS), where there is one. */
  readonly gnsServer?: HostPort;
  /** Where the name server reaches this gateway with its updates (TCP); default port 9168. */
  readonly gns?: HostPort;
  /** How long a route that the name server told is used without asking again, in milliseconds. */
  readonly routeFreshMs: number;
  /** How long its word that there is no route counts, in milliseconds. */
  readonly noRouteMs: number;
}

const DAY_MS = 86_400_000;

/** The standard's recommendations (C 3 min, T 60 s, N 3; W 16 is the account's) and our limits. */
export const DEFAULT_SMS_SETTINGS: Omit<SmsSettings, "listen" | "short" | "gatewayCode"> = {
  utcOffsetMinutes: 480,
  activeTestMs: 180_000,
  responseMs: 60_000,
  attempts: 3,
  connectMs: 10_000,
  maxConnections: 20_000,
  maxPerAddress: 20_000,
  // Ten thousand from behind one address are served, and thousands of places stay for others whatever they do.
  maxStrangers: 12_000,
  wrongSecretsPerMinute: 20,
  validityMs: 2 * DAY_MS,
  scheduleMs: 90 * DAY_MS,
  maxBacklog: 100_000,
  maxTaken: 100_000,
  outletWindow: 2_000,
  outboxMs: 3 * DAY_MS,
  retentionMs: 30 * DAY_MS,
  durable: true,
  billing: [],
  alarms: DEFAULT_ALARM_LIMITS,
  maxNodes: 8,
  routeFreshMs: DAY_MS,
  noRouteMs: 60_000,
};
