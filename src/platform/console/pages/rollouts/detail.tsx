/**
 * One rollout, live.
 *
 * @module
 */
import type * as v from "valibot";
import type { ItemView } from "../../../rollouts/mod.ts";
import {
  Act,
  Badge,
  Bars,
  Choice,
  commandError,
  Facts,
  Form,
  Json,
  numberText,
  Pages,
  Panel,
  Table,
  TextField,
  Time,
} from "../../parts/mod.ts";
import { rollouts } from "../../texts/mod.ts";
import { type Action, listOf, numeric, type Page, query, type View } from "../../view.ts";
import { type Rollout, RolloutStatus, sumOf, whatOf } from "./list.tsx";

type Item = v.InferOutput<typeof ItemView>;

/** What can be done in which state. */
const ACTS: Readonly<Record<string, readonly string[]>> = {
  draft: ["start", "abort", "remove"],
  approval: ["approve", "abort", "remove"],
  scheduled: ["pause", "abort"],
  running: ["pause", "abort"],
  paused: ["resume", "retry", "rollback", "abort", "remove"],
  finished: ["retry", "rollback", "remove"],
  aborted: ["rollback", "remove"],
};
/** In which states other brakes can be given. */
const EDITABLE: readonly string[] = ["draft", "approval", "scheduled", "paused"];
const TONES: Readonly<Record<string, string>> = {
  succeeded: "good",
  failed: "bad",
  issued: "warn",
  waiting: "soft",
  skipped: "soft",
};

/** `GET /rollouts/{id}`. */
export const rolloutPage: Page = async (view) => {
  const t = rollouts[view.language], { common } = view.texts, status = query(view, "status");
  const path = apiPathOf(view);
  const [rollout, items] = await Promise.all([
    view.client.get<Rollout>(path),
    listOf<Item>(view, `${path}/gateways`, { status, limit: "50" }),
  ]);
  const count = (value: number) => numberText(value, view);
  const time = (at: string | null) => <Time at={at} view={view} />;
  return {
    title: rollout.name,
    refreshSeconds: 2,
    content: (
      <>
        <div class="panel">
          <p role="status" id="state" data-live>
            <RolloutStatus view={view} status={rollout.status} /> {sumOf(view, rollout)}
            {rollout.reason !== null && ` · ${rollout.reason}`}
          </p>
          <div class="actions" id="acts" data-live>
            {actsOf(view, rollout).map((act) => (
              <Act
                view={view}
                action={act}
                label={t.acts[act]!}
                tone={act === "abort" || act === "remove" ? "danger" : "quiet"}
                confirm={t.asks[act]}
              />
            ))}
          </div>
        </div>
        <Panel title={t.progress} id="progress">
          <Bars
            rows={rollout.stages.map(({ name, total, counts, successThreshold, errorThreshold }, no) => {
              const ended = counts.succeeded + counts.failed + counts.skipped;
              return {
                label: `${no + 1}. ${name}${
                  no === rollout.stage && rollout.status === "running" ? " ◂" : ""
                }`,
                value: `${t.itemStatuses["succeeded"]} ${count(counts.succeeded)} · ${
                  t.itemStatuses["failed"]
                } ${count(counts.failed)} · ${t.itemStatuses["issued"]} ${count(counts.issued)} · ${
                  t.itemStatuses["waiting"]
                } ${count(counts.waiting)} / ${
                  count(total)
                } (≥ ${successThreshold} %, < ${errorThreshold} %)`,
                fill: total === 0 ? 0 : ended / total,
              };
            })}
          />
        </Panel>
        <div class="grid">
          <Panel title={common.details} id="facts">
            <Facts
              facts={[
                [t.what, whatOf(view, rollout)],
                [t.description, rollout.description],
                [t.filterOf, rollout.filter === null ? null : <code>{rollout.filter}</code>],
                [t.group, rollout.group],
                [t.limits, t.limitsText(count(rollout.maxInFlight), count(rollout.perMinute))],
                [t.maxAttempts, String(rollout.maxAttempts)],
                [
                  t.window,
                  rollout.window === null
                    ? null
                    : `${
                      rollout.window.days.map((day) => t.days[day - 1]).join(", ")
                    } ${rollout.window.from}–${rollout.window.to}`,
                ],
                [t.startAt, time(rollout.startAt)],
                [t.createdBy, rollout.createdBy],
                [common.created, time(rollout.createdAt)],
                [t.approvedBy, rollout.approvedBy ?? (rollout.needsApproval ? t.needsApproval : null)],
                [t.startedAt, time(rollout.startedAt)],
                [t.finishedAt, time(rollout.finishedAt)],
                [
                  t.reverts,
                  rollout.reverts === null ? null : <a href={`/rollouts/${rollout.reverts}`}>{t.original}</a>,
                ],
              ]}
            />
          </Panel>
          {Object.keys(rollout.parameter).length > 0 && (
            <Panel title={t.parameter}>
              <Json value={rollout.parameter} />
            </Panel>
          )}
        </div>
        {EDITABLE.includes(rollout.status) && view.may("rollouts:write") && (
          <Brakes view={view} rollout={rollout} />
        )}
        <form class="row" method="get" action={`/rollouts/${rollout.id}`}>
          <Choice
            view={view}
            name="status"
            label={common.status}
            value={status}
            options={[["", common.all], ...Object.entries(t.itemStatuses)]}
          />
          <button type="submit">{common.filter}</button>
        </form>
        <Panel title={t.gateways} id="gateways">
          <Table
            label={t.gateways}
            head={[
              view.texts.gateways.mac,
              t.stage,
              common.status,
              t.attempt,
              t.before,
              common.error,
              t.command,
              t.finishedAt,
            ]}
            empty={status === "" ? common.none : common.noMatch}
            rows={items.items.map((item) => [
              <a class="mono" href={`/gateways/${item.mac}`}>{item.mac}</a>,
              rollout.stages[item.stage]?.name ?? String(item.stage + 1),
              <Badge tone={TONES[item.status] ?? ""}>{t.itemStatuses[item.status] ?? item.status}</Badge>,
              String(item.attempt),
              item.previousVersion === "" ? t.noneBefore : item.previousVersion ?? "",
              item.error === null ? "" : commandError(item.error, view),
              item.commandId === null ? "" : <a href={`/commands/${item.commandId}`}>{t.command}</a>,
              time(item.finishedAt),
            ])}
          />
          <Pages view={view} next={items.next} />
        </Panel>
      </>
    ),
  };
};

