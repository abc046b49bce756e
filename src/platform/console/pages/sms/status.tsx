/**
 * How the short-message service is doing; its alarms.
 *
 * @module
 */
import { Badge, Choice, numberText, Panel, Table, Tiles, Time } from "../../parts/mod.ts";
import { type Page, query, type View } from "../../view.ts";
import { Connected, itemsOf, mayChange, SMS, SmsTabs, textsOf } from "./frame.tsx";
import { type Behaviour, SimulatorPanels } from "./simulator.tsx";

interface Status {
  readonly connections: number;
  readonly backlog: number;
  readonly oldestWaitingAt: string | null;
  readonly writesWaiting: number;
  readonly results: Readonly<Record<string, number>>;
}
interface Outlet {
  readonly name: string;
  readonly connected: boolean;
  readonly since: string;
  readonly unanswered: number;
  readonly unreported: number;
  readonly lastError: string | null;
}
interface Queue {
  readonly spId: string;
  readonly kind: string;
  readonly count: number;
  readonly oldestAt: string;
}
interface Alarm {
  readonly id: number;
  readonly kind: string;
  readonly subject: string;
  readonly detail: string;
  readonly raisedAt: string;
  readonly clearedAt: string | null;
}

/** `GET /sms`. */
export const statusPage: Page = async (view) => {
  const t = textsOf(view), { texts } = view;
  const [status, outlets, queues, alarms] = await Promise.all([
    view.client.get<Status>(`${SMS}/status`),
    itemsOf<Outlet>(view, "/outlets"),
    itemsOf<Queue>(view, "/queues"),
    itemsOf<Alarm>(view, "/alarms", { state: "raised" }),
  ]);
  const played = mayChange(view) && outlets.some(({ name }) => name === "simulator");
  const behaviour = played ? await view.client.get<Behaviour>(`${SMS}/simulator`) : undefined;
  const count = (value: number) => numberText(value, view);
  return {
    title: t.title,
    refreshSeconds: 5,
    content: (
      <>
        <SmsTabs view={view} />
        <Tiles
          id="tiles"
          tiles={[
            [t.openConnections, count(status.connections)],
            [t.backlog, count(status.backlog)],
            [t.writes, count(status.writesWaiting)],
          ]}
        />
        {status.oldestWaitingAt !== null && (
          <p id="oldest" class="soft" data-live>
            {`${t.oldest} `}
            <Time at={status.oldestWaitingAt} view={view} />
          </p>
        )}
        <Panel title={t.raised} id="alarms">
          <div role="status">
            <AlarmTable view={view} alarms={alarms} empty={t.noAlarm} />
          </div>
        </Panel>
        <Panel title={t.outlets} id="outlets">
          <Table
            label={t.outlets}
            head={[texts.common.name, texts.common.status, t.since, t.unanswered, t.unreported, t.lastError]}
            numbers={[3, 4]}
            empty={texts.common.none}
            rows={outlets.map((outlet) => [
              outlet.name,
              <Connected yes={outlet.connected} view={view} />,
              <Time at={outlet.since} view={view} />,
              count(outlet.unanswered),
              count(outlet.unreported),
              outlet.lastError ?? "",
            ])}
          />
        </Panel>
        <div class="grid">
          <Panel title={t.queues} id="queues">
            <Table
              label={t.queues}
              head={[t.spId, t.kind, t.count, t.oldestAt]}
              numbers={[2]}
              empty={texts.common.none}
              rows={queues.map((queue) => [
                queue.spId,
                queue.kind,
                count(queue.count),
                <Time at={queue.oldestAt} view={view} />,
              ])}
            />
          </Panel>
          <Panel title={t.results} id="results">
            <Table
              label={t.results}
              head={[t.result, t.count]}
              numbers={[1]}
              empty={texts.common.none}
              rows={Object.entries(status.results).map(([result, number]) => [result, count(number)])}
            />
          </Panel>
        </div>
        {behaviour && <SimulatorPanels view={view} now={behaviour} />}
      </>
    ),
  };
};

/** `GET /sms/alarms`. */
export const alarmsPage: Page = async (view) => {
  const t = textsOf(view), state = query(view, "state");
  const alarms = await itemsOf<Alarm>(view, "/alarms", { state });
  return {
    title: t.alarms,
    refreshSeconds: 5,
    content: (
      <>
        <SmsTabs view={view} />
        <form class="row" method="get" action="/sms/alarms">
          <Choice
            view={view}
            name="state"
            label={view.texts.common.status}
            value={state}
            options={[["", view.texts.common.all], ["raised", t.still], ["cleared", t.clearedAt]]}
          />
          <button type="submit">{view.texts.common.filter}</button>
        </form>
        <Panel id="alarms">
          <AlarmTable view={view} alarms={alarms} empty={t.noAlarm} />
        </Panel>
      </>
    ),
  };
};

function AlarmTable(
  { view, alarms, empty }: {
    readonly view: View;
    readonly alarms: readonly Alarm[];
    readonly empty: string;
  },
) {
  const t = textsOf(view);
  return (
    <Table
      label={t.alarms}
      head={[t.alarm, t.subject, t.detail, t.raisedAt, t.clearedAt]}
      empty={empty}
      rows={alarms.map((alarm) => [
        <Badge tone={alarm.clearedAt === null ? "bad" : "soft"}>
          {t.alarmKinds[alarm.kind] ?? alarm.kind}
        </Badge>,
        alarm.subject,
        alarm.detail,
        <Time at={alarm.raisedAt} view={view} />,
        alarm.clearedAt === null ? t.still : <Time at={alarm.clearedAt} view={view} />,
      ])}
    />
  );
}
