/**
 * The platform itself: its version, its services, its settings.
 *
 * @module
 */
import { Badge, Facts, Panel, Table } from "../../parts/mod.ts";
import type { Page, View } from "../../view.ts";
import { AboutTabs, textsOf } from "./frame.tsx";

interface Health {
  readonly status: string;
  readonly services: readonly { readonly name: string; readonly status: string; readonly detail?: string }[];
}
interface About {
  readonly version: string;
  readonly runtime: string;
  readonly settings: Readonly<Record<string, string>>;
}

const TONES: Readonly<Record<string, string>> = { up: "good", degraded: "warn", down: "bad" };

/** `GET /about`. */
export const aboutPage: Page = async (view) => {
  const t = textsOf(view), { common } = view.texts;
  const [health, about] = await Promise.all([
    healthOf(view),
    view.may("system:write") ? view.client.get<About>("/api/v1/about") : undefined,
  ]);
  return {
    title: t.about,
    refreshSeconds: 10,
    content: (
      <>
        <AboutTabs view={view} />
        <Panel title={t.services} id="services">
          <Table
            label={t.services}
            head={[t.service, t.health, t.detail]}
            empty={common.none}
            rows={health.services.map(({ name, status, detail }) => [
              name,
              <Badge tone={TONES[status] ?? ""}>{t.healthNames[status] ?? status}</Badge>,
              detail ?? "",
            ])}
          />
        </Panel>
        {about !== undefined && (
          <>
            <Panel title={t.version}>
              <Facts facts={[[t.version, about.version], [t.runtime, about.runtime]]} />
            </Panel>
            <Panel title={t.settings}>
              <Table
                label={t.settings}
                head={[t.setting, t.value]}
                empty={common.none}
                rows={Object.entries(about.settings).map(([name, value]) => [
                  <span class="mono">{name}</span>,
                  <span class="mono">{value}</span>,
                ])}
              />
            </Panel>
          </>
        )}
        <Panel title={t.links}>
          <ul>
            <li>
              <a href="/metrics">{t.metrics}</a>
            </li>
            <li>
              <a href="/openapi.json">{t.openapi}</a>
            </li>
          </ul>
        </Panel>
      </>
    ),
  };
};

/** What is down is answered with 503, and is what this page is for. */
async function healthOf(view: View): Promise<Health> {
  const response = await view.client.raw("/healthz", { accept: [503] });
  return await response.json() as Health;
}
