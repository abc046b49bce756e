/**
 * The editor of the distribution policy: a form for each rule, or the JSON for those who know it. What is not in force
 * yet lives in the form alone.
 *
 * @module
 */
import * as v from "valibot";
import { type Policy, PolicySchema } from "../../../distribution/mod.ts";
import { faultOf } from "../../../../base/mod.ts";
import { ApiProblem } from "../../client.ts";
import { Form, numberText, Panel, Submit, TextArea, TextField } from "../../parts/mod.ts";
import { policies } from "../../texts/mod.ts";
import { type Action, field, mustMay, type Page, query, shown, type View } from "../../view.ts";
import {
  type Draft,
  draftFrom,
  draftOf,
  type DraftRule,
  EDITS,
  fits,
  MATCHES,
  MAX_RULES,
  MAX_TARGETS,
  ruleField,
  rulesOf,
} from "./draft.ts";
import { type DryRun, Flows, POLICY, PolicyTabs } from "./policy.tsx";

const EDIT = "/policies/edit";

/** `GET /policies/edit`; `?as=json`: the JSON. After a form was refused: what was typed. */
export const editPolicyPage: Page = (view) => editor(view);

/** What the editor's buttons do. Those that change the draft alone answer with the next form. */
export const policyActions: Readonly<Record<string, Action>> = {
  async dryRun(view) {
    const run = await view.client.send<DryRun>("POST", "/api/v1/distribution/dry-run", sentOf(view));
    return editor(view, {}, run);
  },
  async put(view) {
    const note = encodeURIComponent(field(view, "note"));
    // Whoever was quicker is not undone unseen: the editor began with this version.
    await view.client.raw(`${POLICY}?note=${note}`, {
      method: "PUT",
      headers: { "content-type": "application/json", "if-match": field(view, "version") },
      body: JSON.stringify(sentOf(view)),
    });
    return "/policies?done=1";
  },
  /** On with the draft as JSON. */
  asJson: (view) => editor(view, { json: JSON.stringify(sentOf(view), null, 2) }),
  /** On with the JSON in forms. */
  asRules(view) {
    const read = v.safeParse(PolicySchema, sentOf(view));
    if (!read.success) {
      const faults = read.issues.map((issue) => ({
        path: v.getDotPath(issue) ?? "",
        message: faultOf(issue),
      }));
      throw new ApiProblem(422, "not_a_policy", policies[view.language].notRules, "", faults);
    }
    if (!fits(read.output)) throw tooLarge(view);
    return editor(view, { draft: draftOf(read.output), script: read.output.script ?? "" });
  },
  ...Object.fromEntries(
    Object.entries(EDITS).map(([name, edit]): [string, Action] => [name, (view) => {
      const [, rule = "", target = ""] = field(view, "do").split(":");
      const draft = edit(draftFrom((name) => field(view, name)), Number(rule || -1), Number(target || -1));
      return editor(view, { draft });
    }]),
  ),
};

/** What the editor goes on with; without anything: what was sent, or else what is in force. */
interface Content {
  readonly draft?: Draft;
  readonly json?: string;
  readonly script?: string;
}

async function editor(view: View, content: Content = {}, run?: DryRun) {
  const t = policies[view.language];
  mustMay(view, "policies:write");
  const response = await view.client.raw(POLICY);
  const policy = await response.json() as Policy;
  const version = field(view, "version") || (response.headers.get("etag") ?? "");
  const sent = Object.keys(view.form).length > 0;
  const asJson = content.draft === undefined &&
    (content.json !== undefined ||
      (sent ? "policy" in view.form : query(view, "as") === "json" || !fits(policy)));
  const draft = content.draft ?? (sent ? draftFrom((name) => field(view, name)) : draftOf(policy));
  const script = content.script ?? (sent ? field(view, "script") : policy.script ?? "");
  const json = content.json ?? shown(view, "policy", JSON.stringify(policy, null, 2));
  return {
    title: t.edit,
    content: (
      <>
        <PolicyTabs view={view} />
        {run !== undefined && (
          <Panel title={t.result}>
            <p role="status">{t.moved(numberText(run.moved, view), numberText(run.gateways, view))}</p>
            <Flows view={view} run={run} />
          </Panel>
        )}
        <Form view={view} to={EDIT}>
          <input type="hidden" name="version" value={version} />
          {/* The first button is the one that Enter presses: it must change nothing. */}
          <div class="actions">
            <Submit action="dryRun" label={t.dryRun} tone="quiet" skipChecks />
            {asJson
              ? <Submit action="asRules" label={t.asRules} tone="quiet" skipChecks />
              : <Submit action="asJson" label={t.asJson} tone="quiet" skipChecks />}
          </div>
          {asJson
            ? (
              <Panel>
                <TextArea
                  view={{ ...view, form: {} }}
                  name="policy"
                  label={t.policy}
                  value={json}
                  hint={t.hint}
                  rows={24}
                  required
                />
              </Panel>
            )
            : (
              <>
                <Rules view={view} draft={draft} />
                <Panel>
                  <TextArea
                    view={{ ...view, form: {} }}
                    name="script"
                    label={t.script}
                    value={script}
                    hint={t.scriptHint}
                    rows={script === "" ? 3 : 16}
                  />
                </Panel>
              </>
            )}
          <Panel>
            <TextField view={view} name="note" label={t.note} max={500} />
            <div class="actions">
              <Submit action="put" label={t.put} confirm={t.putAsk} />
            </div>
          </Panel>
        </Form>
      </>
    ),
  };
}

