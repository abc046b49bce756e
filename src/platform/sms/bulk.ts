/**
 * Many rows in few statements: the query layer compiles each size once, and its text is used from then on.
 *
 * @module
 */
import { type CompiledQuery, type Kysely, type Transaction } from "kysely";

/** Rows in one statement, largest first: what does not fill one goes on in the next smaller. */
const SIZES = [128, 16, 1] as const;

/** A statement over a list of rows (or keys). */
export class Bulk<Tables, Row> {
  readonly #texts = new Map<number, CompiledQuery>();

  /** `build` makes the statement for `rows`; `parameters` gives its parameters in the order of its placeholders. */
  constructor(
    private readonly build: (db: Kysely<Tables>, rows: readonly Row[]) => { compile(): CompiledQuery },
    private readonly parameters: (row: Row) => readonly unknown[],
  ) {}

  /** Runs it for all `rows`, whose fixed parameters `before` come first. */
  async run(
    transaction: Transaction<Tables>,
    rows: readonly Row[],
    before: readonly unknown[] = [],
  ): Promise<void> {
    let at = 0;
    for (const size of SIZES) {
      for (; rows.length - at >= size; at += size) {
        const some = rows.slice(at, at + size);
        let compiled = this.#texts.get(size);
        if (!compiled) this.#texts.set(size, compiled = this.build(transaction, some).compile());
        const parameters = [...before, ...some.flatMap(this.parameters)];
        await transaction.executeQuery({ ...compiled, parameters });
      }
    }
  }
}
