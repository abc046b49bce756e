/**
 * The name server (GNS) as a service: answers gateways, and tells them what changes.
 *
 * @module
 */
import { join } from "@std/path";
import type { Kysely } from "kysely";
import { formatHostPort, type HostPort, hourly, messageOf, type Service } from "../../../base/mod.ts";
import type { Routes } from "../../../control/mod.ts";
import type { Dialect, Message } from "../../../protocol/cmpp/mod.ts";
import type { PlatformDeps } from "../../deps.ts";
import { Seal } from "../../credentials/mod.ts";
import { DEFAULT_SMS_SETTINGS, type SmsSettings } from "../settings.ts";
import { GnsAnswers } from "./answers.ts";
import { gnsRoutes } from "./routes.ts";
import { Pushes } from "./pushes.ts";
import type { GnsTables } from "./schema.ts";
import { type Answering, type Caller, serveShort } from "./short_link.ts";
import { GnsStore } from "./store.ts";

/** What the service leans on beside the platform's dependencies. */
export interface GnsParts {
  /** The database, with `smsMigrations` applied. */
  readonly sql: Kysely<GnsTables>;
  /** Where the key of secrets lies. */
  readonly dataDir: string;
  /** What else answers on the same port: the gateway of the same process takes its updates here. */
  readonly besides?: () => Answering | undefined;
}

/** Settings of the service; what is not given is as the gateway's. */
export type GnsSettings =
  & Partial<SmsSettings>
  & {
    readonly listen: HostPort;
    readonly gatewayCode: string;
    /** false: a sub-node, whose routes gateways can't change (Result 4). Default true. */
    readonly takesUpdates?: boolean;
  };

/** The running service. Mount its routes. */
export interface Gns extends Service {
  readonly routes: Routes;
  readonly address: HostPort;
}

/** Starts the service. @throws {NetError} where the port can't be had, {@link SealError} where the key is no key */
export async function startGns(
  platform: Pick<PlatformDeps, "clock" | "random" | "log" | "metrics" | "network">,
  { sql, dataDir, besides }: GnsParts,
  given: GnsSettings,
): Promise<Gns> {
  const settings = { ...DEFAULT_SMS_SETTINGS, ...given };
  const deps = { ...platform, log: platform.log.with({ service: "gns" }) };
  await using starting = new AsyncDisposableStack();
  const seal = await Seal.open(join(dataDir, "sms.key"), deps.random);
  const store = await GnsStore.open(sql, seal, deps.clock, settings.utcOffsetMinutes);
  const pushes = starting.use(new Pushes(deps, deps.network, store, settings.gatewayCode, settings));
  const own = new GnsAnswers(deps, store, () => pushes.wake(), settings.takesUpdates);
  const answering = besides ? both(own, besides) : own;
  const server = starting.use(serveShort(deps, deps.network, settings.listen, settings, answering));
  pushes.wake();
  starting.use(
    hourly(
      deps.clock,
      () => store.forget(deps.clock.now() - settings.retentionMs),
      (error) => deps.log.warn("old changes were not removed", { error: messageOf(error) }),
    ),
  );
  const stack = starting.move();
  return {
    name: "gns",
    addresses: [`tcp ${formatHostPort(server.address)}`],
    address: server.address,
    routes: gnsRoutes({ store, changed: () => pushes.wake() }),
    health: () => ({ status: "up" }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Two that answer on one port: each what the other does not. */
function both(one: Answering, other: () => Answering | undefined): Answering {
  return {
    callerOf: (code) => one.callerOf(code) ?? other()?.callerOf(code),
    async answer(caller: Caller, message: Message, dialect: Dialect): Promise<Message | undefined> {
      const answer = one.callerOf(caller.code) && await one.answer(caller, message, dialect);
      if (answer) return answer;
      return other()?.callerOf(caller.code) ? await other()!.answer(caller, message, dialect) : undefined;
    },
  };
}
