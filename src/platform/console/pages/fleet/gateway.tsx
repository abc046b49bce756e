/**
 * One gateway: what is known, what was asked of it, what it pushed, what it has, and changing it.
 *
 * @module
 */
import type * as v from "valibot";
import type { CommandView } from "../../../api/mod.ts";
import { Act, Check, Choice, Facts, Form, Panel, Presence, Table, TextField, Time } from "../../parts/mod.ts";
import { type Action, field, optional, type Page, ticked, type View, words } from "../../view.ts";
import { bindingOf, BindingPanel, unbind } from "./binding.tsx";
import { FleetTabs, textsOf } from "./frame.tsx";
import type { Gateway } from "./list.tsx";
import { CommandChoice, offersFor } from "./run.tsx";
import { type TimelineEntry, TimelineTable } from "./timeline.tsx";

type Command = v.InferOutput<typeof CommandView>;
interface SeenPlugin {
  readonly name: string;
  readonly version: string;
  readonly running: boolean;
  readonly seenAt: string;
}

const NOTHING = { items: [] };
/** Seconds that a form waits for what it asked of a gateway. */
const WAIT = 8;

/** `GET /gateways/{mac}`. */
export const gatewayPage: Page = async (view) => {
  const mac = view.params["mac"]!, { texts, client } = view, t = textsOf(view), path = apiPathOf(view);
  const gateway = await client.get<Gateway>(path);
  const [timeline, binding, plugins, offers] = await Promise.all([
    client.get<{ items: TimelineEntry[] }>(`${path}/timeline`, { limit: "20" }),
    view.runs("app") ? bindingOf(view) : undefined,
    view.may("plugins:read") ? client.get<{ items: SeenPlugin[] }>(`${path}/plugins/seen`) : NOTHING,
    view.may("commands:run") ? offersFor(view, mac) : [],
  ]);
  return {
    title: texts.gateway.title(gateway.mac),
    refreshSeconds: 5,
    content: (
      <>
        <FleetTabs view={view} />
        <div class="grid">
          <Panel title={texts.gateway.identity} id="facts">
            <Known view={view} gateway={gateway} />
          </Panel>
          {view.runs("app") && <BindingPanel view={view} binding={binding} />}
          {view.may("commands:run") && (
            <Panel title={texts.gateway.run}>
              <CommandChoice view={view} mac={mac} offers={offers} />
            </Panel>
          )}
        </div>
        {view.may("plugins:read") && (
          <Panel title={t.pluginsSeen} id="plugins">
            <SeenPlugins view={view} plugins={plugins.items} />
            <form method="post" action={`/gateways/${mac}/plugins/list`}>
              <button class="quiet" type="submit">{texts.gateway.askPlugins}</button>
            </form>
          </Panel>
        )}
        <Panel title={t.timeline} id="timeline">
          <TimelineTable view={view} entries={timeline.items} />
          <p>
            <a href={`/gateways/${mac}/timeline`}>{t.all}</a>
            {" · "}
            <a href={`/gateways/${mac}/history`}>{t.history}</a>
            {" · "}
            <a href={`/gateways/${mac}/parameters`}>{t.parametersSeen}</a>
          </p>
        </Panel>
        <div class="grid">
          {view.may("plugins:install") && <Install view={view} />}
          {view.may("gateways:write") && <Edit view={view} gateway={gateway} />}
        </div>
      </>
    ),
  };
};

/** What the forms of a gateway's page do. */
export const gatewayActions: Readonly<Record<string, Action>> = {
  async change(view) {
    await view.client.send("PATCH", apiPathOf(view), {
      loid: field(view, "loid"),
      vendor: optional(view, "vendor") ?? null,
      model: optional(view, "model") ?? null,
      region: optional(view, "region") ?? null,
      pinnedOperations: optional(view, "pinned") ?? null,
      renew: ticked(view, "renew"),
    });
  },
  unbind,
  async tags(view) {
    await view.client.send("PUT", `${apiPathOf(view)}/tags`, { tags: words(view, "tags") });
  },
  async remove(view) {
    await view.client.send("DELETE", apiPathOf(view));
    return "/gateways?done=1";
  },
  async redistribute(view) {
    const body = { mode: Number(field(view, "mode")), address: field(view, "address") };
    await view.client.send("POST", `${apiPathOf(view)}/redistribute`, body);
  },
  install(view) {
    const chosen = field(view, "version");
    const version = chosen === "stable" || chosen === "beta" ? { channel: chosen } : { version: chosen };
    return issued(view, "POST", `/plugins?wait=${WAIT}`, { name: field(view, "plugin"), ...version });
  },
  start: (view) => issued(view, "POST", `${pluginPathOf(view)}/run?wait=${WAIT}`),
  stop: (view) => issued(view, "POST", `${pluginPathOf(view)}/stop?wait=${WAIT}`),
  uninstall: (view) => issued(view, "DELETE", `${pluginPathOf(view)}?wait=${WAIT}`),
};

/** `POST /gateways/{mac}/plugins/list`: asks the gateway for its plug-ins. */
export const listPlugins: Page = async (view) => {
  const mac = view.params["mac"]!;
  const { texts } = view, t = texts.gateway;
  const { items } = await view.client.get<{ items: { name: string; version: string; run: boolean }[] }>(
    `/api/v1/gateways/${mac}/plugins`,
  );
  const seenAt = new Date(view.now).toISOString();
  return {
    title: `${t.title(mac)}: ${t.plugins}`,
    content: (
      <Panel>
        <p class="soft" role="status">{t.installed}</p>
        <SeenPlugins
          view={view}
          plugins={items.map(({ name, version, run }) => ({ name, version, running: run, seenAt }))}
        />
        <p>
          <a href={`/gateways/${mac}`}>{texts.common.back}</a>
        </p>
      </Panel>
    ),
  };
};

