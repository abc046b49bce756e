/**
 * Presetting gateways: one, or many as CSV.
 *
 * @module
 */
import { ApiProblem } from "../../client.ts";
import { faultText, Form, numberText, Panel, Table, TextField } from "../../parts/mod.ts";
import { type Action, field, mustMay, optional, type Page } from "../../view.ts";
import { FleetTabs, textsOf } from "./frame.tsx";

interface Report {
  readonly created: number;
  readonly unchanged: number;
  readonly refused: number;
  readonly lines: readonly {
    readonly line: number;
    readonly mac: string;
    readonly outcome: string;
    readonly message: string;
  }[];
}

/** Lines that the page shows; beyond that it gives their number. */
const SHOWN = 500;

/** `GET /gateways/import`. */
export const importPage: Page = (view) => {
  const t = textsOf(view), names = view.texts.gateways;
  mustMay(view, "gateways:write");
  return {
    title: t.import,
    content: (
      <>
        <FleetTabs view={view} />
        <div class="grid">
          <Panel title={t.preset}>
            <Form view={view} action="preset" label={t.preset}>
              <TextField view={view} name="mac" label={names.mac} required pattern="[0-9A-Fa-f:\-]{12,17}" />
              <TextField view={view} name="sn" label={names.sn} required max={80} />
              <TextField view={view} name="loid" label={names.loid} required max={24} />
              {(["vendor", "model", "region"] as const).map((name) => (
                <TextField view={view} name={name} label={names[name]} max={64} />
              ))}
            </Form>
          </Panel>
          <Panel title={t.importCsv}>
            <p class="soft">{t.csvHint}</p>
            <Form view={view} files action="import" label={t.importCsv}>
              <label>
                <span>{t.file}</span>
                <input type="file" name="file" accept=".csv,text/csv" required />
              </label>
            </Form>
          </Panel>
        </div>
      </>
    ),
  };
};

/** What the forms do. */
export const importActions: Readonly<Record<string, Action>> = {
  async preset(view) {
    const { mac } = await view.client.send<{ mac: string }>("POST", "/api/v1/gateways", {
      mac: field(view, "mac").replace(/[:-]/g, "").toUpperCase(),
      sn: field(view, "sn"),
      loid: field(view, "loid"),
      vendor: optional(view, "vendor"),
      model: optional(view, "model"),
      region: optional(view, "region"),
    });
    return `/gateways/${mac}?done=1`;
  },
  async import(view) {
    const t = textsOf(view), { file } = view.form;
    if (!(file instanceof File) || file.size === 0) throw new ApiProblem(422, "no_file", t.noFile, "");
    const response = await view.client.raw("/api/v1/gateways", {
      method: "POST",
      headers: { "content-type": "text/csv" },
      body: await file.text(),
    });
    const report = await response.json() as Report;
    // What is wrong comes first.
    const others = [
      ...report.lines.filter(({ outcome }) => outcome === "refused"),
      ...report.lines.filter(({ outcome, message }) => outcome === "created" && message !== ""),
      ...report.lines.filter(({ outcome }) => outcome === "unchanged"),
    ];
    return {
      title: t.report,
      content: (
        <>
          <FleetTabs view={view} />
          <div class={`notice ${report.refused === 0 ? "good" : "bad"}`} role="status">
            <p>{t.created(numberText(report.created, view))}</p>
            <p>{t.unchanged(numberText(report.unchanged, view))}</p>
            <p>{t.refused(numberText(report.refused, view))}</p>
          </div>
          <Panel title={t.faults}>
            <Table
              label={t.faults}
              head={[t.line, view.texts.gateways.mac, t.outcome, t.fault]}
              empty={view.texts.common.none}
              rows={others.slice(0, SHOWN).map(({ line, mac, outcome, message }) => [
                String(line),
                <span class="mono">{mac}</span>,
                t.outcomes[outcome] ?? outcome,
                faultText(message, view.language),
              ])}
            />
            {others.length > SHOWN && <p>{t.moreLines(numberText(others.length - SHOWN, view))}</p>}
          </Panel>
        </>
      ),
    };
  },
};
