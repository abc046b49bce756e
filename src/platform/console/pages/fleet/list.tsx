/**
 * The list of gateways.
 *
 * @module
 */
import type * as v from "valibot";
import type { GatewayView } from "../../../api/mod.ts";
import { ApiProblem } from "../../client.ts";
import { Act, Check, Choice, Pages, Panel, Presence, Table, TextField, Time } from "../../parts/mod.ts";
import { type Action, field, listOf, type Page, query } from "../../view.ts";
import { FleetTabs, textsOf } from "./frame.tsx";

/** A gateway as the API shows it. */
export type Gateway = v.InferOutput<typeof GatewayView>;

/** `GET /gateways`. */
export const gatewaysPage: Page = async (view) => {
  const { texts } = view, t = texts.gateways, more = textsOf(view);
  const filter = {
    search: query(view, "search"),
    vendor: query(view, "vendor"),
    model: query(view, "model"),
    region: query(view, "region"),
    online: query(view, "online"),
    group: query(view, "group"),
    filter: view.url.searchParams.get("filter")?.trim().slice(0, 2000) ?? "",
    removed: query(view, "removed"),
  };
  let fault: ApiProblem | undefined;
  const [page, groups] = await Promise.all([
    listOf<Gateway>(view, "/api/v1/gateways", { ...filter, limit: "50" }).catch(
      (error): { items: Gateway[]; next?: string } => {
        // What was typed stays, so that it can be put right.
        if (!(error instanceof ApiProblem) || error.status !== 422) throw error;
        fault = error;
        return { items: [] };
      },
    ),
    view.client.get<{ items: { name: string }[] }>("/api/v1/groups", { limit: "200" }),
  ]);
  const filtered = Object.values(filter).some((value) => value !== "");
  const removed = filter.removed === "true";
  return {
    title: t.title,
    ...(fault ? { fault, status: fault.status } : {}),
    content: (
      <>
        <FleetTabs view={view} />
        <form class="row" method="get" action="/gateways" role="search">
          <TextField
            view={view}
            name="search"
            type="search"
            label={t.searchHint}
            value={filter.search}
            max={80}
          />
          {(["vendor", "model", "region"] as const).map((name) => (
            <TextField view={view} name={name} label={t[name]} value={filter[name]} max={64} />
          ))}
          <Choice
            view={view}
            name="online"
            label={t.state}
            value={filter.online}
            options={[
              ["", texts.common.all],
              ["true", texts.presence.online],
              ["false", texts.presence.offline],
            ]}
          />
          <Choice
            view={view}
            name="group"
            label={more.group}
            value={filter.group}
            options={[["", texts.common.all], ...groups.items.map(({ name }) => [name, name] as const)]}
          />
          <div class="wide">
            <TextField
              view={view}
              name="filter"
              label={more.filter}
              value={filter.filter}
              max={2000}
              hint={more.filterHint}
            />
          </div>
          <Check name="removed" value="true" label={more.removed} checked={removed} />
          <button type="submit">{texts.common.search}</button>
        </form>
        <Panel>
          <Table
            label={t.title}
            caption={t.count(page.items.length)}
            head={[
              t.mac,
              t.state,
              t.sn,
              t.vendor,
              t.model,
              t.region,
              t.firmware,
              more.tags,
              t.wanIp,
              t.lastSeen,
              removed && view.may("gateways:write") && texts.common.actions,
            ]}
            empty={filtered ? texts.common.noMatch : texts.common.none}
            rows={page.items.map((gateway) => [
              removed
                ? <span class="mono">{gateway.mac}</span>
                : <a class="mono" href={`/gateways/${gateway.mac}`}>{gateway.mac}</a>,
              <Presence online={gateway.online} registered={gateway.registeredAt !== null} texts={texts} />,
              <span class="mono">{gateway.sn}</span>,
              gateway.vendor ?? "",
              gateway.model ?? "",
              gateway.region ?? "",
              gateway.firmware ?? "",
              gateway.tags.join(", "),
              <span class="mono">{gateway.wanIp ?? ""}</span>,
              <Time at={gateway.lastSeenAt} view={view} />,
              removed && view.may("gateways:write") && (
                <Act
                  view={view}
                  action="restore"
                  label={more.restore}
                  fields={{ mac: gateway.mac }}
                  about={gateway.mac}
                />
              ),
            ])}
          />
          <Pages view={view} next={page.next} />
          <p>
            <a href={`/gateways/export?filter=${encodeURIComponent(filter.filter)}`} download>
              {more.export}
            </a>
          </p>
        </Panel>
      </>
    ),
  };
};

/** Takes a removal back. */
export const restore: Action = async (view) => {
  await view.client.send("POST", `/api/v1/gateways/${encodeURIComponent(field(view, "mac"))}/restore`);
};

/** `GET /gateways/export`: the file, as the API gives it. */
export const exportPage: Page = async (view) => {
  const filter = query(view, "filter");
  const search = filter === "" ? "" : `?filter=${encodeURIComponent(filter)}`;
  return { response: await view.client.raw(`/api/v1/gateways/export${search}`) };
};
