/**
 * Backups of the embedded database.
 *
 * @module
 */
import { Act, Form, numberText, Panel, Table, Time } from "../../parts/mod.ts";
import { type Action, field, type Page } from "../../view.ts";
import { AboutTabs, textsOf } from "./frame.tsx";

interface Backup {
  readonly id: string;
  /** Bytes. */
  readonly size: number;
  readonly createdAt: string;
}

const BACKUPS = "/api/v1/backups", MIB = 1024 * 1024;

/** `GET /about/backups`. */
export const backupsPage: Page = async (view) => {
  const t = textsOf(view), { common } = view.texts;
  const { items } = await view.client.get<{ items: Backup[] }>(BACKUPS);
  return {
    title: t.backups,
    content: (
      <>
        <AboutTabs view={view} />
        <Panel>
          <p class="soft">{t.backupsHint}</p>
          <Table
            label={t.backups}
            head={[t.backup, common.created, t.size, common.actions]}
            numbers={[2]}
            empty={common.none}
            rows={items.map(({ id, size, createdAt }) => [
              <a href={`/about/backups/${encodeURIComponent(id)}`} download>{id}</a>,
              <Time at={createdAt} view={view} />,
              `${numberText(size / MIB, view, 1)} MiB`,
              <Act
                view={view}
                action="remove"
                label={common.remove}
                tone="danger"
                confirm={common.sure}
                fields={{ id }}
                about={id}
              />,
            ])}
          />
          <Form view={view} action="make" label={t.makeBackup} />
        </Panel>
      </>
    ),
  };
};

/** `GET /about/backups/:id`: the file, as the API gives it. */
export const backupFile: Page = async (view) => ({
  response: await view.client.raw(`${BACKUPS}/${encodeURIComponent(view.params["id"] ?? "")}/content`),
});

/** What the forms of the backups' page do. */
export const backupActions: Readonly<Record<string, Action>> = {
  async make(view) {
    await view.client.send("POST", BACKUPS);
  },
  async remove(view) {
    await view.client.send("DELETE", `${BACKUPS}/${encodeURIComponent(field(view, "id"))}`);
  },
};
