/**
 * A policy's script: `choose(gateway, destinations)`, asked before the rules. It may name one of the addresses that the
 * rules list with a weight, or nothing: then the rules decide. So they do where it fails, takes too long, or names
 * anything else; where it goes on failing it is left alone for a while, so that it can't keep the platform busy.
 *
 * @module
 */
import { type Deps, parseHostPort, sleep } from "../../base/mod.ts";
import type { Json, OpenScript, Script, ScriptError, ScriptLimits } from "../../sandbox/script/mod.ts";
import { type Choice, choose, type Policy, type PolicySubject } from "./policy.ts";

/** Most that a script may use: a decision is short, and everything else waits for it. */
const LIMITS: ScriptLimits = { memoryBytes: 24 * 1024 * 1024, sliceMs: 50, loadMs: 500 };
/** Failures one after the other until it is left alone, and for how long. */
const MAX_FAILURES = 3, REST_MS = 60_000;
/** Decisions remembered: a gateway that asks again, or whose answer was lost, is told the same. */
const MAX_REMEMBERED = 50_000;
/** Of a trial: failures and milliseconds until it is given up, and how long it goes on without a rest. */
const MAX_TRIAL_FAILURES = 10, MAX_TRIAL_MS = 60_000, TURN_MS = 10;

/** A script that can't be put into force, or that a trial was given up for. */
export class PolicyScriptError extends Error {
  override readonly name = "PolicyScriptError";
}

/** Where a policy sends a gateway. Dispose of it. */
export interface Trial extends Disposable {
  /** @throws {PolicyScriptError} where the script failed too often, or took too long */
  choose(gateway: PolicySubject): Choice | undefined | Promise<Choice | undefined>;
}

type Verdict =
  /** Undefined: the script leaves it to the rules. */
  | { readonly kind: "decided"; readonly choice: Choice | undefined }
  | { readonly kind: "failed"; readonly why: string };

/** One script in its sandbox, opened again after it was broken off. */
class Runner implements Disposable {
  #script: Promise<Script> | undefined;
  readonly #destinations: readonly { readonly address: string; readonly weight: number }[];
  readonly #given: Json;

  constructor(private readonly open: OpenScript, readonly policy: Policy) {
    this.#destinations = destinationsOf(policy);
    this.#given = this.#destinations.map((destination) => ({ ...destination }));
  }

  /** Asks the script; once more where it was broken off: a busy machine may have stood still, and not the script. */
  async ask(gateway: PolicySubject): Promise<Verdict> {
    const verdict = await this.#ask(gateway);
    return verdict.kind === "failed" && this.#script === undefined ? await this.#ask(gateway) : verdict;
  }

