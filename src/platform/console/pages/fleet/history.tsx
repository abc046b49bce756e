/**
 * What happened to a gateway, and its parameters as they were last seen.
 *
 * @module
 */
import { Badge, Pages, Panel, Table, Time } from "../../parts/mod.ts";
import { listOf, type Page, type View } from "../../view.ts";
import { textsOf } from "./frame.tsx";

/** Something that happened. */
export interface HistoryEntry {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

const TONES: Readonly<Record<string, string>> = {
  registered: "good",
  online: "good",
  offline: "soft",
  removed: "bad",
  restored: "warn",
  changed: "warn",
  bound: "good",
  unbound: "warn",
  reset: "bad",
};

/** `GET /gateways/{mac}/history`. */
export const historyPage: Page = async (view) => {
  const mac = view.params["mac"]!, t = textsOf(view);
  const page = await listOf<HistoryEntry>(view, `/api/v1/gateways/${mac}/history`);
  return {
    title: `${view.texts.gateway.title(mac)}: ${t.history}`,
    content: (
      <Panel>
        <HistoryTable view={view} entries={page.items} />
        <Pages view={view} next={page.next} />
        <Back view={view} />
      </Panel>
    ),
  };
};

/** `GET /gateways/{mac}/parameters`. */
export const parametersPage: Page = async (view) => {
  const mac = view.params["mac"]!, t = textsOf(view);
  const page = await listOf<{ name: string; value: string; seenAt: string }>(
    view,
    `/api/v1/gateways/${mac}/parameters/seen`,
  );
  return {
    title: `${view.texts.gateway.title(mac)}: ${t.parametersSeen}`,
    content: (
      <Panel>
        <Table
          label={t.parametersSeen}
          head={[view.texts.common.name, t.value, t.seenAt]}
          empty={view.texts.common.none}
          rows={page.items.map(({ name, value, seenAt }) => [
            <span class="mono">{name}</span>,
            <span class="mono">{value}</span>,
            <Time at={seenAt} view={view} />,
          ])}
        />
        <Pages view={view} next={page.next} />
        <Back view={view} />
      </Panel>
    ),
  };
};

/** Entries, a line each. */
function HistoryTable(
  { view, entries }: { readonly view: View; readonly entries: readonly HistoryEntry[] },
) {
  const t = textsOf(view), { common } = view.texts;
  return (
    <Table
      label={t.history}
      head={[common.time, common.status, common.details]}
      empty={common.none}
      rows={entries.map(({ at, kind, detail }) => [
        <Time at={at} view={view} />,
        <KindBadge view={view} kind={kind} />,
        <DetailText detail={detail} />,
      ])}
    />
  );
}

/** What happened, in a word. */
export function KindBadge({ view, kind }: { readonly view: View; readonly kind: string }) {
  return <Badge tone={TONES[kind] ?? ""}>{textsOf(view).historyKinds[kind] ?? kind}</Badge>;
}

/** What goes with it. */
export function DetailText({ detail }: { readonly detail: Readonly<Record<string, unknown>> }) {
  return (
    <span class="mono">
      {Object.entries(detail).map(([name, value]) =>
        `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`
      ).join(" ")}
    </span>
  );
}

function Back({ view }: { readonly view: View }) {
  return (
    <p>
      <a href={`/gateways/${view.params["mac"]}`}>{view.texts.common.back}</a>
    </p>
  );
}
