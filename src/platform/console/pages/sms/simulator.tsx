/**
 * How the simulated centre behaves, and phones that write: for tests and demonstrations.
 *
 * @module
 */
import { Act, Choice, Form, Panel, TextField } from "../../parts/mod.ts";
import { type Action, field, numeric, optional, type View } from "../../view.ts";
import { SMS, textsOf } from "./frame.tsx";

/** How it behaves; shares are parts of 1. */
export interface Behaviour {
  readonly latencyMs: readonly [number, number];
  readonly outcomes: Readonly<Record<string, number>>;
  readonly silent: number;
  readonly refused: { readonly share: number; readonly stat: string };
  readonly busy: boolean;
}

/** Stats that the form has a field for; others that are set stay as they are. */
const STATS = ["UNDELIV", "EXPIRED", "REJECTD", "UNKNOWN", "DELETED", "ACCEPTD"];
const PATH = `${SMS}/simulator`;

/** The forms, for who may change things. */
export function SimulatorPanels({ view, now }: { readonly view: View; readonly now: Behaviour }) {
  const t = textsOf(view), { texts } = view;
  return (
    <>
      <Panel title={t.simulate}>
        <Form view={view} action="simulate" label={t.simulate}>
          <TextField view={view} name="from" label={t.phone} required pattern="\+?[0-9]{1,20}" />
          <TextField view={view} name="to" label={t.serviceNumber} required pattern="[0-9]{1,21}" />
          <TextField view={view} name="text" label={t.text} max={10_000} />
        </Form>
      </Panel>
      <Panel title={t.simulator}>
        <p class="soft">{t.simulatorHint}</p>
        <Form view={view} action="behave" label={texts.common.save}>
          {(["least", "most"] as const).map((name, i) => (
            <TextField
              view={view}
              name={name}
              type="number"
              label={t.latency[name]}
              value={String(now.latencyMs[i])}
              min={0}
              max={3_600_000}
            />
          ))}
          {STATS.map((stat) => (
            <TextField
              view={view}
              name={stat}
              type="number"
              label={t.percentOf(stat)}
              value={percent(now.outcomes[stat] ?? 0)}
              min={0}
              max={100}
            />
          ))}
          <TextField
            view={view}
            name="silent"
            type="number"
            label={t.silent}
            value={percent(now.silent)}
            min={0}
            max={100}
          />
          <TextField
            view={view}
            name="refused"
            type="number"
            label={t.refused}
            value={percent(now.refused.share)}
            min={0}
            max={100}
          />
          <TextField view={view} name="refusedStat" label={t.refusedStat} value={now.refused.stat} max={7} />
          <Choice
            view={view}
            name="busy"
            label={t.busy}
            value={now.busy ? "yes" : "no"}
            options={[["no", texts.common.no], ["yes", texts.common.yes]]}
          />
        </Form>
        <Act view={view} action="reset" label={t.simulatorReset} />
      </Panel>
    </>
  );
}

/** What the forms do. */
export const simulatorActions: Readonly<Record<string, Action>> = {
  async simulate(view) {
    await view.client.send("POST", `${PATH}/mo`, {
      from: field(view, "from"),
      to: field(view, "to"),
      text: field(view, "text"),
    });
  },
  async behave(view) {
    const { outcomes } = await view.client.get<Behaviour>(PATH);
    const shares = STATS.map((stat) => [stat, share(view, stat)] as const).filter(([, value]) => value !== 0);
    await view.client.send("PUT", PATH, {
      latencyMs: [numeric(view, "least") ?? 0, numeric(view, "most") ?? numeric(view, "least") ?? 0],
      outcomes: {
        ...Object.fromEntries(Object.entries(outcomes).filter(([stat]) => !STATS.includes(stat))),
        ...Object.fromEntries(shares),
      },
      silent: share(view, "silent"),
      refused: { share: share(view, "refused"), stat: optional(view, "refusedStat") },
      busy: field(view, "busy") === "yes",
    });
  },
  async reset(view) {
    await view.client.send("DELETE", PATH);
  },
};

/** A part of 1 in percent, without the noise of its last binary digits. */
function percent(part: number): string {
  return String(Number((part * 100).toFixed(6)));
}

/** A field in percent as a part of 1; the API says what is wrong with what is none. */
function share(view: View, name: string): number | string {
  const value = numeric(view, name) ?? 0;
  return typeof value === "number" ? value / 100 : value;
}
