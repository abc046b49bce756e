/**
 * Registration as a whole: from power-on through distribution and the operations platform to heartbeats, and back
 * again when something goes wrong (reference §2, §3, §10).
 *
 * @module
 */
import { formatHostPort, type HostPort, type Metrics } from "../../base/mod.ts";
import {
  type AccessMessage,
  decodeAccessRequest,
  ProtocolError,
  type RequestDistri,
} from "../../protocol/smart_gateway/mod.ts";
import { RegistrationContext, type RegistrationDeps } from "./context.ts";
import { distributionRound } from "./distribution.ts";
import { logEnd } from "./end_log.ts";
import { heartbeats } from "./heartbeats.ts";
import { Link } from "./link.ts";
import { operationsRound, type Registered } from "./operations.ts";
import type { RegistrationStatus } from "./status.ts";
import { spreadWait, startWait, waitBetweenRounds } from "./waits.ts";

/** What a registration needs beyond what its parts share. */
export interface RegistrationOptions extends RegistrationDeps {
  readonly metrics: Metrics;
  /** The distribution platform that this gateway belongs to; a function where that may change. */
  readonly distribution: HostPort | (() => HostPort);
  /** The one of the settings, which is turned to where the one above does not help; absent: there is no other. */
  readonly distributionOfSettings?: HostPort;
  /** Called with what comes from the operations platform and answers nothing: triggers. */
  readonly onTrigger: (message: AccessMessage, from: HostPort) => void;
  readonly onRegistered?: (registered: Registered) => void;
}

/** Where to go on. */
type Step = "distribution" | "operations";

