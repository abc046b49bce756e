/**
 * Operators and roles.
 *
 * @module
 */
import {
  Act,
  Badge,
  Check,
  Choice,
  Facts,
  Form,
  Pages,
  Panel,
  Table,
  TextField,
  Time,
} from "../../parts/mod.ts";
import { type Action, field, listOf, optional, type Page, ticked, type View } from "../../view.ts";
import { groupsOf, PeopleTabs, textsOf } from "./frame.tsx";

interface Operator {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly groups: readonly string[] | null;
  readonly disabled: boolean;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly signedInAt: string | null;
}
/** Roles and permissions as the API lists them. */
export interface Roles {
  readonly roles: readonly { readonly name: string; readonly permissions: readonly string[] }[];
  readonly permissions: readonly { readonly name: string; readonly lets: string }[];
}

/** `GET /people`. */
export const operatorsPage: Page = async (view) => {
  const t = textsOf(view), { common } = view.texts;
  const [page, roles] = await Promise.all([
    listOf<Operator>(view, "/api/v1/operators"),
    view.client.get<Roles>("/api/v1/roles"),
  ]);
  return {
    title: t.operators,
    content: (
      <>
        <PeopleTabs view={view} />
        <Panel>
          <Table
            label={t.operators}
            head={[t.name, t.role, t.groups, t.state, t.signedInAt, common.created, common.by]}
            empty={common.none}
            rows={page.items.map((operator) => [
              <a href={`/people/${operator.id}`}>{operator.name}</a>,
              t.roleNames[operator.role] ?? operator.role,
              operator.groups?.join(", ") ?? t.everything,
              <State view={view} disabled={operator.disabled} />,
              <Time at={operator.signedInAt} view={view} />,
              <Time at={operator.createdAt} view={view} />,
              operator.createdBy,
            ])}
          />
          <Pages view={view} next={page.next} />
        </Panel>
        <Panel title={t.add}>
          <Form view={view} action="add" label={t.add}>
            <TextField view={view} name="name" label={t.name} required max={64} />
            <TextField
              view={view}
              name="password"
              type="password"
              label={t.password}
              required
              max={512}
              hint={t.passwordHint}
            />
            <RoleChoice view={view} roles={roles} value="viewer" />
            <TextField view={view} name="groups" label={t.groups} hint={t.groupsHint} max={6500} />
          </Form>
        </Panel>
      </>
    ),
  };
};

/** Adds an operator. */
export const addOperator: Action = async (view) => {
  await view.client.send("POST", "/api/v1/operators", {
    name: field(view, "name"),
    password: secret(view, "password"),
    role: field(view, "role"),
    groups: groupsOf(view),
  });
};

/** `GET /people/{id}`. */
export const operatorPage: Page = async (view) => {
  const t = textsOf(view), { common } = view.texts;
  const [operator, roles] = await Promise.all([
    view.client.get<Operator>(apiPathOf(view)),
    view.client.get<Roles>("/api/v1/roles"),
  ]);
  return {
    title: t.operator(operator.name),
    content: (
      <>
        <PeopleTabs view={view} />
        <div class="grid">
          <Panel title={common.details}>
            <Facts
              facts={[
                [t.role, t.roleNames[operator.role] ?? operator.role],
                [t.groups, operator.groups?.join(", ") ?? t.everything],
                [t.state, <State view={view} disabled={operator.disabled} />],
                [t.signedInAt, <Time at={operator.signedInAt} view={view} />],
                [common.created, <Time at={operator.createdAt} view={view} />],
                [common.by, operator.createdBy],
              ]}
            />
          </Panel>
          <Panel title={common.change}>
            <Form view={view} action="change" label={common.save}>
              <RoleChoice view={view} roles={roles} value={operator.role} />
              <TextField
                view={view}
                name="groups"
                label={t.groups}
                value={operator.groups?.join(", ") ?? ""}
                hint={t.groupsHint}
                max={6500}
              />
              <TextField
                view={view}
                name="password"
                type="password"
                label={t.newPassword}
                hint={t.keepPassword}
                max={512}
              />
              <Check name="disabled" label={t.disable} checked={operator.disabled} />
            </Form>
            <Act view={view} action="remove" label={t.remove} tone="danger" confirm={common.sure} />
          </Panel>
        </div>
      </>
    ),
  };
};

/** What the forms of an operator's page do. */
export const operatorActions: Readonly<Record<string, Action>> = {
  async change(view) {
    await view.client.send("PATCH", apiPathOf(view), {
      role: optional(view, "role"),
      groups: groupsOf(view),
      disabled: ticked(view, "disabled"),
      password: secret(view, "password") || undefined,
    });
  },
  async remove(view) {
    await view.client.send("DELETE", apiPathOf(view));
    return "/people?done=1";
  },
};

/** `GET /people/roles`. */
export const rolesPage: Page = async (view) => {
  const t = textsOf(view), { roles, permissions } = await view.client.get<Roles>("/api/v1/roles");
  return {
    title: t.roles,
    content: (
      <>
        <PeopleTabs view={view} />
        <Panel>
          <Table
            label={t.roles}
            head={[t.permission, t.lets, ...roles.map(({ name }) => t.roleNames[name] ?? name)]}
            empty=""
            rows={permissions.map(({ name, lets }) => [
              <span class="mono">{name}</span>,
              <span lang="en">{lets}</span>,
              ...roles.map((role) =>
                role.permissions.includes(name) ? <span class="good">{view.texts.common.yes}</span> : ""
              ),
            ])}
          />
        </Panel>
      </>
    ),
  };
};

function State({ view, disabled }: { readonly view: View; readonly disabled: boolean }) {
  const t = textsOf(view);
  return <Badge tone={disabled ? "bad" : "good"}>{disabled ? t.disabled : t.active}</Badge>;
}

function RoleChoice(
  { view, roles, value }: { readonly view: View; readonly roles: Roles; readonly value: string },
) {
  const t = textsOf(view);
  return (
    <Choice
      view={view}
      name="role"
      label={t.role}
      value={value}
      options={roles.roles.map(({ name }) => [name, t.roleNames[name] ?? name] as const)}
    />
  );
}

/** Passwords are taken as they are typed, spaces included. */
export function secret(view: View, name: string): string {
  const value = view.form[name];
  return typeof value === "string" ? value : "";
}

function apiPathOf(view: View): string {
  return `/api/v1/operators/${encodeURIComponent(view.params["id"]!)}`;
}
