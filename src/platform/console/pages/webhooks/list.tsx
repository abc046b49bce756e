/**
 * The list of webhooks, and the form that adds one.
 *
 * @module
 */
import { Form, numberText, Pages, Panel, Submit, Table, Time } from "../../parts/mod.ts";
import { type Action, type Page, query } from "../../view.ts";
import { type EventTypes, Fields, inputOf, secretPage, State, textsOf, type Webhook } from "./frame.tsx";

/** `GET /webhooks`. */
export const webhooksPage: Page = async (view) => {
  const t = textsOf(view), { common } = view.texts;
  const [page, types] = await Promise.all([
    view.client.get<{ items: Webhook[]; next?: string }>("/api/v1/webhooks", {
      cursor: query(view, "cursor"),
    }),
    view.client.get<EventTypes>("/api/v1/webhook-events"),
  ]);
  return {
    title: t.title,
    refreshSeconds: 10,
    content: (
      <>
        <Panel id="webhooks">
          <Table
            label={t.title}
            head={[t.url, t.description, t.events, t.groups, t.state, t.waiting, t.failingSince, common.by]}
            empty={common.none}
            numbers={[5]}
            rows={page.items.map((webhook) => [
              <a href={`/webhooks/${webhook.id}`}>{webhook.url}</a>,
              webhook.description,
              webhook.events.join(", "),
              webhook.groups?.join(", ") ?? t.everything,
              <State view={view} webhook={webhook} />,
              numberText(webhook.waiting, view),
              <Time at={webhook.failingSince} view={view} />,
              webhook.createdBy,
            ])}
          />
          <Pages view={view} next={page.next} />
        </Panel>
        <Panel title={t.add}>
          <Form view={view}>
            <Fields view={view} types={types} />
            <div class="actions">
              <Submit action="add" label={t.add} />
            </div>
          </Form>
        </Panel>
      </>
    ),
  };
};

/** What the form does. */
export const addWebhook: Action = async (view) => {
  const { id, url, secret } = await view.client.send<Webhook & { secret: string }>(
    "POST",
    "/api/v1/webhooks",
    inputOf(view),
  );
  return secretPage(view, id, url, secret);
};
