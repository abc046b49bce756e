/**
 * Copies a database on a thread of its own: the runtime's SQLite works while nothing else does.
 *
 * @module
 */
import { backup, DatabaseSync } from "node:sqlite";

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

/** Pages copied in one go: all. So it is one read transaction, the database as it is when that begins. */
const ALL = 0x7fff_ffff;

async function copy({ from, to }: BackupOrder): Promise<void> {
  const source = new DatabaseSync(from);
  try {
    // Not `vacuum into`: that attaches a database, which the runtime allows only with all permissions.
    await backup(source, to, { rate: ALL });
  } finally {
    source.close();
  }
  const copied = new DatabaseSync(to);
  try {
    // One file, without a log beside it.
    copied.exec("pragma journal_mode = delete");
    const check = copied.prepare("pragma integrity_check").get() as { integrity_check?: unknown } | undefined;
    if (check?.integrity_check !== "ok") throw new Error(`the copy is damaged: ${check?.integrity_check}`);
  } finally {
    copied.close();
  }
}

scope.onmessage = ({ data }) => {
  copy(data).then(
    () => scope.postMessage({}),
    (error) => scope.postMessage({ error: error instanceof Error ? error.message : String(error) }),
  );
};
