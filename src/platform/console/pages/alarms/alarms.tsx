/**
 * The platform's alarms, raised and cleared.
 *
 * @module
 */
import { Badge, Choice, Form, Pages, Panel, Table, TextField, Time } from "../../parts/mod.ts";
import { type Action, field, listOf, optional, type Page, query, type View } from "../../view.ts";
import { AlarmTabs, SEVERITIES, Severity, textsOf } from "./frame.tsx";

interface Alarm {
  readonly id: string;
  readonly rule: string;
  readonly kind: string;
  readonly subject: string;
  readonly severity: string;
  readonly group: string | null;
  readonly detail: string;
  readonly raisedAt: string;
  readonly clearedAt: string | null;
  readonly acknowledgedAt: string | null;
  readonly acknowledgedBy: string | null;
  readonly note: string | null;
}

/** `GET /alarms`: what is raised, unless `state` asks for others. */
export const alarmsPage: Page = async (view) => {
  const t = textsOf(view), { common } = view.texts, { searchParams } = view.url;
  const state = searchParams.has("state") ? query(view, "state") : "raised";
  const filter = { state, severity: query(view, "severity"), rule: query(view, "rule") };
  const [page, { items: rules }] = await Promise.all([
    listOf<Alarm>(view, "/api/v1/alarms", filter),
    view.client.get<{ items: { id: string }[] }>("/api/v1/alarm-rules"),
  ]);
  return {
    title: t.title,
    refreshSeconds: 10,
    content: (
      <>
        <AlarmTabs view={view} />
        <form class="row" method="get" action="/alarms">
          <Choice
            view={view}
            name="state"
            label={t.state}
            value={state}
            options={[["raised", t.raised], ["cleared", t.cleared], ["", common.all]]}
          />
          <Choice
            view={view}
            name="severity"
            label={t.severity}
            value={filter.severity}
            options={[["", common.all], ...SEVERITIES.map((one) => [one, t.severities[one]!] as const)]}
          />
          <Choice
            view={view}
            name="rule"
            label={t.rule}
            value={filter.rule}
            options={[["", common.all], ...rules.map(({ id }) => [id, id] as const)]}
          />
          <button type="submit">{common.filter}</button>
        </form>
        <Panel id="alarms">
          <Table
            label={t.title}
            head={[t.detail, t.severity, t.state, t.subject, t.rule, t.raisedAt, t.clearedAt, t.acknowledged]}
            empty={state === "raised" && !filter.severity && !filter.rule ? t.noAlarm : common.noMatch}
            rows={page.items.map((alarm) => [
              alarm.detail,
              <Severity view={view} severity={alarm.severity} />,
              alarm.clearedAt === null
                ? <Badge tone="bad">{t.raised}</Badge>
                : <Badge tone="soft">{t.cleared}</Badge>,
              alarm.subject || (alarm.group ?? ""),
              alarm.rule,
              <Time at={alarm.raisedAt} view={view} />,
              <Time at={alarm.clearedAt} view={view} />,
              <SeenTo view={view} alarm={alarm} />,
            ])}
          />
          <Pages view={view} next={page.next} />
        </Panel>
      </>
    ),
  };
};

/** Who sees to an alarm; where nobody does, the way to say so. */
function SeenTo({ view, alarm }: { readonly view: View; readonly alarm: Alarm }) {
  const t = textsOf(view);
  if (alarm.acknowledgedBy !== null) {
    return (
      <span title={alarm.note ?? undefined}>{alarm.acknowledgedBy}{alarm.note && `: ${alarm.note}`}</span>
    );
  }
  if (!view.may("alarms:write") || alarm.clearedAt !== null) return "—";
  return (
    <details>
      <summary aria-label={`${t.acknowledge}: ${alarm.detail}`}>{t.acknowledge}</summary>
      <Form view={view} row action="acknowledge" label={view.texts.common.save}>
        <input type="hidden" name="id" value={alarm.id} />
        <TextField view={view} name="note" label={t.note} max={500} />
      </Form>
    </details>
  );
}

/** What the forms of the alarms' page do. */
export const alarmActions: Readonly<Record<string, Action>> = {
  async acknowledge(view) {
    await view.client.send("POST", `/api/v1/alarms/${encodeURIComponent(field(view, "id"))}/acknowledge`, {
      note: optional(view, "note") ?? null,
    });
  },
};
