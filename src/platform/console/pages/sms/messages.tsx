/**
 * Messages to phones: where they stand, and for those who may, what they say.
 *
 * @module
 */
import { Badge, Choice, Facts, Form, Pages, Panel, Table, TextField, Time } from "../../parts/mod.ts";
import { type Action, field, listOf, optional, type Page, query, type View } from "../../view.ts";
import { SMS, SmsTabs, textsOf } from "./frame.tsx";

interface Message {
  readonly msgId: string;
  readonly spId: string;
  readonly serviceId: string;
  readonly destination: string;
  readonly state: string;
  readonly stat: string | null;
  readonly submittedAt: string;
  readonly dueAt: string;
  readonly expiresAt: string;
  readonly doneAt: string | null;
}
interface Content extends Message {
  readonly source: string;
  readonly msgFmt: number;
  readonly text: string | null;
  readonly content: string;
}

const STATES = ["scheduled", "waiting", "sent", "delivered", "failed", "cancelled"];
const TONES: Readonly<Record<string, string>> = {
  delivered: "good",
  failed: "bad",
  cancelled: "soft",
  scheduled: "warn",
  waiting: "warn",
  sent: "warn",
};

/** `GET /sms/messages`. */
export const messagesPage: Page = async (view) => {
  const t = textsOf(view), { common } = view.texts;
  const filter = {
    spId: query(view, "spId"),
    state: query(view, "state"),
    destination: query(view, "destination"),
  };
  const page = await listOf<Message>(view, `${SMS}/messages`, filter);
  const filtered = Object.values(filter).some((value) => value !== "");
  return {
    title: t.messages,
    content: (
      <>
        <SmsTabs view={view} />
        <form class="row" method="get" action="/sms/messages" role="search">
          <TextField view={view} name="spId" label={t.spId} value={filter.spId} max={6} />
          <TextField
            view={view}
            name="destination"
            label={t.destination}
            value={filter.destination}
            pattern="\+?[0-9]{1,20}"
          />
          <StateChoice view={view} value={filter.state} />
          <button type="submit">{common.filter}</button>
        </form>
        <Panel>
          <MessageTable
            view={view}
            messages={page.items}
            empty={filtered ? common.noMatch : common.none}
          />
          <Pages view={view} next={page.next} />
        </Panel>
        {view.may("sms:content") && <SearchForm view={view} />}
      </>
    ),
  };
};

/** Searches what messages say. The text is in the form's body, so that no log of addresses has it. */
export const searchMessages: Action = async (view) => {
  const t = textsOf(view), { common } = view.texts;
  const { items, nextCursor } = await view.client.send<{ items: Content[]; nextCursor: string | null }>(
    "POST",
    `${SMS}/messages/search`,
    {
      text: field(view, "text"),
      cursor: optional(view, "cursor"),
      spId: optional(view, "spId"),
      state: optional(view, "state"),
    },
  );
  return {
    title: t.found,
    content: (
      <>
        <SmsTabs view={view} />
        <Panel>
          <MessageTable view={view} messages={items} empty={common.noMatch} />
          {nextCursor !== null && (
            <Form view={view} to="/sms/messages" action="search" label={t.more}>
              {["text", "spId", "state"].map((name) => (
                <input type="hidden" name={name} value={field(view, name)} />
              ))}
              <input type="hidden" name="cursor" value={nextCursor} />
            </Form>
          )}
        </Panel>
        <SearchForm view={view} />
      </>
    ),
  };
};

/** `GET /sms/messages/{msgId}`: with what it says; each reading is in the audit. */
export const messagePage: Page = async (view) => {
  const t = textsOf(view), msgId = view.params["msgId"]!;
  const message = await view.client.get<Content>(`${SMS}/messages/${encodeURIComponent(msgId)}`);
  const time = (at: string | null) => <Time at={at} view={view} />;
  return {
    title: `${t.msgId} ${message.msgId}`,
    content: (
      <>
        <SmsTabs view={view} />
        <div class="grid">
          <Panel title={view.texts.common.details}>
            <Facts
              facts={[
                [t.state, <State view={view} message={message} />],
                [t.stat, message.stat],
                [t.spId, <a href={`/sms/accounts/${encodeURIComponent(message.spId)}`}>{message.spId}</a>],
                [t.service, message.serviceId],
                [t.source, message.source],
                [t.destination, message.destination],
                [t.submittedAt, time(message.submittedAt)],
                [t.dueAt, time(message.dueAt)],
                [t.expiresAt, time(message.expiresAt)],
                [t.doneAt, time(message.doneAt)],
                [t.msgFmt, String(message.msgFmt)],
              ]}
            />
          </Panel>
          <Panel title={t.content}>
            <p class="soft">{t.contentHint}</p>
            {message.text === null && <p>{t.noText}</p>}
            <pre tabindex={0}>{message.text ?? message.content}</pre>
          </Panel>
        </div>
      </>
    ),
  };
};

function MessageTable(
  { view, messages, empty }: {
    readonly view: View;
    readonly messages: readonly (Message & { readonly text?: string | null })[];
    readonly empty: string;
  },
) {
  const t = textsOf(view), withText = messages.some(({ text }) => text !== undefined);
  return (
    <Table
      label={t.messages}
      head={[
        t.submittedAt,
        t.state,
        t.stat,
        t.spId,
        t.service,
        t.destination,
        t.doneAt,
        withText && t.text,
      ]}
      empty={empty}
      rows={messages.map((message) => [
        view.may("sms:content")
          ? (
            <a href={`/sms/messages/${message.msgId}`}>
              <Time at={message.submittedAt} view={view} />
            </a>
          )
          : <Time at={message.submittedAt} view={view} />,
        <State view={view} message={message} />,
        message.stat ?? "",
        message.spId,
        message.serviceId,
        <span class="mono">{message.destination}</span>,
        <Time at={message.doneAt} view={view} />,
        message.text ?? "",
      ])}
    />
  );
}

function State({ view, message }: { readonly view: View; readonly message: Message }) {
  return (
    <Badge tone={TONES[message.state] ?? ""}>{textsOf(view).states[message.state] ?? message.state}</Badge>
  );
}

function StateChoice({ view, value }: { readonly view: View; readonly value: string }) {
  const t = textsOf(view);
  return (
    <Choice
      view={view}
      name="state"
      label={t.state}
      value={value}
      options={[["", view.texts.common.all], ...STATES.map((state) => [state, t.states[state]!] as const)]}
    />
  );
}

function SearchForm({ view }: { readonly view: View }) {
  const t = textsOf(view);
  return (
    <Panel title={t.searchTitle}>
      <p class="soft">{t.searchHint}</p>
      <Form view={view} to="/sms/messages" action="search" label={view.texts.common.search}>
        <TextField view={view} name="text" type="search" label={t.searchText} required max={200} />
        <TextField view={view} name="spId" label={t.spId} max={6} />
        <StateChoice view={view} value="" />
      </Form>
    </Panel>
  );
}
