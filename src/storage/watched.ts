/**
 * A dialect whose statements are watched: what fails because the database is away is thrown as a
 * {@linkcode StorageError}.
 *
 * @module
 */
import type { DatabaseConnection, Dialect, Driver } from "kysely";
import { messageOf } from "../base/mod.ts";
import { StorageError } from "./errors.ts";
import type { DatabaseWatch } from "./watch.ts";

/** `dialect`, with every statement told to `watch`. */
export function watchedDialect(dialect: Dialect, watch: DatabaseWatch): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver: () => watchedDriver(dialect.createDriver(), watch),
  };
}

function watchedDriver(driver: Driver, watch: DatabaseWatch): Driver {
  const known = new WeakSet<DatabaseConnection>();
  /** Connections in a transaction: what they write is on disk only with the commit. */
  const open = new WeakSet<DatabaseConnection>();
  const watched = async <T>(work: () => Promise<T>, wrote: () => boolean = () => false): Promise<T> => {
    try {
      const result = await work();
      watch.succeeded(wrote());
      return result;
    } catch (error) {
      throw watch.failed(error);
    }
  };
  return {
    // Savepoints and the like, which nobody here uses, are the driver's own.
    ...Object.fromEntries(
      (["savepoint", "rollbackToSavepoint", "releaseSavepoint"] as const).flatMap((name) => {
        const own = driver[name];
        return own ? [[name, own.bind(driver)]] : [];
      }),
    ),
    init: (options) => watched(() => driver.init(options)),
    async acquireConnection(options) {
      watch.admit();
      let connection: DatabaseConnection;
      try {
        connection = await driver.acquireConnection(options);
      } catch (error) {
        throw watch.failed(error);
      }
      if (!known.has(connection)) {
        known.add(connection);
        const execute = connection.executeQuery.bind(connection);
        connection.executeQuery = (query, options) =>
          watched(
            () => execute(query, options),
            () => !open.has(connection) && /^(insert|update|delete)/.test(query.sql),
          );
      }
      return connection;
    },
    // Begin and commit run by the connection's own way to execute: they are watched there.
    async beginTransaction(connection, settings) {
      await driver.beginTransaction(connection, settings);
      open.add(connection);
    },
    async commitTransaction(connection) {
      await driver.commitTransaction(connection);
      open.delete(connection);
      watch.succeeded(true);
    },
    async rollbackTransaction(connection) {
      open.delete(connection);
      try {
        await driver.rollbackTransaction(connection);
      } catch (error) {
        // What failed before this is what counts. SQLite takes a transaction back by itself where the disk is full, and
        // a server whose connection has gone does so too.
        if (!(error instanceof StorageError) && !/no transaction is active/.test(messageOf(error))) {
          throw error;
        }
      }
    },
    releaseConnection: (connection, options) => driver.releaseConnection(connection, options),
    destroy: (options) => driver.destroy(options),
  };
}
