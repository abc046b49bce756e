/**
 * The phone app's service: accounts, bindings, and asking one's own gateways (G3, `/app/v1`).
 *
 * @module
 */
import type { Kysely } from "kysely";
import { hourly, messageOf, type Service } from "../../base/mod.ts";
import { type Authenticator, type Principal, Routes } from "../../control/mod.ts";
import type { Commander } from "../commands/mod.ts";
import type { PlatformDeps } from "../deps.ts";
import type { FleetOwnTables } from "../fleet/mod.ts";
import type { PushedMessages } from "../push/mod.ts";
import type { RegistryTables } from "../registry/mod.ts";
import { accountRoutes } from "./account_routes.ts";
import { BindingStore } from "./bindings.ts";
import { Connections } from "./connections.ts";
import { gatewayRoutes } from "./gateway_routes.ts";
import { liveRoutes } from "./live_routes.ts";
import { memberRoutes } from "./member_routes.ts";
import { MemberStore } from "./members.ts";
import { messageRoutes } from "./message_routes.ts";
import { operatorRoutes } from "./operator_routes.ts";
import { renewProof } from "./proofs.ts";
import { ResetWatch } from "./resets.ts";
import { SessionStore } from "./sessions.ts";
import { Passwords } from "../credentials/mod.ts";
import type { AppTables, OwnTables } from "./schema.ts";
import { userRoutes } from "./user_routes.ts";
import { type AppSettings, DEFAULT_APP_SETTINGS } from "./settings.ts";
import { UserStore } from "./users.ts";

/** What the service leans on beside the platform's dependencies. */
export interface AppParts {
  /** The database, with `appMigrations` applied. */
  readonly sql: Kysely<RegistryTables>;
  readonly commander: Pick<Commander, "create" | "wait" | "find" | "connect" | "connection">;
  readonly messages: PushedMessages;
  /** Fails with 404 for a gateway that an operator may not see. */
  visible(principal: Principal, mac: string): Promise<unknown>;
}

/** The running service. It listens nowhere itself: mount its routes and add its authenticator. */
export interface App extends Service {
  readonly routes: Routes;
  readonly authenticator: Authenticator;
}

/** Starts the phone app's service. */
export function startApp(
  deps: Pick<PlatformDeps, "clock" | "random" | "log" | "metrics" | "gateways" | "presence" | "bus">,
  { sql, commander, messages, visible }: AppParts,
  settings: Partial<AppSettings> = {},
): App {
  const all = { ...DEFAULT_APP_SETTINGS, ...settings };
  const { bus, log } = deps;
  const db: Kysely<AppTables> = sql.$extendTables<OwnTables>();
  const sessions = new SessionStore(db, deps, all);
  const members = new MemberStore(db, deps);
  const users = new UserStore(db, deps.clock);
  const bindings = new BindingStore(db, deps.gateways, deps.presence, deps.clock);
  const connections = new Connections(
    deps.clock,
    commander,
    deps.presence,
    (mac) => bus.publish("connection.wanted", { mac }),
  );
  const onBinding = (mac: string, userId: string, bound: boolean) =>
    bus.publish("binding.changed", { mac, userId, bound });
  const unbind = async (mac: string, reason: string, boundBy?: number): Promise<boolean> => {
    const userId = await bindings.release(mac, boundBy);
    if (userId === undefined) return false;
    log.info("gateway unbound", { mac, user: userId, reason });
    onBinding(mac, userId, false);
    return true;
  };
  const routes = new Routes();
  routes.mount(
    "",
    accountRoutes(deps, {
      users,
      sessions,
      passwords: new Passwords(all.scrypt),
      ownedBy: (userId) => bindings.ownedBy(userId),
      released: (mac, userId) => onBinding(mac, userId, false),
    }, all),
  );
  routes.mount(
    "",
    gatewayRoutes(deps, {
      bindings,
      connections,
      commander,
      presence: deps.presence,
      renewProof: (mac) => renewProof(deps, mac),
      onBinding,
    }, all),
  );
  routes.mount("", memberRoutes(deps, { bindings, members }, all));
  const seen: Kysely<RegistryTables & FleetOwnTables> = sql.$extendTables<FleetOwnTables>();
  routes.mount(
    "",
    liveRoutes(deps, { bindings, connections, presence: deps.presence, bus, sql: seen }),
  );
  routes.mount("", messageRoutes(deps, { bindings, messages }));
  routes.mount("", userRoutes({ users, sessions, bindings }));
  routes.mount("", operatorRoutes({ bindings, members, visible, unbind }));

  const resets = new ResetWatch({
    ...{ clock: deps.clock, log, metrics: deps.metrics, bus, gateways: deps.gateways, sql: db },
    unbind: (mac, at) => unbind(mac, "factory reset", at),
  });
  const subscription = bus.subscribe(
    "connection.wanted",
    ({ mac }, from) => void (from && connections.heard(mac)),
  );

  const cleaning = hourly(
    deps.clock,
    () => sessions.forgetExpired().then(() => bindings.forgetProofs()),
    (error) => deps.log.warn("expired sessions were not removed", { error: messageOf(error) }),
  );
  return {
    name: "app",
    addresses: [],
    routes,
    authenticator: sessions,
    health: () => ({ status: "up" }),
    async [Symbol.asyncDispose]() {
      subscription[Symbol.dispose]();
      await cleaning[Symbol.asyncDispose]();
      await resets[Symbol.asyncDispose]();
    },
  };
}
