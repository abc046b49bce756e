/**
 * Commands of the whole fleet, searched.
 *
 * @module
 */
import type * as v from "valibot";
import type { CommandView } from "../../../api/mod.ts";
import { Choice, CommandStatus, Pages, Panel, Table, TextField, Time } from "../../parts/mod.ts";
import { problems } from "../../texts/mod.ts";
import { listOf, type Page, query, type View } from "../../view.ts";
import { FleetTabs, textsOf } from "./frame.tsx";
import { describe } from "./gateway.tsx";

type Command = v.InferOutput<typeof CommandView>;

const KINDS = ["post", "install", "uninstall", "run", "stop", "list", "factory", "configure"];

/** `GET /commands`. */
export const commandsPage: Page = async (view) => {
  const t = textsOf(view), { texts } = view, { common, command: names } = texts;
  const filter = {
    mac: query(view, "mac").replace(/[^0-9A-Fa-f]/g, "").toUpperCase(),
    status: query(view, "status"),
    kind: query(view, "kind"),
    plugin: query(view, "plugin"),
    actor: query(view, "actor"),
    error: query(view, "error"),
    group: query(view, "group"),
    filter: view.url.searchParams.get("filter")?.trim().slice(0, 2000) ?? "",
    since: moment(view, "since"),
    until: moment(view, "until"),
  };
  const page = await listOf<Command>(view, "/api/v1/commands", filter);
  return {
    title: t.commands,
    content: (
      <>
        <FleetTabs view={view} />
        <form class="row" method="get" action="/commands" role="search">
          <TextField view={view} name="mac" label={texts.gateways.mac} value={query(view, "mac")} max={17} />
          <Choice
            view={view}
            name="status"
            label={names.status}
            value={filter.status}
            options={[["", common.all], ...Object.entries(names.statuses)]}
          />
          <Choice
            view={view}
            name="kind"
            label={names.kind}
            value={filter.kind}
            options={[["", common.all], ...KINDS.map((kind) => [kind, kind] as const)]}
          />
          <TextField view={view} name="plugin" label={texts.gateway.plugin} value={filter.plugin} max={128} />
          <TextField view={view} name="actor" label={t.actorHint} value={filter.actor} max={128} />
          <TextField view={view} name="error" label={t.errorCode} value={filter.error} max={128} />
          <TextField view={view} name="group" label={t.group} value={filter.group} max={64} />
          <TextField view={view} name="filter" label={t.filter} value={filter.filter} max={2000} />
          {(["since", "until"] as const).map((name) => (
            <TextField
              view={view}
              name={name}
              type="datetime-local"
              label={t[name]}
              value={query(view, name)}
            />
          ))}
          <button type="submit">{common.search}</button>
        </form>
        <Panel>
          <Table
            label={t.commands}
            head={[
              names.created,
              texts.gateways.mac,
              names.kind,
              names.status,
              names.actor,
              names.finished,
              names.error,
            ]}
            empty={Object.values(filter).some(Boolean) ? common.noMatch : common.none}
            rows={page.items.map((command) => [
              <a href={`/commands/${command.id}`}>
                <Time at={command.createdAt} view={view} />
              </a>,
              view.may("gateways:read")
                ? <a class="mono" href={`/gateways/${command.mac}`}>{command.mac}</a>
                : command.mac,
              describe(command),
              <CommandStatus status={command.status} texts={texts} />,
              command.actor,
              <Time at={command.finishedAt} view={view} />,
              command.error === null
                ? ""
                : problems[view.language].commands[command.error.code] ?? command.error.code,
            ])}
          />
          <Pages view={view} next={page.next} />
        </Panel>
      </>
    ),
  };
};

function moment(view: View, name: string): string | undefined {
  const time = Date.parse(query(view, name));
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}
