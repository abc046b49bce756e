/**
 * `/api/v1/sessions` and `/api/v1/me`: signing in and out, and one's own password.
 *
 * @module
 */
import * as v from "valibot";
import { type Deps, KeyedRate } from "../../base/mod.ts";
import {
  bearerToken,
  isoTime,
  networkOf,
  type Principal,
  problem,
  type ProblemError,
  Routes,
  timeSchema,
} from "../../control/mod.ts";
import { LockOut, type LockOutSettings, type Passwords, weakness } from "../credentials/mod.ts";
import type { AuditLog } from "./audit.ts";
import { Name, Password } from "./fields.ts";
import { operatorName, type OperatorSessions, type OperatorStore } from "./operators.ts";
import { ALL_PERMISSIONS } from "./permissions.ts";
import type { OperatorRow } from "./schema.ts";

/** Sign-ins from one network a minute. */
const SIGN_INS_PER_MINUTE = 30;
const LOCK: LockOutSettings = {
  free: 5,
  lockMs: 30_000,
  maxLockMs: 3_600_000,
  forgetMs: 86_400_000,
  maxKeys: 10_000,
};
const MAX_BYTES = 8192;

const MeView = v.object({
  kind: v.string(),
  id: v.string(),
  name: v.string(),
  permissions: v.array(v.string()),
  groups: v.nullable(v.array(v.string())),
});

/** What signing in leans on. */
export interface SessionParts {
  readonly operators: OperatorStore;
  readonly sessions: OperatorSessions;
  readonly passwords: Passwords;
  readonly audit: AuditLog;
}

/** Checks names and passwords, with brakes; for the API and for the console. */
export class SignIn {
  readonly #rate: KeyedRate<string>;
  readonly #lock: LockOut;

  constructor(
    private readonly deps: Pick<Deps, "clock" | "metrics" | "log">,
    private readonly parts: SessionParts,
  ) {
    this.#rate = new KeyedRate(deps.clock, SIGN_INS_PER_MINUTE, 60_000, 100_000);
    this.#lock = new LockOut(deps.clock, LOCK);
  }

  /**
   * A session of the operator with this name and password.
   *
   * @throws {ProblemError} 401 `wrong_credentials`, 429 `too_many_attempts` or `locked_out`
   */
  async enter(
    given: { readonly name: string; readonly password: string },
    from: { readonly address: string; readonly requestId: string },
  ): Promise<{ operator: OperatorRow; token: string; expiresAt: number }> {
    const { operators, sessions, passwords } = this.parts;
    const name = operatorName(given.name);
    if (!this.#rate.take(networkOf(from.address))) {
      throw problem(429, "too_many_attempts", "too many sign-ins from this address", {
        retryAfterSeconds: 60,
      });
    }
    const wait = this.#lock.begin(name);
    if (wait > 0) throw await this.#refused(name, from, "locked_out", wait);
    let operator: OperatorRow | undefined, good: boolean;
    try {
      operator = await operators.byName(name);
      good = await passwords.verify(given.password, operator?.password);
    } catch (error) {
      this.#lock.withdraw(name);
      throw error;
    }
    if (!operator || !good || operator.disabled === 1) {
      throw await this.#refused(name, from, "wrong_credentials");
    }
    this.#lock.succeed(name);
    const session = await sessions.create(operator.id, operator.password);
    if (!session) throw await this.#refused(name, from, "wrong_credentials");
    this.#count("good");
    await operators.signedIn(operator.id);
    await this.parts.audit.add({
      actor: `operator:${operator.id}`,
      actor_name: operator.name,
      action: "session.opened",
      target: "/api/v1/sessions",
      status: 201,
      address: from.address,
      request_id: from.requestId,
    });
    return { operator, ...session };
  }

