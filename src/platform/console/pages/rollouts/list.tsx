/**
 * All rollouts.
 *
 * @module
 */
import type * as v from "valibot";
import type { RolloutView } from "../../../rollouts/mod.ts";
import { Act, Badge, Choice, numberText, Pages, Panel, Table, Time } from "../../parts/mod.ts";
import { rollouts } from "../../texts/mod.ts";
import { type Action, listOf, type Page, query, type View } from "../../view.ts";

/** A rollout as the API shows it. */
export type Rollout = v.InferOutput<typeof RolloutView>;

const TONES: Readonly<Record<string, string>> = {
  running: "warn",
  scheduled: "warn",
  approval: "warn",
  paused: "bad",
  aborted: "bad",
  finished: "good",
};

/** `GET /rollouts`. */
export const rolloutsPage: Page = async (view) => {
  const t = rollouts[view.language], { common } = view.texts, status = query(view, "status");
  const page = await listOf<Rollout>(view, "/api/v1/rollouts", { status });
  const may = view.may("rollouts:write");
  return {
    title: t.title,
    refreshSeconds: 5,
    content: (
      <>
        <div class="actions head">
          {may && <a class="button" href="/rollouts/new">{t.make}</a>}
          {may && view.me.groups === null && (
            <Act view={view} action="stop" label={t.stop} tone="danger" confirm={t.stopAsk} />
          )}
        </div>
        <form class="row" method="get" action="/rollouts">
          <Choice
            view={view}
            name="status"
            label={common.status}
            value={status}
            options={[["", common.all], ...Object.entries(t.statuses)]}
          />
          <button type="submit">{common.filter}</button>
        </form>
        <Panel id="rollouts">
          <Table
            label={t.title}
            head={[common.name, common.status, t.what, t.progress, t.createdBy, common.created]}
            empty={status === "" ? common.none : common.noMatch}
            rows={page.items.map((rollout) => [
              <a href={`/rollouts/${rollout.id}`}>{rollout.name}</a>,
              <RolloutStatus view={view} status={rollout.status} />,
              whatOf(view, rollout),
              sumOf(view, rollout),
              rollout.createdBy,
              <Time at={rollout.createdAt} view={view} />,
            ])}
          />
          <Pages view={view} next={page.next} />
        </Panel>
      </>
    ),
  };
};

/** The emergency stop. */
export const stopAll: Action = async (view) => {
  await view.client.send("POST", "/api/v1/rollouts/stop");
};

/** Where a rollout stands, in colour. */
export function RolloutStatus({ view, status }: { readonly view: View; readonly status: string }) {
  return <Badge tone={TONES[status] ?? "soft"}>{rollouts[view.language].statuses[status] ?? status}</Badge>;
}

/** What a rollout does, in a few words. */
export function whatOf(view: View, { kind, plugin, version, parameter }: Rollout): string {
  const what = rollouts[view.language].kinds[kind] ?? kind;
  const command = kind === "post"
    ? String(parameter["CmdType"] ?? "")
    : kind === "redistribute"
    ? String(parameter["address"] ?? "")
    : "";
  return [what, command, plugin, version].filter(Boolean).join(" · ");
}

/** How far a rollout is, in a sentence. */
export function sumOf(view: View, { counts, total }: Rollout): string {
  const n = (value: number) => numberText(value, view);
  const ended = counts.succeeded + counts.failed + counts.skipped;
  return rollouts[view.language].sum(n(ended), n(total), n(counts.failed));
}
