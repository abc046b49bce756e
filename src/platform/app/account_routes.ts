/**
 * `/app/v1/users` and `/app/v1/sessions`: signing up, in and out.
 *
 * @module
 */
import * as v from "valibot";
import { type Deps, KeyedRate } from "../../base/mod.ts";
import { bearerToken, networkOf, problem, type ProblemError, Routes } from "../../control/mod.ts";
import { LockOut } from "../credentials/mod.ts";
import { type Passwords, weakness } from "../credentials/mod.ts";
import type { UserRow } from "./schema.ts";
import type { AppSettings } from "./settings.ts";
import { type SessionStore, USER_PERMISSION, userName, type UserStore } from "./users.ts";

const Time = v.pipe(v.string(), v.isoTimestamp());
const UserView = v.object({ id: v.string(), name: v.string(), createdAt: Time });

/** What a user's name may be made of: letters of any script, digits, and what addresses and numbers need. */
const Name = v.pipe(
  v.string(),
  v.maxLength(64),
  v.transform(userName),
  v.string(),
  v.regex(
    /^[\p{L}\p{N}][\p{L}\p{N}._@+-]{2,63}$/u,
    "Invalid name: Expected 3 to 64 letters, digits or . _ @ + -",
  ),
);
/** Far more than the longest password: longer ones are not even looked at. */
const Password = v.pipe(v.string(), v.maxLength(512, "Invalid length: Expected at most 512 characters"));
const Credentials = v.strictObject({ name: Name, password: Password });
const MAX_BYTES = 8192;

/** What the account routes lean on. */
export interface AccountParts {
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly passwords: Passwords;
}

/** The routes of users and sessions. */
export function accountRoutes(
  { clock, metrics }: Pick<Deps, "clock" | "metrics">,
  { users, sessions, passwords }: AccountParts,
  settings: AppSettings,
): Routes {
  const routes = new Routes();
  const signIns = new KeyedRate<string>(clock, settings.signInsPerMinute, 60_000, 100_000);
  const signUps = new KeyedRate<string>(clock, settings.signUpsPerHour, 3_600_000, 100_000);
  const lock = new LockOut(clock, settings.signInLock);
  const count = (outcome: "good" | "wrong" | "locked") =>
    metrics.counter("gatehouse_app_sign_ins_total", "Sign-ins of app users by how they ended", { outcome })
      .inc();

  routes.route({
    method: "POST",
    path: "/app/v1/users",
    summary: "Sign up",
    description: "The name is unique without regard to case.",
    tags: ["app accounts"],
    auth: "public",
    body: { json: Credentials, maxBytes: MAX_BYTES },
    responses: {
      201: { description: "The new user", schema: UserView },
      409: { description: "The name is taken" },
      422: { description: "The password is too weak" },
      429: { description: "Too many sign-ups from this address" },
    },
  }).handle(async ({ body: { name, password }, address, log }) => {
    if (!signUps.take(networkOf(address))) throw tooMany("sign-ups", 600);
    const weak = weakness(password, name);
    if (weak) throw problem(422, "weak_password", `the password is not taken: ${weak}`);
    // Looked up first, so that a name that is taken costs no hash; the insert decides.
    const row = await users.byName(name)
      ? undefined
      : await users.create(name, await passwords.hash(password));
    if (!row) throw problem(409, "name_taken", `the name "${name}" is taken`);
    log.info("user signed up", { user: row.id });
    return { status: 201, body: userView(row) };
  });

  routes.route({
    method: "GET",
    path: "/app/v1/users/me",
    summary: "The user who asks",
    tags: ["app accounts"],
    auth: [USER_PERMISSION],
    responses: { 200: { description: "The user", schema: UserView } },
  }).handle(async ({ principal }) => {
    const row = await users.byId(principal.id);
    // Between the look at the token and this one the user was removed: the token is no longer good.
    if (!row) throw problem(401, "invalid_token", "the user was removed");
    return { status: 200, body: userView(row) };
  });

  routes.route({
    method: "POST",
    path: "/app/v1/sessions",
    summary: "Sign in",
    description: "After several wrong passwords a name has to wait, longer each time.",
    tags: ["app accounts"],
    auth: "public",
    body: { json: Credentials, maxBytes: MAX_BYTES },
    responses: {
      201: {
        description: "The token, shown this once",
        schema: v.object({ token: v.string(), expiresAt: Time }),
      },
      401: { description: "Name or password is wrong" },
      429: { description: "Too many tries for this name or from this address" },
    },
  }).handle(async ({ body: { name, password }, address, log }) => {
    if (!signIns.take(networkOf(address))) throw tooMany("sign-ins", 60);
    const wait = lock.begin(name);
    if (wait > 0) {
      count("locked");
      throw problem(429, "locked_out", "too many wrong passwords for this name", {
        retryAfterSeconds: wait / 1000,
      });
    }
    let user: UserRow | undefined, good: boolean;
    try {
      user = await users.byName(name);
      good = await passwords.verify(password, user?.password);
    } catch (error) {
      lock.withdraw(name);
      throw error;
    }
    if (!user || !good) {
      count("wrong");
      log.warn("sign-in refused", { address });
      throw problem(401, "wrong_credentials", "name or password is wrong");
    }
    lock.succeed(name);
    count("good");
    const { token, expiresAt } = await sessions.create(user.id);
    log.info("user signed in", { user: user.id });
    return { status: 201, body: { token, expiresAt: new Date(expiresAt).toISOString() } };
  });

  routes.route({
    method: "DELETE",
    path: "/app/v1/sessions/current",
    summary: "Sign out on this device",
    tags: ["app accounts"],
    auth: [USER_PERMISSION],
    responses: { 204: { description: "The token is no longer good" } },
  }).handle(async ({ request }) => {
    await sessions.revoke(bearerToken(request)!);
    return { status: 204 };
  });

  routes.route({
    method: "DELETE",
    path: "/app/v1/sessions",
    summary: "Sign out everywhere",
    tags: ["app accounts"],
    auth: [USER_PERMISSION],
    responses: { 204: { description: "None of the user's tokens is good any more" } },
  }).handle(async ({ principal }) => {
    await sessions.revokeAll(principal.id);
    return { status: 204 };
  });

  return routes;
}

function userView(row: UserRow): v.InferInput<typeof UserView> {
  return { id: row.id, name: row.name, createdAt: new Date(row.created_at).toISOString() };
}

function tooMany(what: string, retryAfterSeconds: number): ProblemError {
  return problem(429, "too_many_attempts", `too many ${what} from this address`, { retryAfterSeconds });
}
