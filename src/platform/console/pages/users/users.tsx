/**
 * The phone app's users, for support.
 *
 * @module
 */
import { Act, Badge, Facts, Pages, Panel, Table, TextField, Time } from "../../parts/mod.ts";
import { users } from "../../texts/mod.ts";
import { type Action, field, listOf, type Page, query, type View } from "../../view.ts";

const USERS = "/api/v1/app-users";

interface User {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly lockedAt: string | null;
}
interface Detail extends User {
  readonly gateways: readonly {
    readonly mac: string;
    readonly role: string;
    readonly rights: string;
    readonly since: string;
  }[];
  readonly devices: readonly {
    readonly id: string;
    readonly device: string;
    readonly createdAt: string;
    readonly renewedAt: string;
  }[];
}

/** `GET /users`. */
export const usersPage: Page = async (view) => {
  const t = users[view.language], { common } = view.texts, search = query(view, "search");
  const page = await listOf<User>(view, USERS, { search });
  return {
    title: t.title,
    content: (
      <>
        <form class="row" method="get" action="/users" role="search">
          <TextField view={view} name="search" type="search" label={t.searchHint} value={search} max={64} />
          <button type="submit">{common.search}</button>
        </form>
        <Panel>
          <Table
            label={t.title}
            head={[t.name, t.state, t.created]}
            empty={search === "" ? common.none : common.noMatch}
            rows={page.items.map((user) => [
              <a href={`/users/${user.id}`}>{user.name}</a>,
              <State view={view} user={user} />,
              <Time at={user.createdAt} view={view} />,
            ])}
          />
          <Pages view={view} next={page.next} />
        </Panel>
      </>
    ),
  };
};

/** `GET /users/{id}`. */
export const userPage: Page = async (view) => {
  const t = users[view.language], { common } = view.texts, may = view.may("app_users:write");
  const user = await view.client.get<Detail>(pathOf(view));
  return {
    title: t.user(user.name),
    content: (
      <>
        <Panel>
          <Facts
            facts={[
              [t.state, <State view={view} user={user} />],
              [t.created, <Time at={user.createdAt} view={view} />],
              [t.lockedAt, <Time at={user.lockedAt} view={view} />],
            ]}
          />
          {may && (user.lockedAt === null
            ? <Act view={view} action="lock" label={t.lock} tone="danger" confirm={t.lockAsk} />
            : <Act view={view} action="unlock" label={t.unlock} />)}
        </Panel>
        <Panel title={t.gateways}>
          <Table
            label={t.gateways}
            head={[t.gateway, t.role, t.rights, t.since]}
            empty={common.none}
            rows={user.gateways.map(({ mac, role, rights, since }) => [
              view.may("gateways:read") ? <a class="mono" href={`/gateways/${mac}`}>{mac}</a> : mac,
              t.roles[role] ?? role,
              t.rightNames[rights] ?? rights,
              <Time at={since} view={view} />,
            ])}
          />
        </Panel>
        <Panel title={t.devices}>
          <Table
            label={t.devices}
            head={[t.device, t.since, t.renewed, may && common.actions]}
            empty={common.none}
            rows={user.devices.map(({ id, device, createdAt, renewedAt }) => [
              device || common.unknown,
              <Time at={createdAt} view={view} />,
              <Time at={renewedAt} view={view} />,
              may && (
                <Act
                  view={view}
                  action="signOut"
                  label={t.signOut}
                  fields={{ session: id }}
                  about={device}
                />
              ),
            ])}
          />
          {may && user.devices.length > 0 && (
            <Act view={view} action="signOutAll" label={t.signOutAll} tone="danger" confirm={common.sure} />
          )}
        </Panel>
      </>
    ),
  };
};

/** What the forms of a user's page do. */
export const userActions: Readonly<Record<string, Action>> = {
  lock: (view) => post(view, "/lock"),
  unlock: (view) => post(view, "/unlock"),
  async signOut(view) {
    await view.client.send(
      "DELETE",
      `${pathOf(view)}/sessions/${encodeURIComponent(field(view, "session"))}`,
    );
  },
  async signOutAll(view) {
    await view.client.send("DELETE", `${pathOf(view)}/sessions`);
  },
};

async function post(view: View, what: string): Promise<void> {
  await view.client.send("POST", pathOf(view) + what);
}

function State({ view, user: { lockedAt } }: { readonly view: View; readonly user: User }) {
  const t = users[view.language];
  return lockedAt === null ? <Badge tone="good">{t.active}</Badge> : <Badge tone="bad">{t.locked}</Badge>;
}

function pathOf(view: View): string {
  return `${USERS}/${encodeURIComponent(view.params["id"] ?? "")}`;
}
