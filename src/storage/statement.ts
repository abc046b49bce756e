/**
 * Statements that are built and compiled once and run many times: for the few that are hot.
 *
 * @module
 */
import type { Compilable, CompiledQuery, QueryResult } from "kysely";

/** A database or a transaction of it, as far as a statement needs it. */
export interface Executor {
  executeQuery<Row>(query: CompiledQuery<Row>): Promise<QueryResult<Row>>;
}

/**
 * A statement with places for parameters. What `build` fills them with does not matter: each run brings its own, in
 * the order in which the statement names them.
 */
export class Statement<Row> {
  #compiled: CompiledQuery<Row> | undefined;

  constructor(private readonly build: () => Compilable<Row>) {}

  /** Runs it on `db`, which may be a transaction. */
  async run(db: Executor, parameters: readonly unknown[]): Promise<Row[]> {
    const compiled = this.#compiled ??= this.build().compile();
    if (parameters.length !== compiled.parameters.length) {
      throw new TypeError(
        `the statement takes ${compiled.parameters.length} parameters, not ${parameters.length}`,
      );
    }
    return (await db.executeQuery<Row>({ ...compiled, parameters })).rows;
  }
}
