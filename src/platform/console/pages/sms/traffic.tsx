/**
 * What providers sent and got, day by day.
 *
 * @module
 */
import { Choice, LineChart, numberText, Panel, Table, TextField } from "../../parts/mod.ts";
import { type Page, query, type View } from "../../view.ts";
import { itemsOf, SMS, SmsTabs, textsOf } from "./frame.tsx";

/** What one day counts. */
export interface Traffic {
  readonly day: string;
  readonly spId: string;
  readonly serviceId: string | null;
  readonly mtMessages: number;
  readonly mtUsers: number;
  readonly mtSent: number;
  readonly mtFailed: number;
  readonly moTaken: number;
  readonly moDelivered: number;
  readonly moFailed: number;
}

/** What passed in one minute, or one hour. */
interface Passed {
  readonly submitted: number;
  readonly failed: number;
  readonly mo: number;
}

const DAY_MS = 86_400_000;
/** Days shown where nobody says, providers that get a chart each, and days of the longest chart. */
const DAYS = 14, MAX_CHARTS = 12, MAX_DAYS = 366;

/** `GET /sms/traffic`. */
export const trafficPage: Page = async (view) => {
  const t = textsOf(view), { texts } = view;
  const spId = query(view, "spId"), by = query(view, "by") === "service" ? "service" : "provider";
  const { from, to } = await daysOf(view);
  const [rows, minutes, hours] = await Promise.all([
    itemsOf<Traffic>(view, "/traffic", { from: compact(from), to: compact(to), spId, by }),
    itemsOf<Passed>(view, "/traffic/live", { by: "minute" }),
    itemsOf<Passed>(view, "/traffic/live", { by: "hour" }),
  ]);
  const providers = [...new Set(rows.map((row) => row.spId))];
  return {
    title: t.traffic,
    refreshSeconds: 30,
    content: (
      <>
        <SmsTabs view={view} />
        <div class="grid" id="live" data-live>
          <LiveCharts view={view} span="minute" passed={minutes} />
          <LiveCharts view={view} span="hour" passed={hours} />
        </div>
        <form class="row" method="get" action="/sms/traffic" role="search">
          <TextField view={view} name="from" type="date" label={t.from} value={from} />
          <TextField view={view} name="to" type="date" label={t.to} value={to} />
          <TextField view={view} name="spId" label={t.spId} value={spId} max={6} />
          <Choice
            view={view}
            name="by"
            label={t.by}
            value={by}
            options={[["provider", t.byProvider], ["service", t.byService]]}
          />
          <button type="submit">{texts.common.show}</button>
        </form>
        <div class="grid" id="charts" data-live>
          {providers.slice(0, MAX_CHARTS).map((provider) => (
            <TrafficCharts
              view={view}
              who={provider}
              rows={rows.filter((row) => row.spId === provider)}
              from={from}
              to={to}
            />
          ))}
        </div>
        <Panel id="rows">
          <TrafficTable view={view} rows={rows} />
        </Panel>
      </>
    ),
  };
};

/** What passed of late, all providers together. */
function LiveCharts(
  { view, span, passed }: {
    readonly view: View;
    readonly span: "minute" | "hour";
    readonly passed: readonly Passed[];
  },
) {
  const t = textsOf(view), { ago, names } = t.live[span];
  return (
    <>
      {(["submitted", "failed", "mo"] as const).map((name) => (
        <section class="panel">
          <h2>{names[name]}</h2>
          <LineChart
            most={view.texts.overview.most}
            values={passed.map((one) => one[name])}
            label={names[name]}
            from={ago}
            until={t.now}
            format={(value) => numberText(value, view)}
          />
        </section>
      ))}
    </>
  );
}

/** A provider's days as two lines. */
export function TrafficCharts(
  { view, who, rows, from, to }: {
    readonly view: View;
    readonly who: string;
    readonly rows: readonly Traffic[];
    readonly from: string;
    readonly to: string;
  },
) {
  const t = textsOf(view), format = (value: number) => numberText(value, view);
  return (
    <>
      {([["mtUsers", t.chart(who)], ["moTaken", t.moChart(who)]] as const).map(([name, label]) => (
        <section class="panel">
          <h2>{label}</h2>
          <LineChart
            most={view.texts.overview.most}
            values={seriesOf(rows, name, from, to)}
            label={label}
            from={from}
            until={to}
            format={format}
          />
        </section>
      ))}
    </>
  );
}

/** The same as numbers. */
export function TrafficTable({ view, rows }: { readonly view: View; readonly rows: readonly Traffic[] }) {
  const t = textsOf(view), byService = rows.some(({ serviceId }) => serviceId !== null);
  const count = (value: number) => numberText(value, view);
  return (
    <Table
      label={t.traffic}
      head={[
        t.day,
        t.spId,
        byService && t.service,
        t.mtMessages,
        t.mtUsers,
        t.mtSent,
        t.mtFailed,
        t.moTaken,
        t.moDelivered,
        t.moFailed,
      ]}
      numbers={[3, 4, 5, 6, 7, 8, 9]}
      empty={t.noTraffic}
      rows={rows.toReversed().map((row) => [
        spread(row.day),
        <a href={`/sms/accounts/${encodeURIComponent(row.spId)}`}>{row.spId}</a>,
        row.serviceId ?? "",
        count(row.mtMessages),
        count(row.mtUsers),
        count(row.mtSent),
        count(row.mtFailed),
        count(row.moTaken),
        count(row.moDelivered),
        count(row.moFailed),
      ])}
    />
  );
}

/** The days that the address asks for, or the last ones of the gateway's local time, as `YYYY-MM-DD`. */
export async function daysOf(view: View): Promise<{ from: string; to: string }> {
  const day = (text: string) => /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : undefined;
  const today = async () => {
    const { utcOffsetMinutes } = await view.client.get<{ utcOffsetMinutes: number }>(`${SMS}/status`);
    return local(view.now + utcOffsetMinutes * 60_000);
  };
  const to = day(query(view, "to")) ?? await today();
  return { from: day(query(view, "from")) ?? local(Date.parse(to) - (DAYS - 1) * DAY_MS), to };
}

/** `YYYYMMDD`, as the API counts days. */
export function compact(day: string): string {
  return day.replaceAll("-", "");
}

function spread(day: string): string {
  return `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
}

function local(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** One number a day from the first to the last, 0 where nothing was counted. */
function seriesOf(
  rows: readonly Traffic[],
  name: "mtUsers" | "moTaken",
  from: string,
  to: string,
): number[] {
  const sums = new Map<string, number>();
  for (const row of rows) sums.set(row.day, (sums.get(row.day) ?? 0) + row[name]);
  const values: number[] = [];
  for (let at = Date.parse(from); at <= Date.parse(to) && values.length < MAX_DAYS; at += DAY_MS) {
    values.push(sums.get(compact(local(at))) ?? 0);
  }
  return values;
}
