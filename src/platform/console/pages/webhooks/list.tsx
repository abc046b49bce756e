/**
 * The list of webhooks, and the form that adds one.
 *
 * @module
 */
import { Form, numberText, Pages, Panel, Table, Time } from "../../parts/mod.ts";
import { type Action, listOf, type Page } from "../../view.ts";
import { type EventTypes, Fields, inputOf, secretPage, State, textsOf, type Webhook } from "./frame.tsx";

/** `GET /webhooks`. */
export const webhooksPage: Page = async (view) => {
  const t = textsOf(view), { common } = view.texts;
  const [page, types] = await Promise.all([
    listOf<Webhook>(view, "/api/v1/webhooks"),
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
          <Form view={view} action="add" label={t.add}>
            <Fields view={view} types={types} />
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
