/**
 * Which way messages go: routes, and the name server that is asked.
 *
 * @module
 */
import { ApiProblem } from "../../client.ts";
import { Act, Check, Choice, Facts, Form, Pages, Panel, Table, TextField, Time } from "../../parts/mod.ts";
import { type Action, field, listOf, optional, type Page, query, ticked, type View } from "../../view.ts";
import { CodeAndSecret, mayChange, SMS, SmsTabs, textsOf, VersionChoice } from "./frame.tsx";

interface Route {
  readonly id: string;
  readonly kind: string;
  readonly first: string;
  readonly last: string;
  readonly target: string;
  readonly origin: string;
  readonly updatedAt: string;
  readonly updatedBy: string;
}
interface NameServer {
  readonly address: string;
  readonly code: string | null;
  readonly version: string | null;
  readonly proveAnswer: boolean;
  readonly refreshedAt: string | null;
  readonly lastError: string | null;
}

const KINDS = ["mt", "mo"];

/** `GET /sms/routes`. */
export const routesPage: Page = async (view) => {
  const t = textsOf(view), { common } = view.texts;
  const filter = { kind: query(view, "kind"), origin: query(view, "origin") }, may = mayChange(view);
  const [page, way, nameServer] = await Promise.all([
    listOf<Route>(view, `${SMS}/routes`, filter),
    wayOf(view),
    nameServerOf(view),
  ]);
  return {
    title: t.routes,
    content: (
      <>
        <SmsTabs view={view} />
        <form class="row" method="get" action="/sms/routes">
          <Choice
            view={view}
            name="kind"
            label={t.kind}
            value={filter.kind}
            options={[["", common.all], ...KINDS.map((kind) => [kind, t.routeKind[kind]!] as const)]}
          />
          <Choice
            view={view}
            name="origin"
            label={t.origin}
            value={filter.origin}
            options={[["", common.all], ...Object.entries(t.origins)]}
          />
          <button type="submit">{common.filter}</button>
        </form>
        <Panel>
          <Table
            label={t.routes}
            head={[
              t.first,
              t.kind,
              t.target,
              t.origin,
              common.updated,
              common.by,
              may && common.actions,
            ]}
            empty={Object.values(filter).some(Boolean) ? common.noMatch : common.none}
            rows={page.items.map((route) => [
              <span class="mono">{segment(route, t.every)}</span>,
              t.routeKind[route.kind] ?? route.kind,
              <span class="mono">{route.target}</span>,
              t.origins[route.origin] ?? route.origin,
              <Time at={route.updatedAt} view={view} />,
              route.updatedBy,
              may && route.origin === "operator"
                ? (
                  <Act
                    view={view}
                    action="remove"
                    label={common.remove}
                    tone="danger"
                    confirm={common.sure}
                    fields={{ id: route.id }}
                    about={segment(route, t.every)}
                  />
                )
                : "",
            ])}
          />
          <Pages view={view} next={page.next} />
        </Panel>
        <div class="grid">
          {may && (
            <Panel title={t.addRoute}>
              <Form view={view} action="add" label={common.add}>
                <Choice
                  view={view}
                  name="kind"
                  label={t.kind}
                  options={KINDS.map((kind) => [kind, t.routeKind[kind]!] as const)}
                />
                <TextField view={view} name="first" label={t.first} pattern="[0-9]{0,21}" hint={t.every} />
                <TextField view={view} name="last" label={t.last} pattern="[0-9]{0,21}" hint={t.lastHint} />
                <TextField
                  view={view}
                  name="target"
                  label={t.target}
                  required
                  pattern="local|none|[0-9]{6}"
                  hint={t.targetHint}
                />
              </Form>
            </Panel>
          )}
          <Panel title={t.way}>
            <form class="stack" method="get" action="/sms/routes">
              <Choice
                view={view}
                name="wayKind"
                label={t.kind}
                value={query(view, "wayKind")}
                options={KINDS.map((kind) => [kind, t.routeKind[kind]!] as const)}
              />
              <TextField
                view={view}
                name="number"
                label={t.number}
                value={query(view, "number")}
                required
                pattern="\+?[0-9]{1,21}"
              />
              <div class="actions">
                <button type="submit">{t.ask}</button>
              </div>
            </form>
            {way !== undefined && <p role="status">{t.wayIs(query(view, "number"), way)}</p>}
          </Panel>
          <Panel title={t.nameServer}>
            {nameServer === undefined ? <p class="soft">{t.noNameServer}</p> : (
              <>
                <Facts
                  facts={[
                    [t.address, nameServer.address],
                    [t.code, nameServer.code],
                    [t.version, nameServer.version],
                    [t.refreshedAt, <Time at={nameServer.refreshedAt} view={view} />],
                    [t.lastError, nameServer.lastError],
                  ]}
                />
                {may && (
                  <>
                    <Act view={view} action="refresh" label={t.refresh} />
                    <Form view={view} action="nameServer" label={common.save}>
                      <CodeAndSecret view={view} code={nameServer.code ?? undefined} />
                      <VersionChoice view={view} value={nameServer.version ?? "3.0"} />
                      <Check name="proveAnswer" label={t.proveAnswer} checked={nameServer.proveAnswer} />
                    </Form>
                  </>
                )}
              </>
            )}
          </Panel>
        </div>
      </>
    ),
  };
};

/** What the forms of the routes' page do. */
export const routeActions: Readonly<Record<string, Action>> = {
  async add(view) {
    await view.client.send("POST", `${SMS}/routes`, {
      kind: field(view, "kind"),
      first: field(view, "first"),
      last: optional(view, "last"),
      target: field(view, "target"),
    });
  },
  async remove(view) {
    await view.client.send("DELETE", `${SMS}/routes/${encodeURIComponent(field(view, "id"))}`);
  },
  async refresh(view) {
    await view.client.send("POST", `${SMS}/name-server/refresh`);
  },
  async nameServer(view) {
    const body = {
      code: field(view, "code"),
      secret: field(view, "secret"),
      version: optional(view, "version"),
      proveAnswer: ticked(view, "proveAnswer"),
    };
    await view.client.send("PUT", `${SMS}/name-server`, body);
  },
};

function segment({ first, last }: Pick<Route, "first" | "last">, every: string): string {
  if (first === "") return every;
  return last === first ? first : `${first} – ${last}`;
}

async function wayOf(view: View): Promise<string | undefined> {
  const number = query(view, "number");
  if (number === "") return undefined;
  const { way } = await view.client.get<{ way: string }>(`${SMS}/routes/way`, {
    kind: query(view, "wayKind") || "mt",
    number,
  });
  return way;
}

/** Undefined where this gateway asks none. */
async function nameServerOf(view: View): Promise<NameServer | undefined> {
  try {
    return await view.client.get<NameServer>(`${SMS}/name-server`);
  } catch (error) {
    if (error instanceof ApiProblem && error.code === "no_name_server") return undefined;
    throw error;
  }
}
