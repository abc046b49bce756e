/**
 * Operators, machines and the audit as one part of the platform.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { type Deps, hourly, messageOf } from "../../base/mod.ts";
import {
  actorOf,
  ADMIN,
  type AuditedCall,
  type Authenticator,
  type Principal,
  Routes,
} from "../../control/mod.ts";
import { Passwords, type ScryptCost } from "../credentials/mod.ts";
import { ApiKeyStore } from "./api_keys.ts";
import { AuditLog } from "./audit.ts";
import { auditRoutes } from "./audit_routes.ts";
import { writesWaiting } from "../../storage/mod.ts";
import { OperatorSessions, OperatorStore } from "./operators.ts";
import { keyRoutes } from "./key_routes.ts";
import { operatorRoutes } from "./operator_routes.ts";
import { ALL_PERMISSIONS } from "./permissions.ts";
import type { PeopleTables } from "./schema.ts";
import { sessionRoutes, SignIn } from "./session_routes.ts";

/** How long a sign-in lasts. */
const SESSION_MS = 12 * 3_600_000;
const DAY_MS = 86_400_000;

/** Whoever has the token of the settings: may everything, also where no operator exists. */
export const ROOT: Principal = { ...ADMIN, permissions: ALL_PERMISSIONS };

/** The running part. It listens nowhere itself: mount its routes, add its authenticators, hand its audit on. */
export interface People extends AsyncDisposable {
  readonly routes: Routes;
  readonly authenticators: readonly Authenticator[];
  readonly signIn: SignIn;
  readonly sessions: OperatorSessions;
  readonly audit: AuditLog;
  /** The person behind an actor: see {@linkcode ApiKeyStore.personOf}. */
  personOf(actor: string): Promise<string>;
  /** What an API tells of its calls. */
  record(call: AuditedCall): Promise<void>;
}

/** Settings. All but `auditDays` are for tests. */
export interface PeopleSettings {
  /** Days that the audit's entries are kept; absent or 0: without end. */
  readonly auditDays?: number | undefined;
  readonly sessionMs?: number;
  readonly scrypt?: ScryptCost;
}

/** Starts the part. */
export function startPeople(
  deps: Pick<Deps, "clock" | "random" | "log" | "metrics">,
  sql: Kysely<PeopleTables>,
  settings: PeopleSettings = {},
): People {
  const { clock, log } = deps;
  const operators = new OperatorStore(sql, clock);
  const sessions = new OperatorSessions(sql, deps, settings.sessionMs ?? SESSION_MS);
  const keys = new ApiKeyStore(sql, deps);
  const audit = new AuditLog(sql, clock);
  deps.metrics.gauge(...writesWaiting("audit", () => audit.waiting));
  const parts = {
    operators,
    sessions,
    keys,
    audit,
    passwords: new Passwords(settings.scrypt),
    now: () => clock.now(),
  };
  const signIn = new SignIn(deps, parts);
  const routes = new Routes();
  routes.mount("", sessionRoutes(signIn, parts));
  routes.mount("", operatorRoutes(parts));
  routes.mount("", keyRoutes(parts));
  routes.mount("", auditRoutes(audit));

  const auditDays = settings.auditDays ?? 0;
  const cleaning = hourly(clock, async () => {
    await sessions.forgetExpired()
      .catch((error) => log.warn("expired sessions were not removed", { error: messageOf(error) }));
    if (auditDays > 0) await audit.forgetBefore(clock.now() - auditDays * DAY_MS);
  }, (error) => log.warn("old entries of the audit were not removed", { error: messageOf(error) }));
  return {
    routes,
    authenticators: [sessions, keys],
    signIn,
    sessions,
    audit,
    personOf: (actor) => keys.personOf(actor),
    record: ({ principal, method, route, path, status, address, requestId, change }) =>
      // What app users do with their own gateways is on the commands; it is not the operators' doing.
      principal.kind === "user" ? Promise.resolve() : audit.add({
        actor: actorOf(principal),
        actor_name: principal.name,
        action: `${method} ${route}`,
        target: path,
        status,
        address,
        request_id: requestId,
        before: change?.before,
        after: change?.after,
      }),
    async [Symbol.asyncDispose]() {
      await cleaning[Symbol.asyncDispose]();
      await audit.flush();
    },
  };
}
