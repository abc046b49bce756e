/**
 * The first page: how the fleet is doing.
 *
 * @module
 */
import type * as v from "valibot";
import type { OverviewView } from "../../overview/mod.ts";
import { Bars, clockText, CommandStatus, LineChart, numberText, timeText } from "../parts/mod.ts";
import type { Page, View } from "../view.ts";

type Overview = v.InferOutput<typeof OverviewView>;

/** `GET /`. */
export const overviewPage: Page = async (view) => {
  const { texts } = view, t = texts.overview;
  const overview = await view.client.get<Overview>("/api/v1/overview");
  const { history, commands } = overview;
  const open = (commands["queued"] ?? 0) + (commands["sent"] ?? 0) + (commands["acked"] ?? 0);
  const count = (value: number, digits = 0) => numberText(value, view, digits);
  const share = overview.registered === 0 ? 0 : overview.online / overview.registered;
  const tiles: [string, string][] = [
    [t.preset, count(overview.preset)],
    [t.registered, count(overview.registered)],
    [t.online, count(overview.online)],
    [t.share, `${count(share * 100, 1)} %`],
    [t.heartbeats, count(history.series["heartbeats"]?.at(-1) ?? 0, 1)],
    [t.openCommands, count(open)],
  ];
  return {
    title: t.title,
    refreshSeconds: 5,
    content: (
      <>
        <dl class="tiles" id="tiles" data-live>
          {tiles.map(([name, value]) => (
            <div class="tile">
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        <div class="grid" id="charts" data-live>
          {Chart({ view, overview, name: "online", label: t.onlineChart, digits: 0 })}
          {Chart({ view, overview, name: "heartbeats", label: t.heartbeatChart, digits: 1 })}
          {Chart({ view, overview, name: "commands", label: t.commandChart, digits: 2 })}
        </div>
        <div class="grid" id="shares" data-live>
          {([[t.byRegion, overview.regions], [t.byModel, overview.models], [
            t.byFirmware,
            overview.firmware,
          ]] as const)
            .map(([title, rows]) => (
              <section class="panel">
                <h2>{title}</h2>
                {rows.length === 0 ? <p class="soft">{texts.common.none}</p> : (
                  <Bars
                    rows={rows.map(({ name, total, online }) => ({
                      label: name ?? texts.common.unknown,
                      value: `${count(online)} / ${count(total)}`,
                      fill: total === 0 ? 0 : online / total,
                    }))}
                  />
                )}
              </section>
            ))}
          <section class="panel">
            <h2>{t.commands}</h2>
            {Object.keys(commands).length === 0 ? <p class="soft">{texts.common.none}</p> : (
              <table>
                <tbody>
                  {Object.entries(commands).map(([status, number]) => (
                    <tr>
                      <th scope="row">
                        <CommandStatus status={status} texts={texts} />
                      </th>
                      <td class="number">{count(number)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )}
          </section>
        </div>
        <p class="soft">{t.updated}</p>
      </>
    ),
  };
};

function Chart(
  { view, overview, name, label, digits }: {
    view: View;
    overview: Overview;
    name: string;
    label: string;
    digits: number;
  },
) {
  const { series, until, stepSeconds } = overview.history, values = series[name] ?? [];
  const from = Date.parse(until) - Math.max(0, values.length - 1) * stepSeconds * 1000;
  const endText = Date.parse(until) - from < 86_400_000 ? clockText : timeText;
  return (
    <section class="panel">
      <h2>{label}</h2>
      <LineChart
        values={values}
        label={label}
        from={endText(from, view)}
        until={endText(until, view)}
        most={view.texts.overview.most}
        format={(value) => numberText(value, view, digits)}
      />
    </section>
  );
}
