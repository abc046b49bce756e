/**
 * The keys that plug-ins are signed with.
 *
 * @module
 */
import { Act, Badge, Choice, Form, Json, Panel, Table, TextField, Time } from "../../parts/mod.ts";
import { plugins } from "../../texts/mod.ts";
import { type Action, field, mustMay, optional, type Page } from "../../view.ts";
import { PluginTabs } from "./repository.tsx";

interface Key {
  readonly id: string;
  readonly name: string;
  readonly tier: string;
  readonly state: string;
  readonly addedAt: string;
  readonly until: string | null;
  readonly reason: string | null;
}
interface Trust {
  readonly requireSigned: string;
  readonly keys: readonly Key[];
  readonly tiers: Readonly<Record<string, unknown>>;
}

const KEY_TIERS = ["carrier", "vendor", "community"];

/** `GET /trust`. */
export const trustPage: Page = async (view) => {
  const t = plugins[view.language], { common } = view.texts;
  mustMay(view, "trust:write");
  const trust = await view.client.get<Trust>("/api/v1/trust");
  const usable = trust.keys.filter(({ state }) => state !== "revoked");
  return {
    title: t.trust,
    content: (
      <>
        <PluginTabs view={view} />
        <p>{t.requireSigned(trust.requireSigned)}</p>
        <Panel>
          <Table
            label={t.trust}
            head={[t.keyName, t.tier, t.state, t.addedAt, t.until, t.key, t.reason, common.actions]}
            empty={common.none}
            rows={trust.keys.map((key) => [
              key.name,
              t.tiers[key.tier] ?? key.tier,
              <Badge tone={key.state === "trusted" ? "good" : "bad"}>
                {t.states[key.state] ?? key.state}
              </Badge>,
              <Time at={key.addedAt} view={view} />,
              <Time at={key.until} view={view} />,
              <span class="mono" title={key.id}>{`${key.id.slice(0, 16)}…`}</span>,
              key.reason ?? "",
              key.state === "revoked" ? "" : (
                <Act
                  view={view}
                  action="revoke"
                  label={t.revoke}
                  tone="danger"
                  confirm={t.revokeAsk}
                  fields={{ id: key.id }}
                  about={key.name || key.id.slice(0, 16)}
                />
              ),
            ])}
          />
        </Panel>
        <div class="grid">
          <Panel title={t.addKey}>
            <Form view={view} action="add" label={t.addKey}>
              <TextField view={view} name="name" label={t.keyName} max={200} />
              <TextField view={view} name="publicKey" label={t.publicKey} required max={100} />
              <Choice
                view={view}
                name="tier"
                label={t.tier}
                options={KEY_TIERS.map((tier) => [tier, t.tiers[tier]!] as const)}
              />
              <TextField view={view} name="until" type="datetime-local" label={t.until} hint={t.untilHint} />
            </Form>
          </Panel>
          {usable.length > 0 && (
            <Panel title={t.rotate}>
              <p class="soft">{t.rotateHint}</p>
              <Form view={view} action="rotate" label={t.rotate}>
                <Choice
                  view={view}
                  name="id"
                  label={t.oldKey}
                  options={usable.map(({ id, name }) => [id, name || id.slice(0, 16)] as const)}
                />
                <TextField view={view} name="publicKey" label={t.publicKey} required max={100} />
              </Form>
            </Panel>
          )}
        </div>
        <Panel title={t.tiersTitle}>
          <Table
            label={t.tiersTitle}
            head={[t.tier, t.caps]}
            empty={t.anything}
            rows={Object.entries(trust.tiers).map(([tier, caps]) => [
              t.tiers[tier] ?? tier,
              caps === null || caps === undefined ? t.anything : <Json value={caps} />,
            ])}
          />
        </Panel>
      </>
    ),
  };
};

/** What the forms of the keys' page do. */
export const trustActions: Readonly<Record<string, Action>> = {
  async add(view) {
    const until = field(view, "until");
    await view.client.send("POST", "/api/v1/trust/keys", {
      publicKey: field(view, "publicKey"),
      tier: field(view, "tier"),
      name: field(view, "name"),
      until: Number.isNaN(Date.parse(until)) ? optional(view, "until") : new Date(until).toISOString(),
    });
  },
  async revoke(view) {
    await view.client.send("POST", `/api/v1/trust/keys/${encodeURIComponent(field(view, "id"))}/revoke`);
  },
  async rotate(view) {
    const body = { publicKey: field(view, "publicKey") };
    const path = `/api/v1/trust/keys/${encodeURIComponent(field(view, "id"))}/rotate`;
    await view.client.send("POST", path, body);
  },
};
