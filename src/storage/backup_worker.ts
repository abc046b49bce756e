/**
 * Copies a database on a thread of its own: the runtime's SQLite works while nothing else does.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";

/** What it is told. */
export interface BackupOrder {
  readonly from: string;
  /** A file that is not there yet. */
  readonly to: string;
}

const scope = self as unknown as {
  onmessage: (event: MessageEvent<BackupOrder>) => void;
  postMessage(answer: { error?: string }): void;
};

scope.onmessage = ({ data: { from, to } }) => {
  try {
    const source = new DatabaseSync(from);
    try {
      source.exec("pragma busy_timeout = 10000");
      // One read transaction: the database as it is at this moment, while others go on writing.
      source.prepare("vacuum into ?").run(to);
    } finally {
      source.close();
    }
    scope.postMessage({});
  } catch (error) {
    scope.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
};