  async #refused(
    name: string,
    { address, requestId }: { readonly address: string; readonly requestId: string },
    code: "locked_out" | "wrong_credentials",
    wait = 0,
  ): Promise<ProblemError> {
    this.#count(code === "locked_out" ? "locked" : "wrong");
    this.deps.log.warn("an operator's sign-in was refused", { name, address, why: code });
    const error = code === "locked_out"
      ? problem(429, code, "too many wrong passwords for this name", { retryAfterSeconds: wait / 1000 })
      : problem(401, code, "name or password is wrong");
    await this.parts.audit.add({
      actor: "nobody",
      actor_name: name,
      action: "session.refused",
      target: "/api/v1/sessions",
      status: error.status,
      address,
      request_id: requestId,
    });
    return error;
  }

  #count(outcome: "good" | "wrong" | "locked"): void {
    this.deps.metrics.counter(
      "gatehouse_operator_sign_ins_total",
      "Sign-ins of operators by how they ended",
      {
        outcome,
      },
    ).inc();
  }
}

/** The routes of sessions and of oneself. */
export function sessionRoutes(signIn: SignIn, { operators, sessions, passwords }: SessionParts): Routes {
  const routes = new Routes();
  routes.route({
    method: "POST",
    path: "/api/v1/sessions",
    summary: "Sign in as an operator",
    description: "After several wrong passwords a name has to wait, longer each time.",
    tags: ["people"],
    auth: "public",
    body: { json: v.strictObject({ name: Name, password: Password }), maxBytes: MAX_BYTES },
    responses: {
      201: {
        description: "The bearer token, shown this once",
        schema: v.object({ token: v.string(), expiresAt: timeSchema }),
      },
      401: { description: "Name or password is wrong" },
      429: { description: "Too many tries for this name or from this address" },
    },
  }).handle(async ({ body, address, id }) => {
    const { token, expiresAt } = await signIn.enter(body, { address, requestId: id });
    return { status: 201, body: { token, expiresAt: isoTime(expiresAt) } };
  });

  routes.route({
    method: "DELETE",
    path: "/api/v1/sessions/current",
    summary: "Sign out",
    tags: ["people"],
    auth: ANYBODY,
    responses: { 204: { description: "The session's token is no longer good" } },
  }).handle(async ({ request }) => {
    await sessions.revoke(bearerToken(request)!);
    return { status: 204 };
  });

  routes.route({
    method: "GET",
    path: "/api/v1/me",
    summary: "Who asks, and what they may",
    tags: ["people"],
    auth: ANYBODY,
    responses: { 200: { description: "Whom the token stands for", schema: MeView } },
  }).handle(({ principal }) => ({ status: 200, body: meView(principal) }));

  routes.route({
    method: "PUT",
    path: "/api/v1/me/password",
    summary: "Change one's own password",
    description: "Signs out every session of this operator; the answer holds the token of a new one.",
    tags: ["people"],
    auth: ANYBODY,
    body: { json: v.strictObject({ current: Password, password: Password }), maxBytes: MAX_BYTES },
    responses: {
      200: {
        description: "Changed",
        schema: v.object({ token: v.string(), expiresAt: timeSchema }),
      },
      401: { description: "The current password is wrong" },
      409: { description: "Whoever asks has no password: a key, or the token of the settings" },
      422: { description: "The new password is too weak" },
    },
  }).handle(async ({ body, principal, address, id, changed }) => {
    const operator = principal.kind === "operator" ? await operators.find(principal.id) : undefined;
    if (!operator) throw problem(409, "no_password", "only operators have a password");
    const given = { name: operator.name, password: body.current };
    const { operator: was } = await signIn.enter(given, { address, requestId: id });
    const weak = weakness(body.password, operator.name);
    if (weak) throw problem(422, "weak_password", `the password is not taken: ${weak}`);
    const password = await passwords.hash(body.password),
      superseded = () => problem(401, "wrong_credentials", "the password was changed at this moment");
    if (!await operators.update(was.id, { password }, { password: was.password })) throw superseded();
    changed(undefined, { password: "changed" });
    await sessions.revokeAll(was.id);
    const session = await sessions.create(was.id, password);
    if (!session) throw superseded();
    const { token, expiresAt } = session;
    return { status: 200, body: { token, expiresAt: isoTime(expiresAt) } };
  });
  return routes;
}

/** Whoever the operators' API knows, whatever they may. */
const ANYBODY = [...ALL_PERMISSIONS];

function meView({ kind, id, name, permissions, groups }: Principal): v.InferInput<typeof MeView> {
  return { kind, id, name, permissions: [...permissions], groups: groups ? [...groups] : null };
}
