/**
 * `/app/v1/users` and `/app/v1/sessions`: signing up, in and out.
 *
 * @module
 */
import * as v from "valibot";
import { type Deps, KeyedRate } from "../../base/mod.ts";
import {
  bearerToken,
  isoTime,
  networkOf,
  problem,
  type ProblemError,
  Routes,
  timeSchema,
} from "../../control/mod.ts";
import { LockOut } from "../credentials/mod.ts";
import { type Passwords, weakness } from "../credentials/mod.ts";
import type { UserRow } from "./schema.ts";
import type { AppSettings } from "./settings.ts";
import type { SessionStore, Tokens } from "./sessions.ts";
import { USER_PERMISSION, userName, type UserStore } from "./users.ts";

const UserView = v.object({ id: v.string(), name: v.string(), createdAt: timeSchema });

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
const Device = v.pipe(v.string(), v.trim(), v.maxLength(64));
const SignInBody = v.strictObject({ ...Credentials.entries, device: v.optional(Device, "") });
const RefreshBody = v.strictObject({ refreshToken: v.pipe(v.string(), v.maxLength(256)) });

/** The tokens of a device, shown this once. */
const TokensView = v.object({
  /** The signed-in device's id. */
  id: v.string(),
  /** The bearer token of all other calls. */
  token: v.string(),
  expiresAt: timeSchema,
  /** For one renewal. */
  refreshToken: v.string(),
  refreshExpiresAt: timeSchema,
});
const SessionView = v.object({
  id: v.string(),
  device: v.string(),
  current: v.boolean(),
  createdAt: timeSchema,
  renewedAt: timeSchema,
  expiresAt: timeSchema,
});
const MAX_BYTES = 8192;

/** What the account routes lean on. */
export interface AccountParts {
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly passwords: Passwords;
  /** The gateways that a user owns. */
  ownedBy(userId: string): Promise<readonly string[]>;
  /** A binding ended with its user. */
  released(mac: string, userId: string): void;
}

