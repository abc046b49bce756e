/**
 * The way to a centre as one URL: `smpp://user:password@host:2775?window=50`.
 *
 * @module
 */
import type { HostPort } from "../../../base/mod.ts";
import type { Alphabet } from "./mapping.ts";

/** How to reach a centre, and how to speak to it. */
export interface SmppSettings {
  readonly server: HostPort;
  readonly systemId: string;
  readonly password: string;
  readonly systemType: string;
  /** Messages that the centre has not answered, at most. Default 50. */
  readonly window: number;
  /** What data_coding 0 holds. Default `ascii`. */
  readonly alphabet: Alphabet;
  /** How long a request waits for its answer, in milliseconds. Default 60,000. */
  readonly responseMs: number;
  /** After how long without traffic the link is tested, in milliseconds. Default 30,000. */
  readonly enquireMs: number;
  /** Pause before connecting again, in milliseconds: the first, doubled up to the last. Default 1,000 to 60,000. */
  readonly reconnectMs: readonly [number, number];
}

const DEFAULT_PORT = 2775;
/** SMPP 3.4 §4.1.1: 15 characters and 8, 12 of system_type; many centres take longer passwords, so longer ones pass. */
const LONGEST = { user: 15, password: 64, system: 12 };

/**
 * Reads a URL; undefined where it is none. `password` stands in where the URL has none.
 *
 * Parameters: `window` 1 to 1000, `system_type`, `alphabet` ascii or gsm, `enquire` and `response` in seconds.
 */
export function parseSmppUrl(text: string, password = ""): SmppSettings | undefined {
  if (!text.startsWith("smpp://") || !URL.canParse(text)) return undefined;
  const url = new URL(text), { searchParams } = url;
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  const name = decoded(url.username), secret = url.password === "" ? password : decoded(url.password);
  const systemType = searchParams.get("system_type") ?? "",
    alphabet = searchParams.get("alphabet") ?? "ascii";
  const window = whole(searchParams.get("window"), 50, 1, 1000);
  const enquire = whole(searchParams.get("enquire"), 30, 1, 3600);
  const response = whole(searchParams.get("response"), 60, 1, 3600);
  const known = ["window", "system_type", "alphabet", "enquire", "response"];
  if (
    url.hostname === "" || port < 1 || (url.pathname !== "" && url.pathname !== "/") || url.hash !== "" ||
    !fits(name, 1, LONGEST.user) || !fits(secret, 0, LONGEST.password) ||
    !fits(systemType, 0, LONGEST.system) ||
    (alphabet !== "ascii" && alphabet !== "gsm") ||
    window === undefined || enquire === undefined || response === undefined ||
    [...searchParams.keys()].some((key) => !known.includes(key))
  ) return undefined;
  return {
    server: { host: url.hostname.replace(/^\[|\]$/g, ""), port },
    systemId: name!,
    password: secret!,
    systemType,
    window,
    alphabet,
    responseMs: response * 1000,
    enquireMs: enquire * 1000,
    reconnectMs: [1_000, 60_000],
  };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // "%" that stands for nothing
  }
}

function fits(text: string | undefined, least: number, most: number): boolean {
  return text !== undefined && text.length >= least && text.length <= most && /^[\x20-\x7e]*$/.test(text);
}

function whole(text: string | null, fallback: number, least: number, most: number): number | undefined {
  if (text === null) return fallback;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  return value >= least && value <= most ? value : undefined;
}
