/**
 * Groups of gateways, and tags for many at once.
 *
 * @module
 */
import {
  Act,
  Badge,
  Facts,
  Form,
  numberText,
  Pages,
  Panel,
  Submit,
  Table,
  TextArea,
  TextField,
  Time,
} from "../../parts/mod.ts";
import { type Action, field, listOf, optional, type Page, type View, words } from "../../view.ts";
import { FleetTabs, textsOf } from "./frame.tsx";

interface Group {
  readonly name: string;
  readonly description: string;
  readonly filter: string | null;
  readonly gateways: number;
  readonly createdAt: string;
  readonly createdBy: string;
}

const mayChange = (view: View) => view.may("gateways:write") && view.me.groups === null;

/** `GET /groups`. */
export const groupsPage: Page = async (view) => {
  const t = textsOf(view), { common } = view.texts;
  const page = await listOf<Group>(view, "/api/v1/groups");
  return {
    title: t.groups,
    content: (
      <>
        <FleetTabs view={view} />
        <Panel>
          <Table
            label={t.groups}
            head={[t.groupName, t.kind, t.gateways, t.description, common.created, common.by]}
            numbers={[2]}
            empty={common.none}
            rows={page.items.map((group) => [
              <a href={`/groups/${encodeURIComponent(group.name)}`}>{group.name}</a>,
              <Kind view={view} filter={group.filter} />,
              numberText(group.gateways, view),
              group.description,
              <Time at={group.createdAt} view={view} />,
              group.createdBy,
            ])}
          />
          <Pages view={view} next={page.next} />
        </Panel>
        <div class="grid">
          {mayChange(view) && (
            <Panel title={t.makeGroup}>
              <Form view={view} action="make" label={t.makeGroup}>
                <TextField view={view} name="name" label={t.groupName} required max={64} />
                <TextField view={view} name="description" label={t.description} />
                <TextField
                  view={view}
                  name="filter"
                  label={t.filter}
                  max={2000}
                  hint={t.groupFilterHint}
                />
              </Form>
            </Panel>
          )}
          {view.may("gateways:write") && (
            <Panel title={t.bulkTags}>
              <Form view={view} action="tags" label={t.change} confirm={common.sure}>
                <TextField
                  view={view}
                  name="filter"
                  label={t.filter}
                  required
                  max={2000}
                  hint={t.filterHint}
                />
                <TextField view={view} name="add" label={t.addTags} hint={t.tagsHint} />
                <TextField view={view} name="remove" label={t.takeTags} hint={t.tagsHint} />
              </Form>
            </Panel>
          )}
        </div>
      </>
    ),
  };
};

/** What the forms of the groups' page do. */
export const groupsActions: Readonly<Record<string, Action>> = {
  async make(view) {
    const name = field(view, "name");
    await view.client.send("POST", "/api/v1/groups", {
      name,
      description: field(view, "description"),
      filter: optional(view, "filter") ?? null,
    });
    return `/groups/${encodeURIComponent(name)}?done=1`;
  },
  async tags(view) {
    await view.client.send("POST", "/api/v1/tags", {
      filter: field(view, "filter"),
      add: words(view, "add"),
      remove: words(view, "remove"),
    });
  },
};

/** `GET /groups/{name}`. */
export const groupPage: Page = async (view) => {
  const t = textsOf(view), { common } = view.texts;
  const group = await view.client.get<Group>(apiPathOf(view));
  return {
    title: t.groupTitle(group.name),
    content: (
      <>
        <FleetTabs view={view} />
        <div class="grid">
          <Panel title={common.details}>
            <Facts
              facts={[
                [t.kind, <Kind view={view} filter={group.filter} />],
                [t.filter, group.filter === null ? null : <code>{group.filter}</code>],
                [t.gateways, numberText(group.gateways, view)],
                [t.description, group.description],
                [common.created, <Time at={group.createdAt} view={view} />],
                [common.by, group.createdBy],
              ]}
            />
            <p>
              <a href={`/gateways?group=${encodeURIComponent(group.name)}`}>{t.showMembers}</a>
            </p>
          </Panel>
          {mayChange(view) && (
            <Panel title={t.edit}>
              <Form view={view} action="change" label={common.save}>
                <TextField view={view} name="description" label={t.description} value={group.description} />
                {group.filter !== null && (
                  <TextField
                    view={view}
                    name="filter"
                    label={t.filter}
                    value={group.filter}
                    required
                    max={2000}
                    hint={t.filterHint}
                  />
                )}
              </Form>
              <Act
                view={view}
                action="remove"
                label={t.removeGroup}
                tone="danger"
                confirm={t.removeGroupAsk}
              />
            </Panel>
          )}
          {mayChange(view) && group.filter === null && (
            <Panel title={t.members}>
              <Form view={view}>
                <TextArea view={view} name="macs" label={t.macs} required />
                <div class="actions">
                  <Submit action="putIn" label={t.putIn} />
                  <Submit action="takeOut" label={t.takeOut} tone="quiet" />
                </div>
              </Form>
            </Panel>
          )}
        </div>
      </>
    ),
  };
};

/** What the forms of a group's page do. */
export const groupActions: Readonly<Record<string, Action>> = {
  async change(view) {
    await view.client.send("PATCH", apiPathOf(view), {
      description: field(view, "description"),
      filter: optional(view, "filter"),
    });
  },
  async remove(view) {
    await view.client.send("DELETE", apiPathOf(view));
    return "/groups?done=1";
  },
  async putIn(view) {
    await view.client.send("POST", `${apiPathOf(view)}/members`, { add: words(view, "macs") });
  },
  async takeOut(view) {
    await view.client.send("POST", `${apiPathOf(view)}/members`, { remove: words(view, "macs") });
  },
};

function Kind({ view, filter }: { readonly view: View; readonly filter: string | null }) {
  const t = textsOf(view);
  return <Badge tone={filter === null ? "soft" : "good"}>{filter === null ? t.static : t.dynamic}</Badge>;
}

function apiPathOf(view: View): string {
  return `/api/v1/groups/${encodeURIComponent(view.params["name"]!)}`;
}
