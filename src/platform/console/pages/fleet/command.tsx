/**
 * One command, exactly as far as it is.
 *
 * @module
 */
import type * as v from "valibot";
import type { CommandView } from "../../../api/mod.ts";
import { Act, commandError, CommandStatus, Facts, Json, Time } from "../../parts/mod.ts";
import type { Action, Page } from "../../view.ts";
import { textsOf } from "./frame.tsx";
import { describe } from "./gateway.tsx";

type Command = v.InferOutput<typeof CommandView>;

/** `GET /commands/{id}`. */
export const commandPage: Page = async (view) => {
  const { texts } = view, t = texts.command;
  const command = await view.client.get<Command>(`/api/v1/commands/${view.params["id"]}`);
  const ended = command.finishedAt !== null;
  return {
    title: `${t.title}: ${describe(command)}`,
    ...(ended ? {} : { refreshSeconds: 2 }),
    content: (
      <div id="command" data-live>
        <section class="panel">
          <Facts
            facts={[
              [
                t.status,
                <span role="status">
                  <CommandStatus status={command.status} texts={texts} />
                </span>,
              ],
              [texts.gateways.mac, <a class="mono" href={`/gateways/${command.mac}`}>{command.mac}</a>],
              [t.actor, command.actor],
              [t.created, <Time at={command.createdAt} view={view} />],
              [t.finished, <Time at={command.finishedAt} view={view} />],
              [t.attempt, String(command.attempt)],
              [t.progress, command.progress === null ? null : `${command.progress} %`],
              [t.result, command.result === null ? null : String(command.result)],
              [t.error, command.error && commandError(command.error, view)],
            ]}
          />
        </section>
        <div class="grid">
          <section class="panel">
            <h2>{t.request}</h2>
            <Json value={command.parameter} />
          </section>
          {command.reply !== null && (
            <section class="panel">
              <h2>{t.reply}</h2>
              <Json value={command.reply} />
            </section>
          )}
        </div>
        {!ended && view.may("commands:run") && (
          <Act
            view={view}
            action="cancel"
            label={textsOf(view).cancelCommand}
            tone="danger"
            confirm={texts.common.sure}
          />
        )}
        <p>
          <a href={`/gateways/${command.mac}`}>{texts.common.back}</a>
        </p>
      </div>
    ),
  };
};

/** What the button of a command's page does. */
export const commandActions: Readonly<Record<string, Action>> = {
  async cancel(view) {
    await view.client.send("POST", `/api/v1/commands/${encodeURIComponent(view.params["id"]!)}/cancel`);
  },
};
