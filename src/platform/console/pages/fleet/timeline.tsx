/**
 * Everything that happened with a gateway, in one list by time.
 *
 * @module
 */
import { Badge, CommandStatus, Pages, Panel, Table, Time } from "../../parts/mod.ts";
import { listOf, type Page, query, type View } from "../../view.ts";
import { textsOf } from "./frame.tsx";
import { DetailText, KindBadge } from "./history.tsx";

/** One entry of the list. */
export interface TimelineEntry {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** `GET /gateways/{mac}/timeline`. */
export const timelinePage: Page = async (view) => {
  const mac = view.params["mac"]!, t = textsOf(view);
  const page = await listOf<TimelineEntry>(view, `/api/v1/gateways/${encodeURIComponent(mac)}/timeline`, {
    limit: "100",
  });
  return {
    title: `${view.texts.gateway.title(mac)}: ${t.timeline}`,
    ...(query(view, "cursor") === "" ? { refreshSeconds: 5 } : {}),
    content: (
      <>
        <Panel id="timeline">
          <TimelineTable view={view} entries={page.items} />
        </Panel>
        <Pages view={view} next={page.next} />
        <p>
          <a href={`/gateways/${mac}`}>{view.texts.common.back}</a>
        </p>
      </>
    ),
  };
};

/** Entries, a line each. */
export function TimelineTable(
  { view, entries }: { readonly view: View; readonly entries: readonly TimelineEntry[] },
) {
  const t = textsOf(view), { common } = view.texts;
  return (
    <Table
      label={t.timeline}
      head={[common.time, t.happened, common.details]}
      empty={common.none}
      rows={entries.map((entry) => [
        <Time at={entry.at} view={view} />,
        <Kind view={view} entry={entry} />,
        <Detail entry={entry} />,
      ])}
    />
  );
}

function Kind({ view, entry: { kind, detail } }: { readonly view: View; readonly entry: TimelineEntry }) {
  const t = textsOf(view);
  if (kind === "message") return <Badge tone="soft">{t.message}</Badge>;
  if (kind === "command") return <CommandStatus status={String(detail["status"])} texts={view.texts} />;
  return <KindBadge view={view} kind={kind} />;
}

function Detail({ entry: { id, kind, detail } }: { readonly entry: TimelineEntry }) {
  if (kind === "command") {
    const { command, CmdType, plugin, version, actor, error } = detail;
    const what = [CmdType ?? command, plugin, plugin ? version : undefined].filter(Boolean).join(" ");
    return (
      <>
        <a href={`/commands/${id}`}>{what}</a>
        {` · ${String(actor)}`}
        {typeof error === "string" && ` · ${error}`}
      </>
    );
  }
  if (kind === "message") {
    return <span class="mono">{`${String(detail["plugin"])}: ${String(detail["text"])}`}</span>;
  }
  return <DetailText detail={detail} />;
}
