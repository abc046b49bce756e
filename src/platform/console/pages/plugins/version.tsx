/**
 * One version of a plug-in.
 *
 * @module
 */
import {
  Act,
  Check,
  Choice,
  commandsOf,
  Facts,
  type FieldSpec,
  Form,
  Json,
  labelOf,
  numberText,
  Panel,
  Submit,
  Table,
  TextArea,
  Time,
} from "../../parts/mod.ts";
import { plugins } from "../../texts/mod.ts";
import { type Action, field, type Page, ticked, type View } from "../../view.ts";
import { type Plugin, PluginTable, PluginTabs, TierBadge } from "./repository.tsx";

/** `GET /plugins/{name}/{version}`. */
export const pluginPage: Page = async (view) => {
  const t = plugins[view.language], { common } = view.texts;
  const plugin = await view.client.get<Plugin>(apiPathOf(view)), { name, version } = plugin;
  const filter = `plugin=="${name}:${version}"`;
  const [versions, used] = await Promise.all([
    view.client.get<{ items: Plugin[] }>("/api/v1/plugins", { name, limit: "100" }),
    view.may("gateways:read")
      ? view.client.get<{ gateways: number }>("/api/v1/gateways/count", { filter })
      : undefined,
  ]);
  const may = view.may("plugins:write");
  const search = new URLSearchParams({ plugin: name, version });
  return {
    title: t.oneTitle(name, version),
    content: (
      <>
        <PluginTabs view={view} />
        <div class="grid">
          <Panel title={common.details}>
            <Facts
              facts={[
                [t.trustedBy, <TierBadge view={view} tier={plugin.trust.tier} />],
                [t.reason, plugin.trust.reason],
                [
                  t.signedBy,
                  plugin.signedBy.length === 0 ? t.unsigned : (
                    <>
                      {plugin.signedBy.map((id) => <div class="mono secret">{id}</div>)}
                    </>
                  ),
                ],
                [t.format, plugin.format],
                [t.size, t.bytes(numberText(plugin.size, view))],
                [t.digest, <span class="mono secret">{plugin.sha256}</span>],
                [t.uploadedAt, <Time at={plugin.uploadedAt} view={view} />],
                [t.uploadedBy, plugin.uploadedBy],
                [t.channelSince, <Time at={plugin.channelAt} view={view} />],
                [common.by, plugin.channelBy],
              ]}
            />
          </Panel>
          <Panel title={t.channel}>
            <Form view={view}>
              <Choice
                view={view}
                name="channel"
                label={t.channel}
                value={plugin.channel ?? "none"}
                options={Object.entries(t.channels)}
              />
              <TextArea view={view} name="notes" label={t.notes} value={plugin.notes} rows={3} />
              {may && (
                <div class="actions">
                  <Submit action="save" label={common.save} />
                </div>
              )}
            </Form>
            {may && (
              <div class="actions">
                {plugin.channel !== "stable" && <Act view={view} action="promote" label={t.promote} />}
                {plugin.channel !== null && <Act view={view} action="demote" label={t.demote} />}
              </div>
            )}
          </Panel>
          <Panel title={t.used}>
            {used !== undefined && <p>{t.usedBy(numberText(used.gateways, view))}</p>}
            <div class="actions">
              {used !== undefined && used.gateways > 0 && (
                <a class="button quiet" href={`/gateways?filter=${encodeURIComponent(filter)}`}>
                  {t.showGateways}
                </a>
              )}
              {view.may("rollouts:write") && (
                <a class="button quiet" href={`/rollouts/new?${search}`}>{t.rollOut}</a>
              )}
            </div>
            {may && (
              <Form view={view} action="remove" label={t.remove} tone="danger" confirm={common.sure}>
                <Check name="force" label={t.force} />
              </Form>
            )}
          </Panel>
        </div>
        <Panel title={t.commands}>
          <Table
            label={t.commands}
            head={[t.command, t.right, t.fields]}
            empty={common.none}
            rows={commandsOf(plugin.manifest).map(({ name, right, fields }) => [
              <span class="mono">{name}</span>,
              right,
              (fields ?? []).map((one) => fieldText(view, one)).join("; "),
            ])}
          />
        </Panel>
        <Panel title={t.versions}>
          <PluginTable view={view} versions={versions.items} empty={common.none} />
        </Panel>
        <details class="panel">
          <summary>{t.manifest}</summary>
          <Json value={plugin.manifest} />
        </details>
      </>
    ),
  };
};

/** What the forms of a version's page do. */
export const pluginActions: Readonly<Record<string, Action>> = {
  async save(view) {
    const body = { channel: field(view, "channel"), notes: field(view, "notes") };
    await view.client.send("PATCH", apiPathOf(view), body);
  },
  async promote(view) {
    await view.client.send("POST", `${apiPathOf(view)}/promote`);
  },
  async demote(view) {
    await view.client.send("POST", `${apiPathOf(view)}/demote`);
  },
  async remove(view) {
    const force = ticked(view, "force");
    await view.client.send("DELETE", `${apiPathOf(view)}${force ? "?force=true" : ""}`);
    return "/plugins?done=1";
  },
};

function fieldText(view: View, one: FieldSpec): string {
  return `${one.name} (${labelOf(one, view.language)})`;
}

function apiPathOf({ params }: View): string {
  return `/api/v1/plugins/${encodeURIComponent(params["name"]!)}/${encodeURIComponent(params["version"]!)}`;
}
