/**
 * API keys.
 *
 * @module
 */
import { Act, Badge, Check, Form, Pages, Panel, Table, TextField, Time } from "../../parts/mod.ts";
import { type Action, field, listOf, type Page, several } from "../../view.ts";
import { groupsOf, momentOf, PeopleTabs, textsOf } from "./frame.tsx";
import type { Roles } from "./operators.tsx";

interface Key {
  readonly id: string;
  readonly name: string;
  readonly hint: string;
  readonly permissions: readonly string[];
  readonly groups: readonly string[] | null;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
}

/** `GET /people/keys`. */
export const keysPage: Page = async (view) => {
  const t = textsOf(view), { common } = view.texts;
  const [page, { permissions }] = await Promise.all([
    listOf<Key>(view, "/api/v1/keys"),
    view.client.get<Roles>("/api/v1/roles"),
  ]);
  const chosen = several(view, "permissions");
  const stateOf = ({ revokedAt, expiresAt }: Key): [tone: string, text: string] => {
    if (revokedAt !== null) return ["bad", t.revoked];
    return expiresAt !== null && Date.parse(expiresAt) <= view.now ? ["bad", t.expired] : ["good", t.active];
  };
  return {
    title: t.keys,
    content: (
      <>
        <PeopleTabs view={view} />
        <Panel>
          <Table
            label={t.keys}
            head={[
              t.name,
              t.hint,
              t.state,
              t.permissions,
              t.groups,
              t.expiresAt,
              t.lastUsedAt,
              common.by,
              common.actions,
            ]}
            empty={common.none}
            rows={page.items.map((key) => {
              const [tone, text] = stateOf(key);
              return [
                key.name,
                <span class="mono">{key.hint}</span>,
                <Badge tone={tone}>{text}</Badge>,
                key.permissions.join(", "),
                key.groups?.join(", ") ?? t.everything,
                <Time at={key.expiresAt} view={view} />,
                <Time at={key.lastUsedAt} view={view} />,
                key.createdBy,
                key.revokedAt !== null ? "" : (
                  <Act
                    view={view}
                    action="revoke"
                    label={t.revoke}
                    tone="danger"
                    confirm={t.revokeAsk}
                    fields={{ id: key.id }}
                    about={key.name}
                  />
                ),
              ];
            })}
          />
          <Pages view={view} next={page.next} />
        </Panel>
        <Panel title={t.makeKey}>
          <Form view={view} action="make" label={t.makeKey}>
            <TextField view={view} name="name" label={t.name} required max={100} />
            <fieldset>
              <legend>{t.permissions}</legend>
              {permissions.filter(({ name }) => view.may(name)).map(({ name }) => (
                <Check name="permissions" value={name} label={name} checked={chosen.includes(name)} />
              ))}
            </fieldset>
            <TextField view={view} name="groups" label={t.groups} hint={t.groupsHint} max={6500} />
            <TextField
              view={view}
              name="expiresAt"
              type="datetime-local"
              label={t.expiresAt}
              hint={t.expiresHint}
            />
          </Form>
        </Panel>
      </>
    ),
  };
};

/** What the forms of the keys' page do. */
export const keyActions: Readonly<Record<string, Action>> = {
  // Shown in the answer itself: a redirect would have to carry the key in an address.
  async make(view) {
    const t = textsOf(view);
    const { key, name } = await view.client.send<Key & { key: string }>("POST", "/api/v1/keys", {
      name: field(view, "name"),
      permissions: several(view, "permissions"),
      groups: groupsOf(view),
      expiresAt: momentOf(view, "expiresAt"),
    });
    return {
      title: t.key,
      content: (
        <>
          <PeopleTabs view={view} />
          <div class="notice good" role="status">
            <p>
              <strong>{name}</strong>
              {`: ${t.keyOnce}`}
            </p>
            <pre class="secret" id="key" tabindex={0}>{key}</pre>
          </div>
          <p>
            <a href="/people/keys">{view.texts.common.back}</a>
          </p>
        </>
      ),
    };
  },
  async revoke(view) {
    await view.client.send("DELETE", `/api/v1/keys/${encodeURIComponent(field(view, "id"))}`);
  },
};
