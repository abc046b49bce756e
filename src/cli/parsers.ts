/**
 * Readers of single values. Each takes text and gives the value, or undefined where the text is not one; what it
 * allows is said in words, for help and for errors.
 *
 * @module
 */
import { formatHostPort, type HostPort, parseHostPort } from "../base/mod.ts";
import { addressBits, type IpNetwork, isIpAddress, parseNetwork } from "../net/mod.ts";
import { isLoid, isSn, normalizeMac } from "../protocol/smart_gateway/mod.ts";

/** A kind of value. */
export interface Kind<Value> {
  /** What stands for the value in help: `HOST:PORT`. */
  readonly label: string;
  /** What is allowed, in words that follow "allowed is": `a port from 0 to 65535`. */
  readonly allowed: string;
  /** The label tells already what is allowed: help need not say it again. */
  readonly obvious?: boolean;
  readonly parse: (text: string) => Value | undefined;
  /** The value as text, for help and for the documents. Default: `String`. */
  show?(value: Value): string;
}

/** One of `values`. */
export function oneOf<Value extends string>(values: readonly Value[]): Kind<Value> {
  return {
    label: values.join("|"),
    allowed: alternatives(values),
    obvious: true,
    parse: (text) => values.find((value) => value === text),
  };
}

/** Some of `values`, with commas between them. */
export function someOf<Value extends string>(values: readonly Value[]): Kind<readonly Value[]> {
  return {
    label: "LIST",
    allowed: `one or more of ${values.join(", ")}, with commas between them`,
    parse(text) {
      const parts = text.split(",").map((part) => part.trim());
      const found = values.filter((value) => parts.includes(value));
      return parts.every((part) => (values as readonly string[]).includes(part)) ? found : undefined;
    },
    show: (list) => list.join(","),
  };
}

/** yes or no. */
export const yesOrNo: Kind<boolean> = {
  label: "yes|no",
  allowed: "yes or no",
  obvious: true,
  parse: (text) => text === "yes" ? true : text === "no" ? false : undefined,
  show: (yes) => yes ? "yes" : "no",
};

/** A time zone as its distance from Greenwich, in minutes eastward. */
export const zone: Kind<number> = {
  label: "ZONE",
  allowed: "hours and minutes east (+) or west (-) of Greenwich, -14:00 to +14:00, such as +08:00",
  parse(text) {
    const [, sign, hours, minutes] = /^([+-])(\d\d):([0-5]\d)$/.exec(text) ?? [];
    const distance = Number(hours) * 60 + Number(minutes);
    return distance <= 840 ? (sign === "-" ? -distance : distance) + 0 : undefined;
  },
  show(minutes) {
    const two = (value: number) => String(value).padStart(2, "0"), distance = Math.abs(minutes);
    return `${minutes < 0 ? "-" : "+"}${two(Math.floor(distance / 60))}:${two(distance % 60)}`;
  },
};

/** Beginnings of phone numbers, with commas between them. */
export const prefixes: Kind<readonly string[]> = {
  label: "LIST",
  allowed:
    "beginnings of phone numbers without a country code such as 139 or 1380013, with commas between them",
  parse(text) {
    const list = text.split(",").map((part) => part.trim());
    return list.length <= 1000 && list.every((one) => /^\d{1,20}$/.test(one)) ? list : undefined;
  },
  show: (list) => list.join(","),
};

/** A whole number from `least` to `most`. */
export function whole(least: number, most: number, label = "N"): Kind<number> {
  return {
    label,
    allowed: `a whole number from ${least} to ${most}`,
    parse(text) {
      if (!/^\d{1,9}$/.test(text)) return undefined;
      const value = Number(text);
      return value >= least && value <= most ? value : undefined;
    },
  };
}

/** An own address to listen on: an IP address (an IPv6 one in brackets) and a port. */
export const listenAddress: Kind<HostPort> = {
  label: "HOST:PORT",
  allowed:
    "an IP address and a port from 0 to 65535, such as 0.0.0.0:8080 or [::1]:8080 (port 0: any free one)",
  parse(text) {
    const address = parseHostPort(text);
    if (address?.host === "localhost") return { ...address, host: "127.0.0.1" };
    return address && isIpAddress(address.host) ? address : undefined;
  },
  show: formatHostPort,
};

/** Somebody else's address: a host name or an IP address, and a port. */
export const remoteAddress: Kind<HostPort> = {
  label: "HOST:PORT",
  allowed: "a host name or an IP address, and a port from 1 to 65535",
  parse(text) {
    const address = parseHostPort(text);
    return address && address.port > 0 && isHost(address.host) ? address : undefined;
  },
  show: formatHostPort,
};

/** A host name or an IP address, without a port. */
export const host: Kind<string> = {
  label: "HOST",
  allowed: "a host name or an IP address, without a port",
  parse: (text) => isHost(text) ? text : undefined,
};

/** The path of a file or a folder. */
export function path(label: "DIR" | "FILE"): Kind<string> {
  return {
    label,
    allowed: `the path of a ${label === "DIR" ? "folder" : "file"}`,
    obvious: true,
    parse: (text) => text === "" || text.includes("\0") ? undefined : text,
  };
}

/** Visible text on one line, `most` characters at the longest. */
export function words(label: string, most: number, least = 1): Kind<string> {
  return {
    label,
    allowed: `${least} to ${most} visible characters on one line`,
    obvious: true,
    parse: (text) =>
      text.trim().length < least || text.length > most || /\p{Cc}|\p{Zl}|\p{Zp}/u.test(text)
        ? undefined
        : text,
  };
}

