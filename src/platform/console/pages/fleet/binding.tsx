/**
 * Who owns a gateway in the phone app, and with whom they share it.
 *
 * @module
 */
import { ApiProblem } from "../../client.ts";
import { Act, Facts, Panel, Time } from "../../parts/mod.ts";
import { users } from "../../texts/mod.ts";
import type { Action, View } from "../../view.ts";

/** A binding as the API shows it. */
export interface Binding {
  readonly userId: string;
  readonly name: string;
  readonly boundAt: string;
  readonly members: readonly { readonly userId: string; readonly name: string; readonly rights: string }[];
}

/** The binding of the view's gateway; undefined where it is bound to nobody. */
export async function bindingOf(view: View): Promise<Binding | undefined> {
  try {
    return await view.client.get<Binding>(pathOf(view));
  } catch (error) {
    if (error instanceof ApiProblem && error.code === "not_bound") return undefined;
    throw error;
  }
}

/** The panel of a gateway's page. */
export function BindingPanel(
  { view, binding }: { readonly view: View; readonly binding: Binding | undefined },
) {
  const t = users[view.language];
  const person = ({ userId, name }: { readonly userId: string; readonly name: string }) =>
    view.may("app_users:read") && view.me.groups === null ? <a href={`/users/${userId}`}>{name}</a> : name;
  return (
    <Panel title={t.binding} id="binding">
      {binding === undefined ? <p class="soft">{t.unbound}</p> : (
        <>
          <Facts
            facts={[
              [t.owner, person(binding)],
              [t.since, <Time at={binding.boundAt} view={view} />],
              [
                t.members,
                binding.members.length === 0 ? null : binding.members.map((member) => (
                  <div>
                    {person(member)}
                    {` (${t.rightNames[member.rights] ?? member.rights})`}
                  </div>
                )),
              ],
            ]}
          />
          {view.may("gateways:write") && (
            <Act view={view} action="unbind" label={t.unbind} tone="danger" confirm={t.unbindAsk} />
          )}
        </>
      )}
    </Panel>
  );
}

/** Ends the ownership. */
export const unbind: Action = async (view) => {
  await view.client.send("DELETE", pathOf(view));
};

function pathOf(view: View): string {
  return `/api/v1/gateways/${encodeURIComponent(view.params["mac"]!)}/binding`;
}
