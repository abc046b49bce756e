/**
 * Who changed what.
 *
 * @module
 */
import { Facts, Form, Json, numberText, Pages, Panel, Table, TextField, Time } from "../../parts/mod.ts";
import { type Action, listOf, type Page, query, type View } from "../../view.ts";
import { textsOf } from "./frame.tsx";

interface Entry {
  readonly seq: number;
  readonly at: string;
  readonly actor: string;
  readonly actorName: string;
  readonly action: string;
  readonly target: string;
  readonly status: number;
  readonly address: string;
  readonly requestId: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** `GET /audit`. */
export const auditPage: Page = async (view) => {
  const t = textsOf(view), { common } = view.texts;
  const filter = {
    actor: query(view, "actor"),
    action: query(view, "action"),
    target: query(view, "target"),
  };
  const page = await listOf<Entry>(view, "/api/v1/audit", {
    ...filter,
    from: moment(view, "from"),
    until: moment(view, "until"),
  });
  const filtered = ["actor", "action", "target", "from", "until"].some((name) => query(view, name) !== "");
  return {
    title: t.audit,
    content: (
      <>
        <form class="row" method="get" action="/audit" role="search">
          <TextField view={view} name="actor" label={t.actor} value={filter.actor} />
          <TextField view={view} name="action" label={t.action} value={filter.action} />
          <TextField view={view} name="target" label={t.target} value={filter.target} />
          <TextField
            view={view}
            name="from"
            type="datetime-local"
            label={t.from}
            value={query(view, "from")}
          />
          <TextField
            view={view}
            name="until"
            type="datetime-local"
            label={t.until}
            value={query(view, "until")}
          />
          <button type="submit">{common.filter}</button>
        </form>
        <div class="actions head">
          <Form view={view} row action="verify" label={t.verify} tone="quiet" />
          <a class="button quiet" href="/audit/export" download>{t.export}</a>
        </div>
        <Panel>
          <Table
            label={t.audit}
            head={[t.at, t.who, t.action, t.target, t.status, t.address, common.details]}
            numbers={[4]}
            empty={filtered ? common.noMatch : common.none}
            rows={page.items.map((entry) => [
              <Time at={entry.at} view={view} />,
              <span title={entry.actor}>{entry.actorName}</span>,
              entry.action,
              <span class="mono">{entry.target}</span>,
              String(entry.status),
              <span class="mono">{entry.address}</span>,
              <details>
                <summary>{`${common.show} ${entry.seq}`}</summary>
                <Facts
                  facts={[
                    [t.before, entry.before === null ? null : <Json value={entry.before} />],
                    [t.after, entry.after === null ? null : <Json value={entry.after} />],
                    [view.texts.problem.requestId, <span class="mono">{entry.requestId}</span>],
                  ]}
                />
              </details>,
            ])}
          />
          <Pages view={view} next={page.next} />
        </Panel>
      </>
    ),
  };
};

/** Goes through the chain of hashes. */
export const verifyAudit: Action = async (view) => {
  const t = textsOf(view);
  const found = await view.client.get<
    { entries: number; intact: boolean; brokenAt: number | null; head: string }
  >("/api/v1/audit/verify");
  return {
    title: t.audit,
    content: (
      <>
        <div class={`notice ${found.intact ? "good" : "bad"}`} role={found.intact ? "status" : "alert"}>
          <p>
            {found.intact ? t.intact(numberText(found.entries, view)) : t.broken(String(found.brokenAt))}
          </p>
          <p>{t.head}</p>
          <pre class="secret" tabindex={0}>{found.head}</pre>
        </div>
        <p>
          <a href="/audit">{view.texts.common.back}</a>
        </p>
      </>
    ),
  };
};

/** `GET /audit/export`: the file, as the API gives it. */
export const exportAudit: Page = async (view) => ({
  response: await view.client.raw("/api/v1/audit/export"),
});

function moment(view: View, name: string): string | undefined {
  const time = Date.parse(query(view, name));
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}