/** The brakes of a rollout that does not run, to be changed. */
function Brakes({ view, rollout }: { readonly view: View; readonly rollout: Rollout }) {
  const t = rollouts[view.language];
  const number = (name: string, label: string, value: number, min: number, max: number) => (
    <TextField
      view={view}
      name={name}
      type="number"
      label={label}
      value={String(value)}
      min={min}
      max={max}
    />
  );
  return (
    <Panel title={t.brakes} id="brakes">
      <Form view={view} action="brakes" label={t.setBrakes} tone="quiet">
        {rollout.needsApproval && <p class="soft">{t.brakesHint}</p>}
        {number("maxInFlight", t.maxInFlight, rollout.maxInFlight, 1, 5000)}
        {number("perMinute", t.perMinute, rollout.perMinute, 1, 1_000_000)}
        {rollout.stages.map(({ successThreshold, errorThreshold }, i) => (
          <>
            {number(`success${i + 1}`, t.successOf(i + 1), successThreshold, 0, 100)}
            {number(`errors${i + 1}`, t.errorsOf(i + 1), errorThreshold, 0, 100)}
          </>
        ))}
      </Form>
    </Panel>
  );
}

/** What the buttons of a rollout do. */
export const rolloutActions: Readonly<Record<string, Action>> = {
  ...Object.fromEntries(
    ["start", "approve", "pause", "resume", "abort", "retry"].map((act): [string, Action] => [
      act,
      async (view) => {
        await view.client.send("POST", `${apiPathOf(view)}/${act}`);
      },
    ]),
  ),
  async rollback(view) {
    const { id } = await view.client.send<Rollout>("POST", `${apiPathOf(view)}/rollback`);
    return `/rollouts/${id}?done=1`;
  },
  async brakes(view) {
    const { stages } = await view.client.get<Rollout>(apiPathOf(view));
    await view.client.send("PATCH", apiPathOf(view), {
      maxInFlight: numeric(view, "maxInFlight"),
      perMinute: numeric(view, "perMinute"),
      stages: stages.map((_, i) => ({
        successThreshold: numeric(view, `success${i + 1}`),
        errorThreshold: numeric(view, `errors${i + 1}`),
      })),
    });
  },
  async remove(view) {
    await view.client.send("DELETE", apiPathOf(view));
    return "/rollouts?done=1";
  },
};

/** As the API sees it: an installation, a removal, and parameters of the tree. */
function isReversible({ kind, parameter }: Rollout): boolean {
  return kind === "install" || kind === "uninstall" ||
    kind === "post" && parameter["CmdType"] === "SETPARAMETERVALUES";
}

function actsOf(view: View, rollout: Rollout): readonly string[] {
  const { status, counts, reverts } = rollout;
  return (ACTS[status] ?? []).filter((act) => {
    if (act === "approve") return view.may("rollouts:approve");
    if (act === "retry" && counts.failed === 0) return false;
    if (act === "rollback" && (!isReversible(rollout) || counts.succeeded === 0 || reverts !== null)) {
      return false;
    }
    return view.may("rollouts:write");
  });
}

function apiPathOf(view: View): string {
  return `/api/v1/rollouts/${encodeURIComponent(view.params["id"]!)}`;
}