  async #ask({ mac, vendor, model, firmware, region }: PolicySubject): Promise<Verdict> {
    try {
      const script = await (this.#script ??= this.open(this.policy.script!, "choose", LIMITS));
      const gateway = { mac, vendor, model, firmware, region: region ?? null };
      const answer = script.call([gateway, this.#given]) ?? null;
      if (answer === null) return { kind: "decided", choice: undefined };
      if (!this.#destinations.some(({ address }) => address === answer)) {
        const text = JSON.stringify(answer).slice(0, 100);
        return {
          kind: "failed",
          why: `it chose ${text}, which is no address that the rules list with a weight`,
        };
      }
      const target = parseHostPort(answer as string)!;
      return { kind: "decided", choice: { kind: "operations", target, rule: "script" } };
    } catch (error) {
      if (!isScriptError(error) || error.lost) this[Symbol.dispose]();
      return { kind: "failed", why: error instanceof Error ? error.message : String(error) };
    }
  }

  [Symbol.dispose](): void {
    this.#script?.then((script) => script[Symbol.dispose](), () => {});
    this.#script = undefined;
  }
}

/** Decides by policies that may have a script. */
export class PolicyScripts implements Disposable {
  readonly #open: OpenScript;
  #runner: Runner | undefined;
  #remembered = new Map<string, Choice | null>();
  #failures = 0;
  #restUntil = -Infinity;

  /** `open` opens scripts; by default the sandbox is loaded when the first one is there. */
  constructor(
    private readonly deps: Pick<Deps, "clock" | "log" | "metrics">,
    open: OpenScript = openLazily(),
  ) {
    this.#open = open;
  }

  /** Where a policy sends a gateway: by its script, or else by its rules. */
  async choose(policy: Policy, gateway: PolicySubject): Promise<Choice | undefined> {
    if (policy.script === undefined) return choose(policy, gateway);
    const runner = this.#runnerOf(policy);
    const key = JSON.stringify(Object.entries(gateway).sort()), known = this.#remembered.get(key);
    if (known !== undefined) return known ?? choose(policy, gateway);
    if (this.deps.clock.monotonic() < this.#restUntil) return this.#byRules("resting", policy, gateway);
    const verdict = await runner.ask(gateway);
    // Another policy came into force meanwhile: what is remembered is that one's.
    const current = runner === this.#runner;
    if (verdict.kind === "failed") {
      if (current) this.#failed(verdict.why);
      return this.#byRules("failed", policy, gateway);
    }
    if (current) {
      this.#failures = 0;
      if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
      this.#remembered.set(key, verdict.choice ?? null);
    }
    if (!verdict.choice) return this.#byRules("left_to_rules", policy, gateway);
    this.#count("chosen");
    return verdict.choice;
  }

  /** Loads a script as it would be for real. @throws {PolicyScriptError} where it can't be loaded */
  async check(policy: Policy): Promise<void> {
    if (policy.script === undefined) return;
    try {
      (await this.#open(policy.script, "choose", LIMITS))[Symbol.dispose]();
    } catch (error) {
      throw new PolicyScriptError(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  /** Tries a policy without sending anybody: its script runs apart from the one in force, and has its turns. */
  trial(policy: Policy): Trial {
    if (policy.script === undefined) {
      return { choose: (gateway) => choose(policy, gateway), [Symbol.dispose]() {} };
    }
    const runner = new Runner(this.#open, policy), { clock } = this.deps, begun = clock.monotonic();
    let failures = 0, turn = begun;
    return {
      async choose(gateway) {
        const verdict = await runner.ask(gateway), now = clock.monotonic();
        if (verdict.kind === "failed" && ++failures >= MAX_TRIAL_FAILURES) {
          throw new PolicyScriptError(`it failed ${failures} times: ${verdict.why}`);
        }
        if (now - begun > MAX_TRIAL_MS) {
          throw new PolicyScriptError(`it took more than ${MAX_TRIAL_MS / 1000} s`);
        }
        if (now - turn >= TURN_MS) {
          await sleep(clock, 1);
          turn = clock.monotonic();
        }
        return verdict.kind === "decided" && verdict.choice ? verdict.choice : choose(policy, gateway);
      },
      [Symbol.dispose]: () => runner[Symbol.dispose](),
    };
  }

  [Symbol.dispose](): void {
    this.#runner?.[Symbol.dispose]();
    this.#runner = undefined;
  }

  #runnerOf(policy: Policy): Runner {
    if (this.#runner?.policy === policy) return this.#runner;
    this.#runner?.[Symbol.dispose]();
    this.#remembered.clear();
    this.#failures = 0;
    this.#restUntil = -Infinity;
    return this.#runner = new Runner(this.#open, policy);
  }

  #failed(why: string): void {
    const resting = ++this.#failures >= MAX_FAILURES;
    this.deps.log.warn("the policy's script failed: the rules decide", {
      why,
      failures: this.#failures,
      resting,
    });
    if (!resting) return;
    this.#failures = 0;
    this.#restUntil = this.deps.clock.monotonic() + REST_MS;
  }

  #byRules(outcome: string, policy: Policy, gateway: PolicySubject): Choice | undefined {
    this.#count(outcome);
    return choose(policy, gateway);
  }

  #count(outcome: string): void {
    this.deps.metrics.counter(
      "gatehouse_policy_script_total",
      "Decisions asked of the distribution policy's script, by what became of them",
      { outcome },
    ).inc();
  }
}

/** The addresses that rules send gateways to, each with its largest weight; what is drained everywhere is none. */
function destinationsOf({ rules }: Policy): { address: string; weight: number }[] {
  const weights = new Map<string, number>();
  for (const { targets } of rules) {
    for (const { address, weight } of targets) {
      if (weight > 0) weights.set(address, Math.max(weight, weights.get(address) ?? 0));
    }
  }
  return [...weights].map(([address, weight]) => ({ address, weight }));
}

function isScriptError(error: unknown): error is ScriptError {
  return error instanceof Error && error.name === "ScriptError";
}

/** Loads the engine when a policy has a script: most platforms never need it. */
function openLazily(): OpenScript {
  let loaded: Promise<OpenScript> | undefined;
  return async (...given) => {
    // Not the injected clock: where that one stands still, a script that never ends would not be broken off.
    loaded ??= import("../../sandbox/script/mod.ts").then(({ scripts }) => scripts(() => performance.now()));
    return (await loaded)(...given);
  };
}
