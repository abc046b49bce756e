/**
 * Where a message goes: the operators' table, what the name server has told, the name server itself.
 *
 * @module
 */
import { type Deps, messageOf } from "../../../base/mod.ts";
import type { Route, RouteStore } from "./route_store.ts";
import type { Target } from "./route_table.ts";
import type { RouteKind } from "./schema.ts";

/** Where a message goes; `unknown`: the name server can't be asked now, and nothing it said before fits. */
export type Decision = Target | { readonly kind: "unknown" };

/** Who is asked for routes that are not here. */
export interface NameServer {
  /** Learns the route for a number; undefined where there is none. Rejects where it can't be asked. */
  learn(kind: RouteKind, number: string): Promise<Route | undefined>;
}

/** What the router works with. */
export interface RouterParts {
  readonly routes: RouteStore;
  /** This gateway's code: a route to it is local. */
  readonly gatewayCode: string;
  readonly nameServer: NameServer | undefined;
  /** How long what the name server told is used without asking again, in milliseconds. */
  readonly routeFreshMs: number;
  /** How long the word that there is no route counts, in milliseconds. */
  readonly noRouteMs: number;
}

/** Digits that the name server tells numbers apart by (annex 2): those beyond them share one question. */
const SEGMENT_DIGITS = { mt: 7, mo: 21 } as const;
/** Numbers remembered as having no route, so that made-up ones cost bounded memory. */
const MOST_UNROUTED = 100_000;
const LOCAL = { kind: "local" } as const, NONE = { kind: "none" } as const;

/** Decides. */
export class Router {
  readonly #asking = new Map<string, Promise<Decision>>();
  readonly #unrouted = new Map<string, number>();

  constructor(
    private readonly deps: Pick<Deps, "clock" | "log" | "metrics">,
    private readonly parts: RouterParts,
  ) {}

  /** Whether every message stays here: there is no route, and nobody to ask. */
  get trivial(): boolean {
    return !this.parts.nameServer && this.parts.routes.tables.mt.size === 0;
  }

  /** How long the match of a route here is, for a comparison with what else matches; -1 for none. */
  matchOf(kind: RouteKind, number: string): number {
    return this.parts.routes.find(kind, number)?.first.length ?? -1;
  }

  /** Where a message to `number` goes; a promise where the name server must be asked first. */
  decide(kind: RouteKind, number: string): Decision | Promise<Decision> {
    const { routes, nameServer } = this.parts;
    const route = routes.find(kind, number);
    // A route that an operator has for every number does not keep the name server from being asked.
    if (route && !(nameServer && route.first === "")) {
      if (route.origin === "name_server" && this.#stale(route)) void this.#ask(kind, number);
      return this.#local(route.target);
    }
    const otherwise = route ? this.#local(route.target) : undefined;
    if (!nameServer) return otherwise ?? (kind === "mt" ? LOCAL : NONE);
    if (this.#knownUnrouted(kind, number)) return otherwise ?? NONE;
    return this.#ask(kind, number).then((decision) =>
      decision.kind === "none" && otherwise ? otherwise : decision
    );
  }

  /** True where it is known at once that there is no way. */
  hasNoRoute(number: string): boolean {
    if (this.trivial) return false;
    const decision = this.decide("mt", number);
    return !(decision instanceof Promise) && decision.kind === "none";
  }

  /** Routes have changed: what had none may have one. */
  changed(): void {
    this.#unrouted.clear();
  }

  #local(target: Target): Target {
    return target.kind === "gateway" && target.code === this.parts.gatewayCode ? LOCAL : target;
  }

  #stale({ updatedAt }: Route): boolean {
    return updatedAt + this.parts.routeFreshMs <= this.deps.clock.now();
  }

  #knownUnrouted(kind: RouteKind, number: string): boolean {
    const key = keyOf(kind, number), until = this.#unrouted.get(key);
    if (until === undefined) return false;
    if (until > this.deps.clock.monotonic()) return true;
    this.#unrouted.delete(key);
    return false;
  }

  #ask(kind: RouteKind, number: string): Promise<Decision> {
    const key = keyOf(kind, number);
    let asking = this.#asking.get(key);
    if (!asking) {
      asking = this.#learn(kind, number, key).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    return asking;
  }

  async #learn(kind: RouteKind, number: string, key: string): Promise<Decision> {
    try {
      const route = await this.parts.nameServer!.learn(kind, number);
      this.#count(route ? "answered" : "no_route");
      if (route) return this.#local(route.target);
      if (this.#unrouted.size >= MOST_UNROUTED) this.#unrouted.clear();
      this.#unrouted.set(key, this.deps.clock.monotonic() + this.parts.noRouteMs);
      return NONE;
    } catch (error) {
      this.#count("failed");
      this.deps.log.warn("the name server could not be asked", { kind, error: messageOf(error) });
      return { kind: "unknown" };
    }
  }

  #count(outcome: string): void {
    this.deps.metrics.counter("gatehouse_sms_route_questions_total", "Questions to the name server", {
      outcome,
    }).inc();
  }
}

function keyOf(kind: RouteKind, number: string): string {
  return `${kind}:${number.slice(0, SEGMENT_DIGITS[kind])}`;
}
