/**
 * Making a rollout.
 *
 * @module
 */
import type * as v from "valibot";
import type { PluginView } from "../../../api/mod.ts";
import { ApiProblem } from "../../client.ts";
import {
  Check,
  Choice,
  Form,
  numberText,
  Panel,
  parametersOf,
  problemText,
  Submit,
  TextArea,
  TextField,
} from "../../parts/mod.ts";
import { rollouts } from "../../texts/mod.ts";
import {
  type Action,
  field,
  mustMay,
  numeric,
  optional,
  type Page,
  query,
  several,
  shown,
  ticked,
  type View,
} from "../../view.ts";
import type { Rollout } from "./list.tsx";

type Plugin = v.InferOutput<typeof PluginView>;

/** As which platform an address is given (RequestDistri): the usual one first. */
const MODES = ["1", "0"] as const;
/** Stages that the form has room for. */
const STAGES = 5;
/** What the first stages are where nobody says: a few first. */
const SUGGESTED: readonly (readonly string[])[] = [["canary", "5", "90", "10"], ["all", "95", "90", "10"]];

/** `GET /rollouts/new`. */
export const newRolloutPage: Page = async (view) => {
  const t = rollouts[view.language], { common } = view.texts;
  mustMay(view, "rollouts:write");
  const [groups, plugins, counted] = await Promise.all([
    view.client.get<{ items: { name: string }[] }>("/api/v1/groups", { limit: "200" }),
    view.may("plugins:read")
      ? view.client.get<{ items: Plugin[] }>("/api/v1/plugins", { limit: "200" })
      : { items: [] },
    countOf(view),
  ]);
  const names = [...new Set(plugins.items.map(({ name }) => name))];
  const versions = [...new Set(plugins.items.map(({ version }) => version))];
  return {
    title: t.make,
    content: (
      <Panel>
        <datalist id="plugins">{names.map((name) => <option value={name}></option>)}</datalist>
        <datalist id="versions">{versions.map((version) => <option value={version}></option>)}</datalist>
        <Form view={view}>
          <TextField view={view} name="name" label={common.name} required max={200} />
          <TextArea view={view} name="description" label={t.description} rows={2} />
          <fieldset>
            <legend>{t.action}</legend>
            <Choice view={view} name="kind" label={t.action} options={Object.entries(t.kinds)} />
            <TextField
              view={view}
              name="plugin"
              label={t.plugin}
              value={query(view, "plugin")}
              max={128}
              list="plugins"
            />
            <TextField
              view={view}
              name="version"
              label={t.version}
              value={query(view, "version")}
              max={64}
              list="versions"
            />
            <TextField view={view} name="cmdType" label={t.cmdType} max={128} />
            <TextArea view={view} name="parameter" label={t.parameter} hint={t.parameterHint} rows={4} />
            <TextField view={view} name="address" label={t.address} max={300} />
            <Choice
              view={view}
              name="mode"
              label={t.mode}
              value="1"
              options={MODES.map((mode) => [mode, t.modes[mode]!])}
            />
          </fieldset>
          <fieldset>
            <legend>{t.which}</legend>
            <TextField
              view={view}
              name="filter"
              label={t.filter}
              value={query(view, "filter")}
              max={2000}
              hint={t.filterHint}
            />
            <Choice
              view={view}
              name="group"
              label={t.group}
              value={query(view, "group")}
              options={[["", t.noGroup], ...groups.items.map(({ name }) => [name, name] as const)]}
            />
            <p>
              <output data-count="/rollouts/count" data-fields="filter group">{counted}</output>
            </p>
            <div class="actions">
              <Submit action="count" label={t.count} tone="quiet" skipChecks />
            </div>
          </fieldset>
          <Stages view={view} />
          <fieldset>
            <legend>{t.pace}</legend>
            {([["maxInFlight", t.maxInFlight, "100", 5000], ["perMinute", t.perMinute, "600", 1_000_000], [
              "timeoutHours",
              t.timeoutHours,
              "24",
              720,
            ], ["maxAttempts", t.maxAttempts, "1", 10]] as const).map(([name, label, value, max]) => (
              <TextField
                view={view}
                name={name}
                type="number"
                label={label}
                value={value}
                min={name === "timeoutHours" ? 0 : 1}
                max={max}
              />
            ))}
          </fieldset>
          <fieldset>
            <legend>{t.when}</legend>
            <TextField view={view} name="startAt" type="datetime-local" label={t.startAt} />
            <fieldset>
              <legend>{t.window}</legend>
              {t.days.map((day, i) => (
                <Check
                  name="days"
                  value={String(i + 1)}
                  label={day}
                  checked={several(view, "days").includes(String(i + 1))}
                />
              ))}
              <TextField view={view} name="from" type="time" label={t.from} />
              <TextField view={view} name="to" type="time" label={t.to} />
              <TextField
                view={view}
                name="offset"
                type="number"
                label={t.offset}
                value="480"
                min={-840}
                max={840}
              />
            </fieldset>
            <Check
              name="needsApproval"
              label={t.needsApproval}
              checked={ticked(view, "needsApproval")}
            />
          </fieldset>
          <div class="actions">
            <Submit action="make" label={t.make} />
          </div>
        </Form>
      </Panel>
    ),
  };
};