/** The routes of users and sessions. */
export function accountRoutes(
  { clock, metrics }: Pick<Deps, "clock" | "metrics">,
  parts: AccountParts,
  settings: AppSettings,
): Routes {
  const { users, sessions, passwords } = parts;
  const routes = new Routes();
  const renewals = new KeyedRate<string>(clock, 10 * settings.signInsPerMinute, 60_000, 100_000);
  const reuses = metrics.counter(
    "gatehouse_app_refresh_tokens_reused_total",
    "Refresh tokens of app users that were shown again after they were used up",
  );
  const signIns = new KeyedRate<string>(clock, settings.signInsPerMinute, 60_000, 100_000);
  const signUps = new KeyedRate<string>(clock, settings.signUpsPerHour, 3_600_000, 100_000);
  const lock = new LockOut(clock, settings.signInLock);
  const count = (outcome: "good" | "wrong" | "locked") =>
    metrics.counter("gatehouse_app_sign_ins_total", "Sign-ins of app users by how they ended", { outcome })
      .inc();
  /** The user of that name and password; undefined for a wrong one. Throws the 429 where too many were wrong. */
  const proved = async (name: string, password: string): Promise<UserRow | undefined> => {
    const wait = lock.begin(name);
    if (wait > 0) {
      count("locked");
      throw problem(429, "locked_out", "too many wrong passwords for this name", {
        retryAfterSeconds: wait / 1000,
      });
    }
    try {
      const user = await users.byName(name);
      if (!await passwords.verify(password, user?.password) || !user) return undefined;
      lock.succeed(name);
      return user;
    } catch (error) {
      lock.withdraw(name);
      throw error;
    }
  };

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
    body: { json: SignInBody, maxBytes: MAX_BYTES },
    responses: {
      201: { description: "The device's tokens, shown this once", schema: TokensView },
      401: { description: "Name or password is wrong" },
      403: { description: "Support has locked the account" },
      429: { description: "Too many tries for this name or from this address" },
    },
  }).handle(async ({ body: { name, password, device }, address, log }) => {
    if (!signIns.take(networkOf(address))) throw tooMany("sign-ins", 60);
    const user = await proved(name, password);
    if (!user) {
      count("wrong");
      log.warn("sign-in refused", { address });
      throw problem(401, "wrong_credentials", "name or password is wrong");
    }
    // Only whoever knows the password is told.
    if (user.locked_at !== null) {
      count("locked");
      throw problem(403, "account_locked", "the account is locked: ask the carrier's support");
    }
    const tokens = await sessions.create(user.id, device, user.password);
    if (!tokens) {
      count("wrong");
      throw problem(401, "wrong_credentials", "the password was changed at this moment");
    }
    count("good");
    log.info("user signed in", { user: user.id });
    return { status: 201, body: tokensView(tokens) };
  });

  routes.route({
    method: "POST",
    path: "/app/v1/sessions/refresh",
    summary: "Renew a device's tokens",
    description:
      "A refresh token is good for one renewal. One that was used up signs the device out, as somebody else has it; " +
      "only until one of the new tokens was shown it can be used again, as their answer may have been lost. " +
      "Renew one at a time.",
    tags: ["app accounts"],
    auth: "public",
    body: { json: RefreshBody, maxBytes: MAX_BYTES },
    responses: {
      200: { description: "New tokens, shown this once", schema: TokensView },
      401: { description: "It is not good any more: sign in again" },
      429: { description: "Too many tries from this address" },
    },
  }).handle(async ({ body: { refreshToken }, address, log }) => {
    if (!renewals.take(networkOf(address))) throw tooMany("renewals", 60);
    const renewal = await sessions.renew(refreshToken);
    if (renewal.kind === "renewed") return { status: 200, body: tokensView(renewal.tokens) };
    if (renewal.kind === "reused") {
      reuses.inc();
      log.warn("a refresh token was shown again: the device was signed out", {
        user: renewal.userId,
        address,
      });
      throw problem(401, "token_reused", "the refresh token was used before: the device was signed out");
    }
    throw problem(401, "invalid_token", "the refresh token is not valid: sign in again");
  });

  routes.route({
    method: "GET",
    path: "/app/v1/sessions",
    summary: "The devices on which the user is signed in",
    tags: ["app accounts"],
    auth: [USER_PERMISSION],
    responses: { 200: { description: "All of them", schema: v.object({ items: v.array(SessionView) }) } },
  }).handle(async ({ principal, request }) => {
    const current = await sessions.idOf(bearerToken(request)!);
    const items = (await sessions.list(principal.id)).map((row) => ({
      id: row.id,
      device: row.device,
      current: row.id === current,
      createdAt: isoTime(row.created_at),
      renewedAt: isoTime(row.renewed_at),
      expiresAt: isoTime(row.expires_at),
    }));
    return { status: 200, body: { items } };
  });

  routes.route({
    method: "DELETE",
    path: "/app/v1/sessions/current",
    summary: "Sign out on this device",
    tags: ["app accounts"],
    auth: [USER_PERMISSION],
    responses: { 204: { description: "The token is no longer good" } },
  }).handle(async ({ principal, request }) => {
    const id = await sessions.idOf(bearerToken(request)!);
    if (id !== undefined) await sessions.revoke(principal.id, id);
    return { status: 204 };
  });

  routes.route({
    method: "DELETE",
    path: "/app/v1/sessions/{id}",
    summary: "Sign out on another device",
    tags: ["app accounts"],
    auth: [USER_PERMISSION],
    params: v.object({ id: v.pipe(v.string(), v.maxLength(64)) }),
    responses: {
      204: { description: "Its tokens are no longer good" },
      404: { description: "The user is not signed in there" },
    },
  }).handle(async ({ principal, params: { id } }) => {
    if (await sessions.revoke(principal.id, id)) return { status: 204 };
    throw problem(404, "session_not_found", `you have no signed-in device "${id}"`);
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

  routes.route({
    method: "PUT",
    path: "/app/v1/users/me/password",
    summary: "Change the password",
    description: "Signs the user out on all other devices.",
    tags: ["app accounts"],
    auth: [USER_PERMISSION],
    body: { json: v.strictObject({ password: Password, newPassword: Password }), maxBytes: MAX_BYTES },
    responses: {
      204: { description: "The new password holds" },
      403: { description: "The old password is wrong" },
      422: { description: "The new password is too weak" },
      429: { description: "Too many wrong passwords" },
    },
  }).handle(async ({ principal, request, body: { password, newPassword }, log }) => {
    const weak = weakness(newPassword, principal.name);
    if (weak) throw problem(422, "weak_password", `the password is not taken: ${weak}`);
    const user = await proved(principal.name, password);
    if (!user || !await users.setPassword(user, await passwords.hash(newPassword))) throw wrongPassword();
    // Where the device was signed out meanwhile, it stays so, like all others.
    await sessions.revokeAll(principal.id, await sessions.idOf(bearerToken(request)!) ?? "");
    log.info("user changed the password", { user: principal.id });
    return { status: 204 };
  });

  routes.route({
    method: "DELETE",
    path: "/app/v1/users/me",
    summary: "Delete the account",
    description:
      "Ends all that is the user's: devices, bindings with their members and invitations, memberships.",
    tags: ["app accounts"],
    auth: [USER_PERMISSION],
    body: { json: v.strictObject({ password: Password }), maxBytes: MAX_BYTES },
    responses: {
      204: { description: "There is no such user any more" },
      403: { description: "The password is wrong" },
      429: { description: "Too many wrong passwords" },
    },
  }).handle(async ({ principal, body: { password }, log }) => {
    if (!await proved(principal.name, password)) throw wrongPassword();
    const macs = await parts.ownedBy(principal.id);
    await users.remove(principal.id);
    for (const mac of macs) parts.released(mac, principal.id);
    log.info("user deleted the account", { user: principal.id });
    return { status: 204 };
  });
  return routes;
}

function tokensView(tokens: Tokens): v.InferInput<typeof TokensView> {
  const { sessionId, token, expiresAt, refreshToken, refreshExpiresAt } = tokens;
  return {
    id: sessionId,
    token,
    expiresAt: isoTime(expiresAt),
    refreshToken,
    refreshExpiresAt: isoTime(refreshExpiresAt),
  };
}

function wrongPassword(): ProblemError {
  return problem(403, "wrong_password", "the password is wrong");
}

function userView(row: UserRow): v.InferInput<typeof UserView> {
  return { id: row.id, name: row.name, createdAt: isoTime(row.created_at) };
}

function tooMany(what: string, retryAfterSeconds: number): ProblemError {
  return problem(429, "too_many_attempts", `too many ${what} from this address`, { retryAfterSeconds });
}
