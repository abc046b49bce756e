/**
 * Runs a role until a signal stops it.
 *
 * @module
 */
import { type Clock, type Log, messageOf, type Metrics, type Service, withTimeout } from "../base/mod.ts";
import { EXIT, StartError } from "./errors.ts";

/** How long a role may take to stop in good order, in milliseconds. */
const STOP_MS = 15_000;

/** The signals that stop a role, and what the exit code is where a second one ends it at once. */
export const STOP_SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** What the runner needs of its surroundings; a test stands in for them. */
export interface RunnerDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Writes a line to standard output. */
  readonly print: (line: string) => void;
  /** Calls `handler` for each signal; gives what ends that. */
  readonly onSignal: (handler: (signal: keyof typeof STOP_SIGNALS) => void) => () => void;
  /** Ends the process now. */
  readonly exit: (code: number) => void;
}

/** Starts a role, prints where it listens, waits for a signal, stops the role; gives the exit code. */
export async function runRole(
  name: string,
  deps: RunnerDeps,
  start: () => Promise<Service>,
): Promise<number> {
  const { clock, log, print } = deps;
  const began = clock.monotonic();
  const stop = Promise.withResolvers<string>();
  let signals = 0;
  const ignore = deps.onSignal((signal) => {
    if (++signals > 1) return deps.exit(STOP_SIGNALS[signal]);
    stop.resolve(signal);
  });
  const forget = watchStrayErrors(deps);
  try {
    const service = await start();
    for (const address of service.addresses) print(`listening: ${address}`);
    print(`ready: ${name} in ${Math.round(clock.monotonic() - began)} ms`);
    const signal = await stop.promise;
    log.info("stopping", { role: name, signal });
    const late = () => new StartError(`not stopped after ${STOP_MS / 1000} s`);
    await withTimeout(clock, Promise.resolve(service[Symbol.asyncDispose]()), STOP_MS, late);
    log.info("stopped", { role: name });
    return EXIT.ok;
  } finally {
    forget();
    ignore();
  }
}

/**
 * Errors that nobody caught are bugs; they are logged and counted, and the role goes on: a fault in one answer
 * must not end the service of everybody else.
 */
function watchStrayErrors({ log, metrics }: RunnerDeps): () => void {
  const counter = metrics.counter(
    "gatehouse_stray_errors_total",
    "Errors that no part of the program caught",
  );
  const onError = (event: Event, thrown: unknown) => {
    event.preventDefault();
    counter.inc();
    log.error("stray error", {
      reason: messageOf(thrown),
      stack: thrown instanceof Error ? thrown.stack : undefined,
    });
  };
  const rejected = (event: PromiseRejectionEvent) => onError(event, event.reason);
  const thrown = (event: ErrorEvent) => onError(event, event.error);
  globalThis.addEventListener("unhandledrejection", rejected);
  globalThis.addEventListener("error", thrown);
  return () => {
    globalThis.removeEventListener("unhandledrejection", rejected);
    globalThis.removeEventListener("error", thrown);
  };
}