/** Registers, and stays registered until it is stopped. */
export class Registration implements AsyncDisposable {
  readonly #options: RegistrationOptions;
  readonly #link: Link;
  readonly #context: RegistrationContext;
  readonly #stop = new AbortController();
  readonly #counts;
  /** `ip:port` of where the operations platform speaks from. */
  #platform = new Set<string>();
  #turn = new AbortController();
  #detours = 0;
  #life: Promise<void> = Promise.resolve();

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#link = new Link(options, (bytes, from) => this.#unasked(bytes, from));
    this.#context = new RegistrationContext(options, this.#link);
    const { metrics } = options;
    this.#counts = {
      registrations: metrics.counter("gatehouse_gateway_registrations_total", "Successful registrations"),
      sent: metrics.counter("gatehouse_gateway_heartbeats_total", "Heartbeats sent"),
      lost: metrics.counter("gatehouse_gateway_heartbeats_unanswered_total", "Heartbeats without an answer"),
      stray: metrics.counter(
        "gatehouse_gateway_stray_datagrams_total",
        "Datagrams from strangers, or unreadable",
      ),
    };
    metrics.gauge(
      "gatehouse_gateway_registered",
      "1 while registered",
      () => this.#context.state === "registered" ? 1 : 0,
    );
  }

  get status(): RegistrationStatus {
    return this.#context.status;
  }

  /** Begins. Returns once the first datagram is on its way, or the first name is being looked up. */
  start(): void {
    const known = this.#options.state.get().operations !== undefined;
    this.#life = this.#live(known ? "operations" : "distribution", this.#stop.signal);
  }

  /** Sends to the operations platform on the association that it can answer on. */
  send(bytes: Uint8Array, to: HostPort): void {
    this.#link.send(bytes, to);
  }

  /**
   * Follows RequestDistri: in mode 0 to another distribution platform, which voids what an earlier one said
   * (reference §8), else to another operations platform. Resolves once that is kept.
   */
  async follow({ mode, serverAddr, serverPort }: RequestDistri): Promise<void> {
    const to = { host: serverAddr, port: serverPort }, anew = mode === "0";
    const { log, state } = this.#options;
    log.info("the platform moves this gateway", { to: formatHostPort(to), distribution: anew });
    try {
      await state.update(anew ? { distribution: to, operations: undefined } : { operations: to });
    } catch (error) {
      log.error("the state could not be kept", { error });
    }
    this.restart(anew ? "distribution" : "operations");
  }

  /** The interval between heartbeats was set here, in seconds: it holds at once, until a platform names another. */
  heartbeatEvery(seconds: number): Promise<void> {
    return this.#context.heartbeatEvery(seconds);
  }

  /** Begins anew at once: at the stored operations platform, or at distribution. */
  restart(step: Step): void {
    this.#turn.abort(step);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#life;
    await this.#link[Symbol.asyncDispose]();
    this.#context.enter("stopped");
  }

  async #live(first: Step, stop: AbortSignal): Promise<void> {
    const { timing, random } = this.#options;
    let step = first, wait = startWait(timing, first === "operations", random.float());
    while (!stop.aborted) {
      this.#turn = new AbortController();
      const signal = AbortSignal.any([stop, this.#turn.signal]);
      try {
        if (wait > 0) {
          const ms = wait;
          wait = 0; // an order to begin anew does not wait for the rest
          await this.#context.wait("waiting", "spread", ms, signal);
        }
        step = await (step === "distribution" ? this.#distribution(signal) : this.#operations(signal));
      } catch (error) {
        if (stop.aborted) return;
        if (this.#turn.signal.aborted) {
          step = this.#turn.signal.reason;
          continue;
        }
        this.#options.log.error("registration failed unexpectedly, trying again", { error });
        await this.#context.wait("waiting", "fault", this.#context.intervalMs, stop).catch(() => {});
      }
    }
  }

  /** Rounds at distribution until it names an operations platform. */
  async #distribution(signal: AbortSignal): Promise<Step> {
    const { log, timing } = this.#options;
    let failed = 0, at = this.#distributionAddress(failed);
    log.info("asking distribution", { at: formatHostPort(at) });
    for (;;) {
      // Only a name behind which there is no other is looked up for as long as that takes.
      const all = this.#distributionAddresses(),
        only = all.length === 1 ? formatHostPort(all[0]!) : undefined;
      const dnsTries = formatHostPort(at) === only ? undefined : timing.dnsTries;
      const outcome = await distributionRound(this.#context, at, dnsTries, signal);
      if (outcome.kind === "found") {
        log.info("distribution named the operations platform", {
          operations: formatHostPort(outcome.operations),
        });
        await this.#context.keep({ operations: outcome.operations });
        return "operations";
      }
      if (outcome.kind === "redirect") {
        log.info("distribution sends this gateway on", {
          at: formatHostPort(at),
          to: formatHostPort(outcome.to),
        });
        await this.#detour(signal);
        at = outcome.to;
        continue;
      }
      logEnd(log, "distribution did not help", at, outcome, this.#context.asked);
      if (outcome.kind === "silent") {
        failed = 0;
        await this.#context.wait("silent", "refused", timing.silenceMs, signal);
      } else await this.#betweenRounds(++failed, outcome.kind === "unanswered", signal);
      at = this.#distributionAddress(failed);
    }
  }

  /** Rounds at the operations platform, and heartbeats, until only distribution can help. */
  async #operations(signal: AbortSignal): Promise<Step> {
    const { log, state, timing } = this.#options;
    for (let failed = 0;;) {
      const at = state.get().operations;
      if (!at) return "distribution";
      if (failed === 0) log.info("asking the operations platform", { at: formatHostPort(at) });
      const round = await operationsRound(this.#context, at, (platform) => this.#listenTo(platform), signal);
      const running = round.kind === "registered";
      const outcome = running ? await this.#registered(round, signal) : round;
      const text = running ? "registration ended" : "registration did not succeed";
      logEnd(log, text, at, outcome, this.#context.asked);
      if (running) failed = 0;
      switch (outcome.kind) {
        case "distribute":
          await this.#detour(signal);
          return "distribution";
        case "defaults":
          await this.#detour(signal);
          await this.#context.restoreDefaults();
          return "distribution";
        case "redirect":
          await this.#detour(signal);
          await this.#context.keep({ operations: outcome.to });
          continue;
        case "silent":
          failed = 0;
          await this.#context.wait("silent", "refused", timing.silenceMs, signal);
          continue;
        case "boot":
          if (!running) break;
          await this.#detour(signal);
          continue;
        case "failed":
        case "unanswered":
        case "unresolved":
        case "lost":
      }
      // A platform that went away loses all its gateways at once: they must not come back at once.
      if (running || ++failed >= timing.roundsBeforeDistribution) {
        await this.#spread(signal);
        return "distribution";
      }
      await this.#betweenRounds(failed, outcome.kind === "unanswered", signal);
    }
  }

  async #registered(registered: Registered, signal: AbortSignal) {
    const { clock, log, onRegistered } = this.#options;
    const since = clock.monotonic();
    this.#listenTo(registered.access, registered.heartbeats);
    this.#context.enter("registered");
    this.#counts.registrations.inc();
    this.#context.counts.registrations++;
    this.#context.counts.failedRounds = 0;
    log.info("registered", {
      platform: formatHostPort(registered.access),
      interval: this.#context.intervalMs / 1000,
    });
    onRegistered?.(registered);
    const end = await heartbeats(this.#context, registered, {
      sent: () => {
        this.#counts.sent.inc();
        this.#context.counts.heartbeats++;
      },
      unanswered: () => {
        this.#counts.lost.inc();
        this.#context.counts.heartbeatsUnanswered++;
      },
    }, signal);
    if (clock.monotonic() - since >= this.#context.intervalMs) this.#detours = 0;
    return end;
  }

  /**
   * Orders to go elsewhere are followed at once, but platforms that send a gateway in circles must not set it
   * racing: after some in a row, with no interval of calm between them, each one waits.
   */
  async #detour(signal: AbortSignal): Promise<void> {
    if (++this.#detours <= this.#options.timing.redirects) return;
    await this.#context.wait("waiting", "circles", this.#context.intervalMs, signal);
  }

  async #betweenRounds(failed: number, unanswered: boolean, signal: AbortSignal): Promise<void> {
    const { timing, random } = this.#options, context = this.#context;
    context.counts.failedRounds = failed;
    const why = failed % timing.roundsBeforePause === 0 ? "pause" : "round";
    const ms = waitBetweenRounds(timing, context.intervalMs, { failed, unanswered, random: random.float() });
    await context.wait("waiting", why, ms, signal);
  }

  #spread(signal: AbortSignal): Promise<void> {
    const ms = spreadWait(this.#context.intervalMs, this.#options.random.float());
    return this.#context.wait("waiting", "spread", ms, signal);
  }

  /** The first choice, and from pause to pause the next: one that does not help may be dead for good. */
  #distributionAddress(failed: number): HostPort {
    const addresses = this.#distributionAddresses();
    return addresses[Math.floor(failed / this.#options.timing.roundsBeforePause) % addresses.length]!;
  }

  /**
   * Where distribution may be: what a platform said (RequestDistri in mode 0), what the gateway belongs to, and what
   * the settings say. Nobody but a platform could call back a gateway that was sent to where nobody is.
   */
  #distributionAddresses(): readonly HostPort[] {
    const { state, distribution, distributionOfSettings } = this.#options;
    const home = typeof distribution === "function" ? distribution() : distribution;
    const all = [state.get().distribution, home, distributionOfSettings];
    return [...new Map(all.flatMap((each) => each ? [[formatHostPort(each), each]] : [])).values()];
  }

  #listenTo(...platform: HostPort[]): void {
    this.#platform = new Set(platform.map(formatHostPort));
  }

  #unasked(bytes: Uint8Array, from: HostPort): void {
    let message: AccessMessage;
    try {
      message = decodeAccessRequest(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return this.#counts.stray.inc();
    }
    if (message.method === "Reply" && message.challengeCode !== undefined) {
      if (!this.#context.lateChallenge(message.challengeCode, from)) this.#counts.stray.inc();
    } else if (this.#platform.has(formatHostPort(from))) this.#options.onTrigger(message, from);
    else this.#counts.stray.inc();
  }
}
