/**
 * The phone app's service: accounts, bindings, and asking one's own gateways (G3, `/app/v1`).
 *
 * @module
 */
import type { Kysely } from "kysely";
import { messageOf, type Service, type Timer } from "../../base/mod.ts";
import { type Authenticator, Routes } from "../../control/mod.ts";
import type { Commander } from "../commands/mod.ts";
import type { PlatformDeps } from "../deps.ts";
import type { PushedMessages } from "../push/mod.ts";
import type { RegistryTables } from "../registry/mod.ts";
import { accountRoutes } from "./account_routes.ts";
import { BindingStore } from "./bindings.ts";
import { Connections } from "./connections.ts";
import { gatewayRoutes } from "./gateway_routes.ts";
import { messageRoutes } from "./message_routes.ts";
import { Passwords } from "../credentials/mod.ts";
import type { AppTables, OwnTables } from "./schema.ts";
import { type AppSettings, DEFAULT_APP_SETTINGS } from "./settings.ts";
import { SessionStore, UserStore } from "./users.ts";

/** What the service leans on beside the platform's dependencies. */
export interface AppParts {
  /** The database, with `appMigrations` applied. */
  readonly sql: Kysely<RegistryTables>;
  readonly commander: Pick<Commander, "create" | "wait" | "find" | "connect" | "connection">;
  readonly messages: PushedMessages;
}

/** The running service. It listens nowhere itself: mount its routes and add its authenticator. */
export interface App extends Service {
  readonly routes: Routes;
  readonly authenticator: Authenticator;
}

const HOUR_MS = 3_600_000;

/** Starts the phone app's service. */
export function startApp(
  deps: Pick<PlatformDeps, "clock" | "random" | "log" | "metrics" | "gateways" | "presence">,
  { sql, commander, messages }: AppParts,
  settings: Partial<AppSettings> = {},
): App {
  const all = { ...DEFAULT_APP_SETTINGS, ...settings };
  const db: Kysely<AppTables> = sql.$extendTables<OwnTables>();
  const sessions = new SessionStore(db, deps, all.sessionMs);
  const users = new UserStore(db, deps.clock);
  const bindings = new BindingStore(db, deps.gateways, deps.presence, deps.clock);
  const connections = new Connections(deps.clock, commander, deps.presence);
  const routes = new Routes();
  routes.mount("", accountRoutes(deps, { users, sessions, passwords: new Passwords(all.scrypt) }, all));
  routes.mount("", gatewayRoutes(deps, { bindings, connections, commander, presence: deps.presence }, all));

  routes.mount("", messageRoutes(deps, { bindings, messages }));

  let timer: Timer | undefined;
  let cleaning: Promise<unknown> = Promise.resolve();
  const clean = () => {
    timer = undefined;
    cleaning = sessions.forgetExpired()
      .catch((error) => deps.log.warn("expired sessions were not removed", { error: messageOf(error) }))
      .then(schedule);
  };
  let stopped = false;
  const schedule = () => {
    if (!stopped) timer = deps.clock.setTimer(clean, HOUR_MS);
  };
  schedule();
  return {
    name: "app",
    addresses: [],
    routes,
    authenticator: sessions,
    health: () => ({ status: "up" }),
    async [Symbol.asyncDispose]() {
      stopped = true;
      timer?.cancel();
      await cleaning;
    },
  };
}
