/**
 * What keeps a role from starting, in a sentence that names the flag to change.
 *
 * @module
 */
import { formatHostPort, GatehouseError, type HostPort } from "../base/mod.ts";
import { NetError } from "../net/mod.ts";
import { StartError, UsageError } from "./errors.ts";

/** The addresses that a role listens on, by flag; the first one is its HTTP server's. */
export type ListenFlags = ReadonlyMap<string, HostPort>;

/** `error` as a {@linkcode StartError} where it is of a kind that the reader can do something about. */
export function explainStart(error: unknown, listen: ListenFlags): unknown {
  const code = addressProblem(error);
  if (code) return new StartError(`${which(error, listen)} ${ADVICE[code]}`, { cause: error });
  if (error instanceof UsageError) return error;
  if (error instanceof GatehouseError) {
    const flag = FLAGS_OF[error.code];
    return new StartError(flag === undefined ? error.message : `${error.message} (${flag})`, {
      cause: error,
    });
  }
  return error;
}

const ADVICE = {
  address_in_use: "is in use by another program: stop that one, or name another port",
  address_unavailable: "is not an address of this machine: name one that is, or 0.0.0.0 for all of them",
  forbidden: "may not be listened on by this user: name a port above 1023, or start with the right to use it",
};

/** Where the error itself does not say it: which setting decides. */
const FLAGS_OF: Record<string, string> = {
  bad_admin_token: "GATEHOUSE_ADMIN_TOKEN",
  tls_files: "--tls-cert and --tls-key",
  url: "--database",
  node_taken: "--node",
  no_responder: "--nats",
  sms_outlet: "--sms-outlet",
  unavailable: "--database or --data",
  newer: "--database or --data",
  migration: "--database or --data",
};

function addressProblem(error: unknown): keyof typeof ADVICE | undefined {
  if (error instanceof NetError) {
    return Object.hasOwn(ADVICE, error.code) ? error.code as keyof typeof ADVICE : undefined;
  }
  // The HTTP server gives the system's error as it is.
  if (error instanceof Deno.errors.AddrInUse) return "address_in_use";
  if (error instanceof Deno.errors.AddrNotAvailable) return "address_unavailable";
  if (error instanceof Deno.errors.PermissionDenied && !/: \w+ '/.test(error.message)) return "forbidden";
  return undefined;
}

/** `--access 0.0.0.0:12113`: the flag whose address the error names, else the HTTP server's. */
function which(error: unknown, listen: ListenFlags): string {
  const named = error instanceof NetError ? /"([^"]+)"/.exec(error.message)?.[1] : undefined;
  const all = [...listen].map(([flag, address]) => [flag, formatHostPort(address)] as const);
  const [flag, address] = all.find(([, shown]) => shown === named) ?? all[0]!;
  return `--${flag} ${address}`;
}