/** A bearer token: what fits into an HTTP header as one word. */
export const token: Kind<string> = {
  label: "TOKEN",
  allowed: "8 to 1024 printable ASCII characters without spaces",
  obvious: true,
  parse: (text) => /^[\x21-\x7e]{8,1024}$/.test(text) ? text : undefined,
};

/** A command in words, with spaces between them: no shell looks at it, and nothing in it is quoted. */
export const command: Kind<readonly string[]> = {
  label: "COMMAND",
  allowed: "a program and its arguments, with spaces between them",
  parse(text) {
    const parts = text.trim().split(/\s+/);
    return text.length > 1024 || parts[0] === "" || /\p{Cc}/u.test(text) ? undefined : parts;
  },
  show: (parts) => parts.join(" "),
};

/** Origins of web pages, as browsers send them: scheme, host, and the port where it is not the scheme's own. */
export const origins: Kind<readonly string[]> = {
  label: "LIST",
  allowed: "origins such as https://ops.example, with commas between them; * for every page",
  parse(text) {
    const list = text.split(",").map((part) => part.trim());
    return list.every((one) => one === "*" || isOrigin(one)) ? list : undefined;
  },
  show: (list) => list.join(","),
};

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** Host names, addresses and networks, with commas between them. */
export const targets: Kind<readonly string[]> = {
  label: "LIST",
  allowed: "host names, addresses or networks such as 10.1.0.0/16, with commas between them",
  parse(text) {
    const list = text.split(",").map((part) => part.trim().toLowerCase());
    return list.every(isTarget) ? list : undefined;
  },
  show: (list) => list.join(","),
};

function isTarget(text: string): boolean {
  const [address = "", prefix, ...more] = text.split("/");
  if (prefix === undefined) return host.parse(text) !== undefined;
  const bits = addressBits(address);
  return bits !== undefined && more.length === 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits.length;
}

/** Networks of IP addresses. */
export const networks: Kind<readonly IpNetwork[]> = {
  label: "CIDR",
  allowed: "IP addresses or networks such as 10.0.0.0/8 or 2001:db8::/32, with commas between them",
  parse(text) {
    const list = text.split(",").map((part) => parseNetwork(part.trim()));
    return list.every((network) => network !== undefined) ? list : undefined;
  },
};

/** Names of network interfaces, with commas between them. */
export const names: Kind<readonly string[]> = {
  label: "LIST",
  allowed: "names of network interfaces such as eth0, with commas between them",
  parse(text) {
    const list = text.split(",").map((part) => part.trim());
    return list.every((name) => /^[\w.:@-]{1,15}$/.test(name)) ? list : undefined;
  },
  show: (list) => list.join(","),
};

/** A hardware address. */
export const mac: Kind<string> = {
  label: "MAC",
  allowed: "12 hex digits, such as 64D95420214B",
  parse: normalizeMac,
};

/** A serial number. */
export const sn: Kind<string> = {
  label: "SN",
  allowed:
    "six upper-case hex digits (the OUI), a hyphen and the serial number, such as 64D954-D6AEE64D95420214B",
  parse: (text) => isSn(text) ? text : undefined,
};

/** A logical id, as the carrier gives it to a line. */
export const loid: Kind<string> = {
  label: "LOID",
  allowed: "1 to 24 visible characters without spaces",
  parse: (text) => isLoid(text) ? text : undefined,
};

/** The code of a short-message gateway. */
export const ismgCode: Kind<string> = {
  label: "CODE",
  allowed: "six digits, such as 001001",
  parse: (text) => /^\d{6}$/.test(text) ? text : undefined,
};

/** The way to a short-message centre; what is behind `?` is checked where it is opened. */
export const smsOutlet: Kind<string> = {
  label: "URL",
  allowed:
    "simulator, simulator:?latency=100-500&outcomes=UNDELIV:0.1, or smpp://USER:PASSWORD@HOST:PORT?window=50&alphabet=ascii",
  parse: (text) => /^simulator(:\?|$)/.test(text) || /^smpp:\/\/[^@/]+@[^/@]+/.test(text) ? text : undefined,
};

/** The embedded database, or a server. */
export const database: Kind<string> = {
  label: "URL",
  allowed: "sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE",
  parse: (text) => /^(sqlite:|postgres(ql)?:\/\/[^/]*\/)./.test(text) ? text : undefined,
};

/** One NATS server, or several of a cluster. */
export const nats: Kind<string> = {
  label: "URL",
  allowed: "nats://USER:PASSWORD@HOST:PORT or tls://…, several with commas between them",
  parse: (text) =>
    text.split(",").every((one) => /^(nats|tls):\/\/[^/]+$/.test(one.trim()) && URL.canParse(one.trim()))
      ? text
      : undefined,
};

/** The name of a node among several. */
export const nodeId: Kind<string> = {
  label: "ID",
  allowed: "1 to 64 letters, digits, dots, hyphens and underscores",
  parse: (text) => /^[\w.-]{1,64}$/.test(text) ? text : undefined,
};

function isHost(text: string): boolean {
  return isIpAddress(text) || (/^[\w-]{1,63}(\.[\w-]{1,63})*\.?$/.test(text) && !/^[\d.]+$/.test(text));
}

function alternatives(values: readonly string[]): string {
  if (values.length < 2) return values.join();
  return `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
}
