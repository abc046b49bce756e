/**
 * What the pages about webhooks share.
 *
 * @module
 */
import { Badge, Check, TextField } from "../../parts/mod.ts";
import { webhooks } from "../../texts/mod.ts";
import { field, type PageResult, several, type View, words } from "../../view.ts";

/** A webhook as the API shows it. */
export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly description: string;
  readonly events: readonly string[];
  readonly groups: readonly string[] | null;
  readonly enabled: boolean;
  readonly disabledReason: "gone" | "failing" | null;
  readonly failingSince: string | null;
  readonly waiting: number;
  readonly dropped: number;
  readonly oldSecretUntil: string | null;
  readonly createdAt: string;
  readonly createdBy: string;
}

/** What can be heard of. */
export interface EventTypes {
  readonly items: readonly { readonly type: string; readonly permission: string }[];
}

/** The texts in the view's language. */
export function textsOf(view: View): typeof webhooks.en {
  return webhooks[view.language];
}

/** Whether it tells anything, and why not. */
export function State({ view, webhook }: { readonly view: View; readonly webhook: Webhook }) {
  const t = textsOf(view), { enabled, disabledReason, failingSince } = webhook;
  if (disabledReason !== null) return <Badge tone="bad">{t[disabledReason]}</Badge>;
  if (!enabled) return <Badge tone="soft">{t.disabled}</Badge>;
  return <Badge tone={failingSince === null ? "good" : "warn"}>{t.enabled}</Badge>;
}

/** The fields of a webhook, empty or as it is. */
export function Fields(
  { view, types, webhook }: {
    readonly view: View;
    readonly types: EventTypes;
    readonly webhook?: Webhook;
  },
) {
  const t = textsOf(view), typed = several(view, "events");
  const chosen: readonly string[] = typed.length > 0 ? typed : webhook?.events ?? [];
  return (
    <>
      <TextField
        view={view}
        name="url"
        label={t.url}
        value={webhook?.url ?? ""}
        hint={t.urlHint}
        required
        max={2048}
      />
      <TextField
        view={view}
        name="description"
        label={t.description}
        value={webhook?.description ?? ""}
        max={500}
      />
      <fieldset>
        <legend>{t.events}</legend>
        {types.items.filter(({ permission }) => view.may(permission)).map(({ type }) => (
          <Check
            name="events"
            value={type}
            label={`${type}: ${t.eventNames[type] ?? type}`}
            checked={chosen.includes(type)}
          />
        ))}
      </fieldset>
      <TextField
        view={view}
        name="groups"
        label={t.groups}
        value={webhook?.groups?.join(", ") ?? ""}
        hint={t.groupsHint}
        max={6500}
      />
    </>
  );
}

/** What the fields say. */
export function inputOf(view: View) {
  const groups = words(view, "groups");
  return {
    url: field(view, "url"),
    description: field(view, "description"),
    events: several(view, "events"),
    groups: groups.length === 0 ? null : groups,
  };
}

/** A secret, shown in the answer itself: a redirect would have to carry it in an address. */
export function secretPage(view: View, id: string, url: string, secret: string): PageResult {
  const t = textsOf(view);
  return {
    title: t.secret,
    content: (
      <>
        <div class="notice good" role="status">
          <p>
            <strong>{url}</strong>
            {`: ${t.secretOnce}`}
          </p>
          <pre class="secret" id="secret" tabindex={0}>{secret}</pre>
        </div>
        <p>
          <a href={`/webhooks/${id}`}>{view.texts.common.back}</a>
        </p>
      </>
    ),
  };
}
