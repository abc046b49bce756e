/**
 * One's own password.
 *
 * @module
 */
import { Form, Panel, TextField } from "../../parts/mod.ts";
import type { Action, Page } from "../../view.ts";
import { textsOf } from "./frame.tsx";
import { secret } from "./operators.tsx";

/** `GET /account`. */
export const accountPage: Page = (view) => {
  const t = textsOf(view);
  return {
    title: t.own,
    content: view.me.kind !== "operator" ? <p>{t.noPassword}</p> : (
      <Panel>
        <p class="soft">{t.ownHint}</p>
        <Form view={view} action="change" label={view.texts.common.save}>
          <TextField view={view} name="current" type="password" label={t.current} required max={512} />
          <TextField
            view={view}
            name="password"
            type="password"
            label={t.newPassword}
            required
            max={512}
            hint={t.passwordHint}
          />
        </Form>
      </Panel>
    ),
  };
};

/** Changes it, and goes on with the new session. */
export const changePassword: Action = async (view) => {
  const { token, expiresAt } = await view.client.send<{ token: string; expiresAt: string }>(
    "PUT",
    "/api/v1/me/password",
    { current: secret(view, "current"), password: secret(view, "password") },
  );
  const seconds = Math.max(0, Math.floor((Date.parse(expiresAt) - view.now) / 1000));
  return { redirect: "/account?done=1", session: { token, seconds } };
};
