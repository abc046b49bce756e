/**
 * One gateway: what is known, what was asked of it, what it pushed, and asking it something.
 *
 * @module
 */
import type * as v from "valibot";
import type { CommandView, GatewayView } from "../../api/mod.ts";
import { ApiProblem } from "../client.ts";
import { CommandStatus, Facts, Presence, Time } from "../parts/mod.ts";
import { field, type Page, type View } from "../view.ts";

type Gateway = v.InferOutput<typeof GatewayView>;
type Command = v.InferOutput<typeof CommandView>;
interface Message {
  readonly id: string;
  readonly plugin: string;
  readonly receivedAt: string;
  readonly text: string | null;
  readonly base64: string;
}

/** Seconds that running a capability waits for its answer before the page shows how far it is. */
const WAIT = "8";

/** `GET /gateways/{mac}`. */
export const gatewayPage: Page = async (view) => {
  const mac = view.params["mac"]!, { texts } = view, t = texts.gateways;
  const gateway = await view.client.get<Gateway>(`/api/v1/gateways/${mac}`);
  const [commands, messages] = await Promise.all([
    view.may("commands:read")
      ? view.client.get<{ items: Command[] }>(`/api/v1/gateways/${mac}/commands`, { limit: "20" })
      : { items: [] },
    view.may("messages:read") ? messagesOf(view, mac) : [],
  ]);
  const time = (at: string | null) => <Time at={at} view={view} />;
  return {
    title: texts.gateway.title(gateway.mac),
    refreshSeconds: 5,
    content: (
      <>
        <div class="grid">
          <section class="panel" id="facts" data-live>
            <h2>{texts.gateway.identity}</h2>
            <Facts
              facts={[
                [
                  t.state,
                  <Presence
                    online={gateway.online}
                    registered={gateway.registeredAt !== null}
                    texts={texts}
                  />,
                ],
                [t.sn, <span class="mono">{gateway.sn}</span>],
                [t.loid, gateway.loid],
                [t.vendor, gateway.vendor],
                [t.model, gateway.model],
                [t.region, gateway.region],
                [t.firmware, gateway.firmware],
                [t.hardware, gateway.hardware],
                [t.wanIp, gateway.wanIp],
                [t.address, gateway.address],
                [t.pinned, gateway.pinnedOperations],
                [t.registeredAt, time(gateway.registeredAt)],
                [t.lastSeen, time(gateway.lastSeenAt)],
              ]}
            />
          </section>
          {view.may("commands:run") && <RunForm view={view} mac={mac} />}
        </div>
        <section class="panel" id="commands" data-live>
          <h2>{texts.gateway.timeline}</h2>
          <CommandTable view={view} commands={commands.items} />
        </section>
        <section class="panel" id="messages" data-live>
          <h2>{texts.gateway.messages}</h2>
          {messages.length === 0 ? <p class="soft">{texts.common.none}</p> : (
            <table>
              <tbody>
                {messages.map(({ plugin, receivedAt, text, base64 }) => (
                  <tr>
                    <th scope="row">{time(receivedAt)}</th>
                    <td>{plugin}</td>
                    <td class="mono">{text ?? base64}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </section>
      </>
    ),
  };
};

/** `POST /gateways/{mac}/commands`: runs a capability, and shows its command. */
export const runCommand: Page = async (view) => {
  const mac = view.params["mac"]!;
  const parameter: Record<string, string> = {};
  for (const line of field(view, "fields").split(/\r?\n/)) {
    const at = line.indexOf("=");
    if (at > 0) parameter[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  const command = await view.client.send<Command>("POST", `/api/v1/gateways/${mac}/commands?wait=${WAIT}`, {
    plugin: field(view, "plugin"),
    version: "",
    parameter: { ...parameter, CmdType: field(view, "command") },
  });
  return { redirect: `/commands/${command.id}` };
};

/** `POST /gateways/{mac}/plugins/list`: asks the gateway for its plug-ins. */
export const listPlugins: Page = async (view) => {
  const mac = view.params["mac"]!;
  const { texts } = view, t = texts.gateway;
  const { items } = await view.client.get<{ items: { name: string; version: string; run: boolean }[] }>(
    `/api/v1/gateways/${mac}/plugins`,
  );
  return {
    title: `${t.title(mac)}: ${t.plugins}`,
    content: (
      <section class="panel">
        {items.length === 0 ? <p class="soft">{texts.common.none}</p> : (
          <table>
            <caption>{t.installed}</caption>
            <thead>
              <tr>
                {[texts.common.name, t.version, texts.common.status].map((name) => <th scope="col">{name}
                </th>)}
              </tr>
            </thead>
            <tbody>
              {items.map(({ name, version, run }) => (
                <tr>
                  <th scope="row">{name}</th>
                  <td>{version}</td>
                  <td>
                    <span class={`badge ${run ? "good" : "soft"}`}>{run ? t.running : t.stopped}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        <p>
          <a href={`/gateways/${mac}`}>{texts.common.back}</a>
        </p>
      </section>
    ),
  };
};

/** Commands, a line each. */
export function CommandTable(
  { view, commands }: { readonly view: View; readonly commands: readonly Command[] },
) {
  const { texts } = view, t = texts.command;
  if (commands.length === 0) return <p class="soft">{texts.common.none}</p>;
  return (
    <div class="scroll" tabindex={0} role="region" aria-label={texts.gateway.timeline}>
      <table>
        <thead>
          <tr>
            {[t.created, t.kind, t.status, t.actor, t.finished].map((name) => <th scope="col">{name}</th>)}
          </tr>
        </thead>
        <tbody>
          {commands.map((command) => (
            <tr>
              <th scope="row">
                <a href={`/commands/${command.id}`}>
                  <Time at={command.createdAt} view={view} />
                </a>
              </th>
              <td>{describe(command)}</td>
              <td>
                <CommandStatus status={command.status} texts={texts} />
              </td>
              <td>{command.actor}</td>
              <td>
                <Time at={command.finishedAt} view={view} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A command in a few words. */
export function describe(command: Pick<Command, "kind" | "plugin" | "version" | "parameter">): string {
  const cmdType = command.parameter["CmdType"];
  if (command.kind === "post") {
    return `${String(cmdType ?? "post")}${command.plugin ? ` (${command.plugin})` : ""}`;
  }
  return [command.kind, command.plugin, command.version].filter(Boolean).join(" ");
}

function RunForm({ view, mac }: { readonly view: View; readonly mac: string }) {
  const { texts } = view, t = texts.gateway;
  return (
    <section class="panel">
      <h2>{t.run}</h2>
      <form class="stack" method="post" action={`/gateways/${mac}/commands`}>
        <label>
          {t.command}
          <input name="command" required maxlength={128} pattern="[A-Za-z0-9_.\-]+" autocomplete="off" />
        </label>
        <label>
          {t.plugin}
          <input name="plugin" maxlength={128} placeholder={t.pluginHint} autocomplete="off" />
        </label>
        <label>
          {t.fields}
          <textarea name="fields" spellcheck={false}></textarea>
        </label>
        <div class="actions">
          <button type="submit">{t.send}</button>
          <button class="quiet" type="submit" formaction={`/gateways/${mac}/plugins/list`} formnovalidate>
            {t.askPlugins}
          </button>
        </div>
      </form>
    </section>
  );
}

/** Where the push service does not run, there are no messages. */
async function messagesOf(view: View, mac: string): Promise<Message[]> {
  try {
    return (await view.client.get<{ items: Message[] }>(`/api/v1/gateways/${mac}/messages`, { limit: "10" }))
      .items;
  } catch (error) {
    if (error instanceof ApiProblem && error.code === "not_found") return [];
    throw error;
  }
}