function Rules({ view, draft }: { readonly view: View; readonly draft: Draft }) {
  const t = policies[view.language];
  return (
    <>
      <input type="hidden" name="rules" value={String(draft.length)} />
      <p class="soft">{t.rulesHint}</p>
      {draft.length === 0 && <p>{t.noRules}</p>}
      {draft.map((rule, at) => <RuleFields view={view} rule={rule} at={at} last={at === draft.length - 1} />)}
      {draft.length < MAX_RULES && (
        <div class="actions">
          <Step action="add" label={t.addRule} to={draft.length} />
        </div>
      )}
    </>
  );
}

function RuleFields(
  { view, rule, at, last }: {
    readonly view: View;
    readonly rule: DraftRule;
    readonly at: number;
    readonly last: boolean;
  },
) {
  const t = policies[view.language], about = `${t.rule} ${at + 1}`;
  // What is shown is the draft: the fields of the form that was sent may belong to another rule by now.
  const fresh = { ...view, form: {} };
  const wide = { view: fresh, max: 300 };
  return (
    <fieldset class="panel" id={`rule-${at}`}>
      <legend>{rule.name === "" ? about : `${about}: ${rule.name}`}</legend>
      <TextField
        {...wide}
        name={ruleField(at, "name")}
        label={t.ruleName}
        value={rule.name}
        max={64}
        required
      />
      <fieldset>
        <legend>{t.match}</legend>
        <div class="row">
          {MATCHES.map((key) => (
            <TextField {...wide} name={ruleField(at, key)} label={t.matches[key]} value={rule.match[key]} />
          ))}
        </div>
      </fieldset>
      <fieldset>
        <legend>{t.targets}</legend>
        <input type="hidden" name={ruleField(at, "targets")} value={String(rule.targets.length)} />
        {rule.targets.map(({ address, weight }, target) => (
          <div class="row">
            <TextField
              {...wide}
              name={ruleField(at, "address", target)}
              label={`${t.address} ${target + 1}`}
              value={address}
            />
            <TextField
              {...wide}
              name={ruleField(at, "weight", target)}
              label={`${t.weight} ${target + 1}`}
              value={weight}
            />
            <Step
              action={`removeTarget:${at}:${target}`}
              label={view.texts.common.remove}
              about={`${about}, ${t.address} ${target + 1}`}
              to={at}
            />
          </div>
        ))}
        {rule.targets.length < MAX_TARGETS && (
          <div class="actions">
            <Step action={`addTarget:${at}`} label={t.addTarget} about={about} to={at} />
          </div>
        )}
        <TextField
          {...wide}
          name={ruleField(at, "redirect")}
          label={t.redirectField}
          value={rule.redirect}
          hint={t.redirectHint}
        />
      </fieldset>
      <div class="actions">
        {at > 0 && <Step action={`up:${at}`} label={t.up} about={about} to={at - 1} />}
        {!last && <Step action={`down:${at}`} label={t.down} about={about} to={at + 1} />}
        <Step
          action={`remove:${at}`}
          label={t.removeRule}
          about={about}
          to={Math.max(0, at - 1)}
          tone="danger"
        />
      </div>
    </fieldset>
  );
}

/** A button that changes the draft, and leads to where it did. */
function Step(
  { action, label, about, to, tone = "quiet" }: {
    readonly action: string;
    readonly label: string;
    readonly about?: string;
    readonly to: number;
    readonly tone?: "quiet" | "danger";
  },
) {
  return (
    <button
      type="submit"
      name="do"
      value={action}
      class={tone}
      formaction={`${EDIT}#rule-${to}`}
      formnovalidate
      aria-label={about === undefined ? undefined : `${label}: ${about}`}
    >
      {label}
    </button>
  );
}

/** The policy that the form holds, right or wrong. @throws {ApiProblem} where it is not JSON */
function sentOf(view: View): unknown {
  if (!("policy" in view.form)) {
    const script = field(view, "script");
    return { rules: rulesOf(draftFrom((name) => field(view, name))), ...(script === "" ? {} : { script }) };
  }
  try {
    return JSON.parse(field(view, "policy"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ApiProblem(422, "not_json", policies[view.language].notJson(why), "");
  }
}

function tooLarge(view: View): ApiProblem {
  return new ApiProblem(422, "too_large", policies[view.language].tooLarge(MAX_RULES, MAX_TARGETS), "");
}
