/**
 * The rules that raise alarms.
 *
 * @module
 */
import { ApiProblem } from "../../client.ts";
import {
  Act,
  Badge,
  Check,
  Choice,
  Form,
  numberText,
  Panel,
  Table,
  TextField,
  Time,
} from "../../parts/mod.ts";
import { type Action, field, mustMay, numeric, optional, type Page, ticked, type View } from "../../view.ts";
import { AlarmTabs, mayChangeRules, SEVERITIES, Severity, textsOf } from "./frame.tsx";

interface Rule {
  readonly id: string;
  readonly kind: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly severity: string;
  readonly raiseAt: number;
  readonly clearBelow: number;
  readonly holdSeconds: number;
  readonly least: number;
  readonly group: string | null;
  readonly updatedAt: string;
  readonly updatedBy: string;
}

/** What a new rule's form begins with. */
const FIRST: Rule = {
  ...{ id: "", kind: "offline_share", description: "", enabled: true, severity: "warning" },
  ...{ raiseAt: 20, clearBelow: 10, holdSeconds: 120, least: 20, group: null, updatedAt: "", updatedBy: "" },
};

/** `GET /alarms/rules`. */
export const rulesPage: Page = async (view) => {
  const t = textsOf(view), { common } = view.texts, may = mayChangeRules(view);
  const { items } = await view.client.get<{ items: Rule[] }>("/api/v1/alarm-rules");
  return {
    title: t.rules,
    content: (
      <>
        <AlarmTabs view={view} />
        <Panel>
          <Table
            label={t.rules}
            head={[
              ...[t.id, t.description, t.kind, t.severity, t.state, t.raiseAt, t.clearBelow, t.hold],
              ...[t.group, common.updated, common.by],
            ]}
            numbers={[5, 6, 7]}
            empty={common.none}
            rows={items.map((rule) => [
              may ? <a href={pathOf(rule.id)}>{rule.id}</a> : rule.id,
              rule.updatedBy === "" ? t.firstRules[rule.id] ?? rule.description : rule.description,
              t.kinds[rule.kind] ?? rule.kind,
              <Severity view={view} severity={rule.severity} />,
              rule.enabled ? <Badge tone="good">{t.enabled}</Badge> : <Badge tone="soft">{t.off}</Badge>,
              numberText(rule.raiseAt, view, 3),
              numberText(rule.clearBelow, view, 3),
              numberText(rule.holdSeconds, view),
              rule.group ?? common.all,
              <Time at={rule.updatedBy === "" ? null : rule.updatedAt} view={view} />,
              rule.updatedBy,
            ])}
          />
        </Panel>
        {may && (
          <Panel title={t.add}>
            <Form view={view} action="make" label={t.add}>
              <TextField
                view={view}
                name="id"
                label={t.id}
                required
                pattern="[a-z0-9][a-z0-9._\-]{0,63}"
                hint={t.idHint}
              />
              <RuleFields view={view} rule={FIRST} />
            </Form>
          </Panel>
        )}
      </>
    ),
  };
};

/** `GET /alarms/rules/:id`: its form. */
export const rulePage: Page = async (view) => {
  mustMay(view, "alarms:write");
  const t = textsOf(view), rule = await ruleOf(view);
  return {
    title: t.ruleTitle(rule.id),
    content: (
      <>
        <AlarmTabs view={view} />
        <Panel>
          <Form view={view} action="save" label={view.texts.common.save}>
            <RuleFields view={view} rule={rule} />
          </Form>
        </Panel>
        <Panel>
          <Act view={view} action="remove" label={t.remove} tone="danger" confirm={t.removeAsk} />
        </Panel>
      </>
    ),
  };
};

function RuleFields({ view, rule }: { readonly view: View; readonly rule: Rule }) {
  const t = textsOf(view), sent = Object.keys(view.form).length > 0;
  return (
    <>
      <TextField view={view} name="description" label={t.description} value={rule.description} />
      <Choice view={view} name="kind" label={t.kind} value={rule.kind} options={Object.entries(t.kinds)} />
      <Choice
        view={view}
        name="severity"
        label={t.severity}
        value={rule.severity}
        options={SEVERITIES.map((one) => [one, t.severities[one]!] as const)}
      />
      <Mark view={view} name="raiseAt" label={t.raiseAt} value={rule.raiseAt} hint={t.raiseHint} />
      <Mark view={view} name="clearBelow" label={t.clearBelow} value={rule.clearBelow} hint={t.clearHint} />
      <Mark
        view={view}
        name="holdSeconds"
        label={t.hold}
        value={rule.holdSeconds}
        hint={t.holdHint}
        max={86_400}
      />
      <Mark
        view={view}
        name="least"
        label={t.least}
        value={rule.least}
        hint={t.leastHint}
        max={1e6}
        min={1}
      />
      <TextField
        view={view}
        name="group"
        label={t.group}
        value={rule.group ?? ""}
        max={64}
        hint={t.groupHint}
      />
      <Check name="enabled" label={t.enabled} checked={sent ? ticked(view, "enabled") : rule.enabled} />
    </>
  );
}

function Mark(
  { view, name, label, value, hint, max = 1e9, min = 0 }: {
    readonly view: View;
    readonly name: string;
    readonly label: string;
    readonly value: number;
    readonly hint: string;
    readonly max?: number;
    readonly min?: number;
  },
) {
  const numbers = { type: "number", required: true, min, max } as const;
  return <TextField view={view} name={name} label={label} value={String(value)} hint={hint} {...numbers} />;
}

async function ruleOf(view: View): Promise<Rule> {
  const { items } = await view.client.get<{ items: Rule[] }>("/api/v1/alarm-rules"), { id } = view.params;
  const rule = items.find((one) => one.id === id);
  if (!rule) throw new ApiProblem(404, "rule_not_found", `there is no rule "${id}"`, "");
  return rule;
}

/** Puts what the form says. */
async function put(view: View, id: string): Promise<string> {
  await view.client.send("PUT", `/api/v1/alarm-rules/${encodeURIComponent(id)}`, {
    kind: field(view, "kind"),
    description: field(view, "description"),
    enabled: ticked(view, "enabled"),
    severity: field(view, "severity"),
    raiseAt: numeric(view, "raiseAt"),
    clearBelow: numeric(view, "clearBelow"),
    holdSeconds: numeric(view, "holdSeconds"),
    least: numeric(view, "least"),
    group: optional(view, "group") ?? null,
  });
  return "/alarms/rules?done=1";
}

/** What the form of the rules' page does: a name that is taken is refused rather than written over. */
export const rulesActions: Readonly<Record<string, Action>> = {
  async make(view) {
    const id = field(view, "id");
    const { items } = await view.client.get<{ items: Rule[] }>("/api/v1/alarm-rules");
    if (items.some((rule) => rule.id === id)) {
      throw new ApiProblem(409, "rule_exists", `there is a rule "${id}" already`, "");
    }
    return await put(view, id);
  },
};

/** What the forms of a rule's page do. */
export const ruleActions: Readonly<Record<string, Action>> = {
  save: (view) => put(view, view.params["id"] ?? ""),
  async remove(view) {
    await view.client.send("DELETE", `/api/v1/alarm-rules/${encodeURIComponent(view.params["id"] ?? "")}`);
    return "/alarms/rules?done=1";
  },
};

function pathOf(id: string): string {
  return `/alarms/rules/${encodeURIComponent(id)}`;
}
