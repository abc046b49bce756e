/**
 * The repository: its versions, and adding one.
 *
 * @module
 */
import type * as v from "valibot";
import type { PluginView } from "../../../api/mod.ts";
import { ApiProblem } from "../../client.ts";
import {
  Badge,
  Choice,
  Form,
  numberText,
  Pages,
  Panel,
  Table,
  Tabs,
  TextArea,
  TextField,
  Time,
} from "../../parts/mod.ts";
import { plugins } from "../../texts/mod.ts";
import { type Action, field, listOf, type Page, query, type View } from "../../view.ts";

/** A version as the API shows it. */
export type Plugin = v.InferOutput<typeof PluginView>;

/** `GET /plugins`. */
export const pluginsPage: Page = async (view) => {
  const t = plugins[view.language], { common } = view.texts;
  const filter = { name: query(view, "name"), channel: query(view, "channel") };
  const page = await listOf<Plugin>(view, "/api/v1/plugins", filter);
  const channels = Object.entries(t.channels);
  return {
    title: t.title,
    content: (
      <>
        <PluginTabs view={view} />
        <form class="row" method="get" action="/plugins" role="search">
          <TextField view={view} name="name" label={common.name} value={filter.name} max={128} />
          <Choice
            view={view}
            name="channel"
            label={t.channel}
            value={filter.channel}
            options={[["", common.all], ...channels]}
          />
          <button type="submit">{common.filter}</button>
        </form>
        <Panel>
          <PluginTable
            view={view}
            versions={page.items}
            empty={Object.values(filter).some(Boolean) ? common.noMatch : common.none}
          />
          <Pages view={view} next={page.next} />
        </Panel>
        {view.may("plugins:write") && (
          <Panel title={t.upload}>
            <p class="soft">{t.uploadHint}</p>
            <Form view={view} files action="upload" label={t.upload}>
              <label>
                <span>{t.file}</span>
                <input type="file" name="file" required />
              </label>
              <Choice view={view} name="channel" label={t.channel} value="beta" options={channels} />
              <TextArea view={view} name="notes" label={t.notes} rows={3} />
            </Form>
          </Panel>
        )}
      </>
    ),
  };
};

/** Adds a version, and shows it. */
export const upload: Action = async (view) => {
  const { file } = view.form;
  if (!(file instanceof File) || file.size === 0) {
    throw new ApiProblem(422, "no_file", plugins[view.language].noFile, "");
  }
  const search = new URLSearchParams({ channel: field(view, "channel"), notes: field(view, "notes") });
  const response = await view.client.raw(`/api/v1/plugins?${search}`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: await file.arrayBuffer(),
  });
  return `${pathOf(await response.json() as Plugin)}?done=1`;
};

/** Versions, a line each. */
export function PluginTable(
  { view, versions, empty }: {
    readonly view: View;
    readonly versions: readonly Plugin[];
    readonly empty: string;
  },
) {
  const t = plugins[view.language];
  return (
    <Table
      label={t.title}
      head={[view.texts.common.name, t.version, t.channel, t.trustedBy, t.size, t.uploadedAt, t.uploadedBy]}
      numbers={[4]}
      empty={empty}
      rows={versions.map((plugin) => [
        <a href={pathOf(plugin)}>{plugin.name}</a>,
        plugin.version,
        <ChannelBadge view={view} channel={plugin.channel} />,
        <TierBadge view={view} tier={plugin.trust.tier} />,
        t.bytes(numberText(plugin.size, view)),
        <Time at={plugin.uploadedAt} view={view} />,
        plugin.uploadedBy,
      ])}
    />
  );
}

/** The way among these pages. */
export function PluginTabs({ view }: { readonly view: View }) {
  const t = plugins[view.language];
  if (!view.may("trust:write")) return null;
  return <Tabs view={view} tabs={[["/plugins", t.repository], ["/trust", t.trust]]} />;
}

/** To whom a version is offered. */
function ChannelBadge({ view, channel }: { readonly view: View; readonly channel: string | null }) {
  const t = plugins[view.language];
  if (channel === null) return <Badge tone="soft">{t.noChannel}</Badge>;
  return <Badge tone={channel === "stable" ? "good" : "warn"}>{t.channels[channel] ?? channel}</Badge>;
}

/** Who vouches for a version. */
export function TierBadge({ view, tier }: { readonly view: View; readonly tier: string }) {
  const tone = tier === "refused" ? "bad" : tier === "unsigned" ? "soft" : "good";
  return <Badge tone={tone}>{plugins[view.language].tiers[tier] ?? tier}</Badge>;
}

/** Where a version has its page. */
export function pathOf({ name, version }: Pick<Plugin, "name" | "version">): string {
  return `/plugins/${encodeURIComponent(name)}/${encodeURIComponent(version)}`;
}
