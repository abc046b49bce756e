/**
 * One webhook: what it was told, and what can be done with it.
 *
 * @module
 */
import { Act, Badge, Choice, Facts, Form, numberText, Pages, Panel, Table, Time } from "../../parts/mod.ts";
import { type Action, field, listOf, type Page, query, type View } from "../../view.ts";
import { type EventTypes, Fields, inputOf, secretPage, State, textsOf, type Webhook } from "./frame.tsx";

interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly type: string;
  readonly state: string;
  readonly attempts: number;
  readonly createdAt: string;
  readonly nextTryAt: string | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
}

const TONES: Readonly<Record<string, string>> = { waiting: "warn", delivered: "good", failed: "bad" };

/** `GET /webhooks/{id}`. */
export const webhookPage: Page = async (view) => {
  const t = textsOf(view), { common } = view.texts, path = apiPathOf(view), state = query(view, "state");
  const [webhook, page, types] = await Promise.all([
    view.client.get<Webhook>(path),
    listOf<Delivery>(view, `${path}/deliveries`, { state }),
    view.client.get<EventTypes>("/api/v1/webhook-events"),
  ]);
  const { id, enabled } = webhook;
  return {
    title: `${t.webhook} ${new URL(webhook.url).host}`,
    refreshSeconds: 5,
    content: (
      <>
        <div class="actions head">
          {enabled && <Act view={view} action="test" label={t.test} />}
          <Act view={view} action={enabled ? "disable" : "enable"} label={enabled ? t.disable : t.enable} />
          <Act view={view} action="rotate" label={t.rotate} confirm={t.rotateAsk} />
          <Act view={view} action="remove" label={t.remove} tone="danger" confirm={t.removeAsk} />
        </div>
        <Panel id="facts" title={common.details}>
          <Facts
            facts={[
              [t.url, webhook.url],
              [t.description, webhook.description],
              [t.events, webhook.events.join(", ")],
              [t.groups, webhook.groups?.join(", ") ?? t.everything],
              [t.state, <State view={view} webhook={webhook} />],
              [t.failingSince, <Time at={webhook.failingSince} view={view} />],
              [t.waiting, numberText(webhook.waiting, view)],
              [t.dropped, numberText(webhook.dropped, view)],
              [t.oldSecretUntil, <Time at={webhook.oldSecretUntil} view={view} />],
              [common.created, <Time at={webhook.createdAt} view={view} />],
              [common.by, webhook.createdBy],
            ]}
          />
        </Panel>
        <form class="row" method="get" action={`/webhooks/${id}`}>
          <Choice
            view={view}
            name="state"
            label={common.status}
            value={state}
            options={[["", common.all], ...Object.entries(t.states)]}
          />
          <button type="submit">{common.filter}</button>
        </form>
        <Panel id="deliveries" title={t.deliveries}>
          <Table
            label={t.deliveries}
            head={[t.event, t.type, common.status, t.tries, t.last, t.next, common.created, common.actions]}
            empty={state === "" ? common.none : common.noMatch}
            numbers={[3]}
            rows={page.items.map((delivery) => [
              <span class="mono">{delivery.event}</span>,
              <span title={t.eventNames[delivery.type]}>{delivery.type}</span>,
              <Badge tone={TONES[delivery.state] ?? "soft"}>
                {t.states[delivery.state] ?? delivery.state}
              </Badge>,
              numberText(delivery.attempts, view),
              delivery.lastError ?? (delivery.lastStatus === null ? "" : `HTTP ${delivery.lastStatus}`),
              <Time at={delivery.nextTryAt} view={view} />,
              <Time at={delivery.createdAt} view={view} />,
              !enabled ? "" : (
                <Act
                  view={view}
                  action="redeliver"
                  label={t.redeliver}
                  fields={{ delivery: delivery.id }}
                  about={delivery.event}
                />
              ),
            ])}
          />
          <Pages view={view} next={page.next} />
        </Panel>
        <Panel title={common.change}>
          <Form view={view} action="change" label={common.save}>
            <Fields view={view} types={types} webhook={webhook} />
          </Form>
        </Panel>
      </>
    ),
  };
};

/** What the forms of a webhook's page do. */
export const webhookActions: Readonly<Record<string, Action>> = {
  async test(view) {
    await view.client.send("POST", `${apiPathOf(view)}/test`);
  },
  async redeliver(view) {
    const delivery = encodeURIComponent(field(view, "delivery"));
    await view.client.send("POST", `${apiPathOf(view)}/deliveries/${delivery}/redeliver`);
  },
  async enable(view) {
    await view.client.send("PATCH", apiPathOf(view), { enabled: true });
  },
  async disable(view) {
    await view.client.send("PATCH", apiPathOf(view), { enabled: false });
  },
  async change(view) {
    await view.client.send("PATCH", apiPathOf(view), inputOf(view));
  },
  async rotate(view) {
    const { id, url } = await view.client.get<Webhook>(apiPathOf(view));
    const { secret } = await view.client.send<{ secret: string }>("POST", `${apiPathOf(view)}/secret`);
    return secretPage(view, id, url, secret);
  },
  async remove(view) {
    await view.client.send("DELETE", apiPathOf(view));
    return "/webhooks?done=1";
  },
};

function apiPathOf(view: View): string {
  return `/api/v1/webhooks/${encodeURIComponent(view.params["id"]!)}`;
}