/** What the form's buttons do. */
export const newRolloutActions: Readonly<Record<string, Action>> = {
  // The same page again, with the number.
  count: (view) => Promise.resolve(newRolloutPage(view)),
  async make(view) {
    const { id } = await view.client.send<Rollout>("POST", "/api/v1/rollouts", bodyOf(view));
    return `/rollouts/${id}?done=1`;
  },
};

/** `GET /rollouts/count`: the number alone, for the page to show while somebody types. */
export const countPage: Page = async (view) => ({
  response: new Response(await countOf(view), {
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  }),
});

/** How many gateways the filter and the group find, or what is wrong with the filter. */
async function countOf(view: View): Promise<string> {
  const t = rollouts[view.language];
  const given = (name: string) => field(view, name) || query(view, name);
  try {
    const { gateways } = await view.client.get<{ gateways: number }>("/api/v1/gateways/count", {
      filter: given("filter"),
      group: given("group"),
    });
    return t.found(numberText(gateways, view));
  } catch (error) {
    if (error instanceof ApiProblem && (error.status === 400 || error.status === 422)) {
      return problemText(error, view.language);
    }
    throw error;
  }
}

function Stages({ view }: { readonly view: View }) {
  const t = rollouts[view.language];
  return (
    <fieldset>
      <legend>{t.stages}</legend>
      <p class="soft">{t.stagesHint}</p>
      <div class="scroll" tabindex={0} role="region" aria-label={t.stages}>
        <table>
          <thead>
            <tr>
              {[t.stage, view.texts.common.name, t.percent, t.success, t.errors].map((name) => (
                <th scope="col">{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {Array.from({ length: STAGES }, (_, i) => {
              const no = i + 1;
              const cell = (name: string, label: string, column: number, type: "text" | "number") => (
                <td>
                  <input
                    name={`${name}${no}`}
                    type={type}
                    aria-label={label}
                    value={shown(view, `${name}${no}`, SUGGESTED[i]?.[column])}
                    min={type === "number" ? 0 : undefined}
                    max={type === "number" ? 100 : undefined}
                    step={type === "number" ? "any" : undefined}
                    maxlength={type === "text" ? 64 : undefined}
                  />
                </td>
              );
              return (
                <tr>
                  <th scope="row">{String(no)}</th>
                  {cell("stageName", t.stageName(no), 0, "text")}
                  {cell("percent", t.percentOf(no), 1, "number")}
                  {cell("success", t.successOf(no), 2, "number")}
                  {cell("errors", t.errorsOf(no), 3, "number")}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </fieldset>
  );
}

/** The request that the form's fields make. The API says what is wrong with it. */
function bodyOf(view: View) {
  const t = rollouts[view.language];
  const kind = field(view, "kind"), plugin = field(view, "plugin");
  const parameter = parametersOf(field(view, "parameter"));
  if (!parameter) throw new ApiProblem(422, "invalid_parameter", t.badParameter, "");
  const stages = Array.from({ length: STAGES }, (_, i) => i + 1)
    .filter((no) => field(view, `percent${no}`) !== "")
    .map((no) => ({
      name: optional(view, `stageName${no}`),
      percent: numeric(view, `percent${no}`),
      successThreshold: numeric(view, `success${no}`),
      errorThreshold: numeric(view, `errors${no}`),
    }));
  const days = several(view, "days").map(Number), startAt = field(view, "startAt");
  const hours = numeric(view, "timeoutHours");
  return {
    name: field(view, "name"),
    description: field(view, "description"),
    action: kind === "redistribute"
      ? { kind, address: field(view, "address"), mode: numeric(view, "mode") }
      : actionOf(kind, plugin, field(view, "version"), field(view, "cmdType"), parameter),
    filter: optional(view, "filter"),
    group: optional(view, "group"),
    stages: stages.length === 0 ? undefined : stages,
    maxInFlight: numeric(view, "maxInFlight"),
    perMinute: numeric(view, "perMinute"),
    commandTimeoutMs: typeof hours === "number" ? Math.round(hours * 3_600_000) : hours,
    maxAttempts: numeric(view, "maxAttempts"),
    window: days.length === 0 ? undefined : {
      days,
      from: field(view, "from"),
      to: field(view, "to"),
      utcOffsetMinutes: numeric(view, "offset"),
    },
    needsApproval: ticked(view, "needsApproval"),
    startAt: startAt === "" || Number.isNaN(Date.parse(startAt))
      ? startAt || undefined
      : new Date(startAt).toISOString(),
  };
}

function actionOf(
  kind: string,
  plugin: string,
  version: string,
  cmdType: string,
  parameter: Readonly<Record<string, unknown>>,
) {
  switch (kind) {
    case "install":
      return { kind, plugin, version };
    case "configure":
      return { kind, plugin, parameter };
    case "post":
      return { kind, plugin, parameter: { ...parameter, CmdType: cmdType } };
    default:
      return { kind, plugin };
  }
}
