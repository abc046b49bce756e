/**
 * The name server for gateways, where this platform runs one.
 *
 * @module
 */
import { Act, Check, Choice, Form, Pages, Panel, Table, TextField, Time } from "../../parts/mod.ts";
import { type Action, field, listOf, optional, type Page, query, ticked } from "../../view.ts";
import { CodeAndSecret, mayChange, textsOf, VersionChoice } from "./frame.tsx";

const GNS = "/api/v1/gns";

interface GnsGateway {
  readonly code: string;
  readonly address: string | null;
  readonly trusted: boolean;
  readonly version: string;
  readonly told: number;
}
interface GnsRoute {
  readonly kind: string;
  readonly routeId: number;
  readonly destinationId: string;
  readonly gatewayIp: string;
  readonly gatewayPort: number;
  readonly startId: string;
  readonly endId: string;
  readonly spId: string;
  readonly spCode: string;
  readonly timeStamp: string;
}
interface GnsChange extends GnsRoute {
  readonly id: number;
  readonly change: string;
  readonly source: string;
  readonly createdAt: string;
}

/** `GET /name-server`. */
export const nameServerPage: Page = async (view) => {
  const t = textsOf(view), { common } = view.texts, may = mayChange(view);
  const kind = query(view, "kind") === "mo" ? "mo" : "mt";
  const [gateways, routes, changes] = await Promise.all([
    view.client.get<{ items: GnsGateway[] }>(`${GNS}/gateways`),
    listOf<GnsRoute>(view, `${GNS}/routes`, { kind }),
    view.client.get<{ items: GnsChange[] }>(`${GNS}/changes`, { limit: "100" }),
  ]);
  return {
    title: t.gnsTitle,
    refreshSeconds: 10,
    content: (
      <>
        <Panel title={t.gnsChanges} id="changes">
          <Table
            label={t.gnsChanges}
            head={[
              t.change,
              t.kind,
              t.segment,
              t.target,
              t.origin,
              common.created,
              may && common.actions,
            ]}
            empty={common.none}
            rows={changes.items.map((change) => [
              `${change.change} ${change.routeId || ""}`,
              t.routeKind[change.kind] ?? change.kind,
              <span class="mono">{numbersOf(change)}</span>,
              change.destinationId,
              change.source,
              <Time at={change.createdAt} view={view} />,
              may && (
                <div class="actions">
                  <Act
                    view={view}
                    action="approve"
                    label={t.approve}
                    fields={{ id: String(change.id) }}
                    about={String(change.id)}
                  />
                  <Act
                    view={view}
                    action="refuse"
                    label={t.refuse}
                    tone="danger"
                    fields={{ id: String(change.id) }}
                    about={String(change.id)}
                  />
                </div>
              ),
            ])}
          />
        </Panel>
        <Panel title={t.gnsGateways} id="gateways">
          <Table
            label={t.gnsGateways}
            head={[t.code, t.address, t.version, t.trusted, t.told, may && common.actions]}
            empty={common.none}
            rows={gateways.items.map((gateway) => [
              gateway.code,
              gateway.address ?? "",
              gateway.version,
              gateway.trusted ? common.yes : common.no,
              String(gateway.told),
              may && (
                <Act
                  view={view}
                  action="remove"
                  label={common.remove}
                  tone="danger"
                  confirm={common.sure}
                  fields={{ code: gateway.code }}
                  about={gateway.code}
                />
              ),
            ])}
          />
        </Panel>
        <Panel title={t.gnsRoutes}>
          <form class="row" method="get" action="/name-server">
            <Choice
              view={view}
              name="kind"
              label={t.kind}
              value={kind}
              options={[["mt", t.routeKind["mt"]!], ["mo", t.routeKind["mo"]!]]}
            />
            <button type="submit">{common.show}</button>
          </form>
          <Table
            label={t.gnsRoutes}
            head={[t.routeId, t.segment, t.target, t.gatewayAt, t.spId, t.spCode, common.updated]}
            empty={common.none}
            rows={routes.items.map((route) => [
              String(route.routeId),
              <span class="mono">{numbersOf(route)}</span>,
              route.destinationId,
              route.gatewayIp === "" ? "" : `${route.gatewayIp}:${route.gatewayPort}`,
              route.spId,
              route.spCode,
              route.timeStamp,
            ])}
          />
          <Pages view={view} next={routes.next} />
        </Panel>
        {may && (
          <Panel title={t.addGateway}>
            <Form view={view} action="add" label={common.save}>
              <CodeAndSecret view={view} />
              <TextField view={view} name="address" label={t.peerAddress} max={300} />
              <VersionChoice view={view} />
              <Check name="trusted" label={t.trusted} />
            </Form>
          </Panel>
        )}
      </>
    ),
  };
};

/** What the forms of the name server's page do. */
export const nameServerActions: Readonly<Record<string, Action>> = {
  async add(view) {
    await view.client.send("POST", `${GNS}/gateways`, {
      code: field(view, "code"),
      secret: field(view, "secret"),
      address: optional(view, "address"),
      version: optional(view, "version"),
      trusted: ticked(view, "trusted"),
    });
  },
  async remove(view) {
    await view.client.send("DELETE", `${GNS}/gateways/${encodeURIComponent(field(view, "code"))}`);
  },
  async approve(view) {
    await view.client.send("POST", `${GNS}/changes/${encodeURIComponent(field(view, "id"))}/approve`);
  },
  async refuse(view) {
    await view.client.send("POST", `${GNS}/changes/${encodeURIComponent(field(view, "id"))}/refuse`);
  },
};

function numbersOf({ startId, endId, spCode }: GnsRoute): string {
  if (startId === "" && endId === "") return spCode;
  return startId === endId ? startId : `${startId} – ${endId}`;
}
