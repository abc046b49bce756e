/**
 * Nodes in one process over a database of their own on a real PostgreSQL server: each lives by a clock that only the
 * test moves, so that one whose clock stands still is one that was paused.
 *
 * @module
 */
import type { Kysely } from "kysely";
import { type Deps, FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { openDatabase } from "../../storage/mod.ts";
import { dropDatabases, makeDatabase } from "../../storage/testing.ts";
import { registryMigrations } from "../registry/mod.ts";
import { Membership } from "./membership.ts";
import { nodeMigrations, type NodeTables } from "./schema.ts";

/** How long leases hold here: by the server's clock far longer than a test takes, unless the test ends one. */
export const LEASE_MS = 60_000;

const reachable = await Deno.connect({ hostname: "127.0.0.1", port: 5432 }).then((conn) => {
  conn.close();
  return true;
}, () => false);

/** A clock that can also jump, as for a process that was paused. */
export class NodeClock extends FakeClock {
  #paused = 0;

  /** Lets time pass in which the process does nothing. */
  pause(ms: number): void {
    this.#paused += ms;
  }

  override monotonic(): number {
    return super.monotonic() + this.#paused;
  }
}

/** One node. */
export interface TestNode extends AsyncDisposable {
  readonly clock: NodeClock;
  readonly deps: Deps;
  readonly membership: Membership;
  /** Lets a quarter of a lease pass: it renews its lease and looks at the others. */
  beat(): Promise<void>;
}

/** The database, and nodes on it. */
export class NodesStage {
  constructor(readonly db: Kysely<NodeTables>) {}

  depsOf(clock: NodeClock): Deps {
    return { clock, random: seededRandom(1), log: silentLog, metrics: new Metrics() };
  }

  async join(node: string, clock = new NodeClock()): Promise<TestNode> {
    const deps = this.depsOf(clock);
    const membership = await Membership.join(deps, this.db, { node, leaseMs: LEASE_MS });
    return {
      clock,
      deps,
      membership,
      async beat() {
        await clock.advance(LEASE_MS / 4);
        // It sets its next timer when it is done.
        await eventually(() => clock.pendingTimers > 0);
      },
      [Symbol.asyncDispose]: () => membership[Symbol.asyncDispose](),
    };
  }

  /** Ends a node's lease, as by the time that passes on the server. */
  async expire(node: string): Promise<void> {
    await this.db.updateTable("cluster_node").set({ expires_at: 1 }).where("node", "=", node).execute();
  }
}

/** A test over a database of its own; ignored where there is no server. */
export function onPostgres(name: string, fn: (stage: NodesStage) => Promise<void>): void {
  Deno.test({
    name: reachable ? name : `${name} (ignored: no PostgreSQL on 127.0.0.1:5432)`,
    ignore: !reachable,
    async fn() {
      const database = `gatehouse_test_${crypto.randomUUID().slice(0, 8)}`;
      const migrations = { ...registryMigrations, ...nodeMigrations };
      const opened = await openDatabase<NodeTables>(await makeDatabase(database), migrations);
      try {
        await fn(new NodesStage(opened.sql));
      } finally {
        await opened[Symbol.asyncDispose]();
        await dropDatabases(database);
      }
    },
  });
}

/** Waits for the server to have answered: until it holds. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!await holds()) {
    if (performance.now() > end) throw new Error("not within 20 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