/** A command in a few words. */
export function describe(command: Pick<Command, "kind" | "plugin" | "version" | "parameter">): string {
  const cmdType = command.parameter["CmdType"];
  if (command.kind === "post") {
    return `${String(cmdType ?? "post")}${command.plugin ? ` (${command.plugin})` : ""}`;
  }
  return [command.kind, command.plugin, command.version].filter(Boolean).join(" ");
}

function Known({ view, gateway }: { readonly view: View; readonly gateway: Gateway }) {
  const { texts } = view, t = texts.gateways;
  return (
    <Facts
      facts={[
        [
          t.state,
          <Presence online={gateway.online} registered={gateway.registeredAt !== null} texts={texts} />,
        ],
        [t.sn, <span class="mono">{gateway.sn}</span>],
        [t.loid, gateway.loid],
        [t.vendor, gateway.vendor],
        [t.model, gateway.model],
        [t.region, gateway.region],
        [textsOf(view).tags, gateway.tags.join(", ")],
        [t.firmware, gateway.firmware],
        [t.hardware, gateway.hardware],
        [t.wanIp, gateway.wanIp],
        [t.address, gateway.address],
        [t.pinned, gateway.pinnedOperations],
        [t.registeredAt, <Time at={gateway.registeredAt} view={view} />],
        [t.lastSeen, <Time at={gateway.lastSeenAt} view={view} />],
      ]}
    />
  );
}

function SeenPlugins({ view, plugins }: { readonly view: View; readonly plugins: readonly SeenPlugin[] }) {
  const { texts } = view, t = textsOf(view), may = view.may("plugins:install");
  const mac = view.params["mac"]!;
  return (
    <Table
      label={t.pluginsSeen}
      head={[
        texts.common.name,
        texts.gateway.version,
        texts.common.status,
        t.seenAt,
        may && texts.common.actions,
      ]}
      empty={texts.common.none}
      rows={plugins.map(({ name, version, running, seenAt }) => [
        name,
        version,
        <span class={`badge ${running ? "good" : "soft"}`}>
          {running ? texts.gateway.running : texts.gateway.stopped}
        </span>,
        <Time at={seenAt} view={view} />,
        may && (
          <div class="actions">
            <Act
              view={view}
              to={`/gateways/${mac}`}
              action={running ? "stop" : "start"}
              label={running ? t.stop : t.start}
              fields={{ plugin: name }}
              about={name}
            />
            <Act
              view={view}
              to={`/gateways/${mac}`}
              action="uninstall"
              label={t.uninstall}
              tone="danger"
              confirm={t.uninstallAsk}
              fields={{ plugin: name }}
              about={name}
            />
          </div>
        ),
      ])}
    />
  );
}

function Install({ view }: { readonly view: View }) {
  const t = textsOf(view);
  return (
    <Panel title={t.install}>
      <Form view={view} action="install" label={t.install}>
        <TextField view={view} name="plugin" label={t.pluginName} required max={128} />
        <TextField
          view={view}
          name="version"
          label={t.versionOrChannel}
          value="stable"
          required
          list="channels"
        />
        <datalist id="channels">
          <option value="stable">{t.latestStable}</option>
          <option value="beta">{t.latestBeta}</option>
        </datalist>
      </Form>
    </Panel>
  );
}

function Edit({ view, gateway }: { readonly view: View; readonly gateway: Gateway }) {
  const t = textsOf(view), names = view.texts.gateways, { common } = view.texts;
  return (
    <>
      <Panel title={t.edit}>
        <Form view={view} action="change" label={common.save}>
          <TextField
            view={view}
            name="loid"
            label={names.loid}
            value={gateway.loid}
            required
            max={24}
            hint={t.loidHint}
          />
          {(["vendor", "model", "region"] as const).map((name) => (
            <TextField view={view} name={name} label={names[name]} value={gateway[name] ?? ""} max={64} />
          ))}
          <TextField
            view={view}
            name="pinned"
            label={names.pinned}
            value={gateway.pinnedOperations ?? ""}
            max={300}
            hint={t.pinnedHint}
          />
          <Check name="renew" label={t.renew} checked={gateway.renew} />
        </Form>
      </Panel>
      <Panel title={t.tags}>
        <Form view={view} action="tags" label={common.save}>
          <TextField
            view={view}
            name="tags"
            label={t.tags}
            value={gateway.tags.join(", ")}
            hint={t.tagsHint}
          />
        </Form>
      </Panel>
      <Panel title={t.redistribute}>
        <Form view={view} action="redistribute" label={t.send} tone="danger" confirm={t.redistributeAsk}>
          <Choice view={view} name="mode" label={t.mode} value="1" options={Object.entries(t.modes)} />
          <TextField view={view} name="address" label={t.address} required max={300} />
        </Form>
      </Panel>
      <Panel title={t.remove}>
        <p class="soft">{t.removeNote}</p>
        <Act view={view} action="remove" label={t.remove} tone="danger" confirm={t.removeAsk} />
      </Panel>
    </>
  );
}

async function issued(
  view: View,
  method: "POST" | "DELETE",
  path: string,
  body?: unknown,
): Promise<string> {
  const { id } = await view.client.send<Command>(method, apiPathOf(view) + path, body);
  return `/commands/${id}`;
}

function apiPathOf(view: View): string {
  return `/api/v1/gateways/${encodeURIComponent(view.params["mac"]!)}`;
}

function pluginPathOf(view: View): string {
  return `/plugins/${encodeURIComponent(field(view, "plugin"))}`;
}
