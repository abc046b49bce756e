/**
 * Connections that are there now: of providers, and with other gateways.
 *
 * @module
 */
import { Act, numberText, Panel, Table, Time } from "../../parts/mod.ts";
import { type Action, field, type Page, type View } from "../../view.ts";
import { itemsOf, mayChange, SMS, SmsTabs, textsOf } from "./frame.tsx";

/** A provider's connection. */
export interface Connection {
  readonly id: string;
  readonly spId: string | null;
  readonly address: string;
  readonly kind: string;
  readonly version: string | null;
  readonly connectedAt: string;
  readonly submitted: number;
  readonly delivered: number;
  readonly working: number;
  readonly unanswered: number;
}
interface Link {
  readonly peer: string | null;
  readonly address: string;
  readonly direction: string;
  readonly version: string | null;
  readonly connectedAt: string;
  readonly sent: number;
  readonly received: number;
  readonly working: number;
  readonly unanswered: number;
}

/** `GET /sms/connections`. */
export const connectionsPage: Page = async (view) => {
  const t = textsOf(view);
  const [connections, links] = await Promise.all([
    itemsOf<Connection>(view, "/connections"),
    itemsOf<Link>(view, "/peers/connections"),
  ]);
  const count = (value: number) => numberText(value, view);
  return {
    title: t.connections,
    refreshSeconds: 2,
    content: (
      <>
        <SmsTabs view={view} />
        <Panel title={t.providers} id="connections">
          <ConnectionTable view={view} connections={connections} />
        </Panel>
        <Panel title={t.ofPeers} id="links">
          <Table
            label={t.ofPeers}
            head={[
              t.code,
              t.address,
              t.direction,
              t.version,
              t.connectedAt,
              t.sent,
              t.received,
              t.working,
              t.unanswered,
            ]}
            numbers={[5, 6, 7, 8]}
            empty={view.texts.common.none}
            rows={links.map((link) => [
              link.peer ?? view.texts.common.unknown,
              <span class="mono">{link.address}</span>,
              t.directions[link.direction] ?? link.direction,
              link.version ?? "",
              <Time at={link.connectedAt} view={view} />,
              count(link.sent),
              count(link.received),
              count(link.working),
              count(link.unanswered),
            ])}
          />
        </Panel>
        <p class="soft">{view.texts.common.live}</p>
      </>
    ),
  };
};

/** Ends a provider's connection. */
export const endConnection: Action = async (view) => {
  await view.client.send("DELETE", `${SMS}/connections/${encodeURIComponent(field(view, "id"))}`);
};

/** Providers' connections, a line each. */
export function ConnectionTable(
  { view, connections }: { readonly view: View; readonly connections: readonly Connection[] },
) {
  const t = textsOf(view), count = (value: number) => numberText(value, view), may = mayChange(view);
  return (
    <Table
      label={t.providers}
      head={[
        t.spId,
        t.address,
        t.kind,
        t.version,
        t.connectedAt,
        t.submitted,
        t.delivered,
        t.working,
        t.unanswered,
        may && view.texts.common.actions,
      ]}
      numbers={[5, 6, 7, 8]}
      empty={view.texts.common.none}
      rows={connections.map((one) => [
        one.spId === null
          ? view.texts.common.unknown
          : <a href={`/sms/accounts/${encodeURIComponent(one.spId)}`}>{one.spId}</a>,
        <span class="mono">{one.address}</span>,
        one.kind,
        one.version ?? "",
        <Time at={one.connectedAt} view={view} />,
        count(one.submitted),
        count(one.delivered),
        count(one.working),
        count(one.unanswered),
        may && (
          <Act
            view={view}
            action="end"
            label={t.end}
            tone="danger"
            confirm={t.endAsk}
            fields={{ id: one.id }}
            about={`${one.spId ?? ""} ${one.address}`}
          />
        ),
      ])}
    />
  );
}
