/**
 * The distribution policy: what is in force, trying another, putting it into force.
 *
 * @module
 */
import type { Policy } from "../../../distribution/mod.ts";
import { Bars, Choice, Form, numberText, Panel, Table, Tabs, TextField } from "../../parts/mod.ts";
import { policies } from "../../texts/mod.ts";
import { type Action, field, type Page, query, type View } from "../../view.ts";

/** The policy in the API. */
export const POLICY = "/api/v1/distribution/policy";

/** What a dry run says. */
export interface DryRun {
  readonly gateways: number;
  readonly moved: number;
  readonly flows: readonly {
    readonly rule: string | null;
    readonly to: string | null;
    readonly gateways: number;
  }[];
}

/** `GET /policies`. */
export const policyPage: Page = async (view) => {
  const t = policies[view.language];
  const [policy, flows] = await Promise.all([
    view.client.get<Policy>(POLICY),
    // Goes over the whole fleet: only where somebody asks.
    query(view, "flows") === ""
      ? undefined
      : view.client.send<DryRun>("POST", "/api/v1/distribution/dry-run"),
  ]);
  const addresses = [
    ...new Set(policy.rules.flatMap(({ targets }) => targets.map(({ address }) => address))),
  ];
  const preview = await previewOf(view);
  return {
    title: t.title,
    content: (
      <>
        <PolicyTabs view={view} />
        <Panel title={t.rules}>
          <RuleTable view={view} policy={policy} />
          {policy.script !== undefined && (
            <details>
              <summary>{t.script}</summary>
              <pre tabindex={0}>{policy.script}</pre>
            </details>
          )}
        </Panel>
        <Panel title={t.goes}>
          {flows === undefined
            ? <a class="button quiet" href="/policies?flows=1">{t.dryRun}</a>
            : <Flows view={view} run={flows} />}
        </Panel>
        <div class="grid">
          {view.may("policies:write") && addresses.length > 0 && (
            <Panel title={t.drain}>
              <p class="soft">{t.drainHint}</p>
              <Form view={view} action="drain" label={t.drain} tone="danger" confirm={t.drainAsk}>
                <Choice
                  view={view}
                  name="address"
                  label={t.address}
                  options={addresses.map((address) => [address, address] as const)}
                />
              </Form>
            </Panel>
          )}
          <Panel title={t.preview}>
            <form class="stack" method="get" action="/policies">
              <TextField
                view={view}
                name="mac"
                label={view.texts.gateways.mac}
                value={query(view, "mac")}
                required
                pattern="[0-9A-Fa-f:\-]{12,17}"
              />
              {(["vendor", "model", "firmware", "region"] as const).map((name) => (
                <TextField
                  view={view}
                  name={name}
                  label={view.texts.gateways[name]}
                  value={query(view, name)}
                />
              ))}
              <div class="actions">
                <button type="submit">{t.ask}</button>
              </div>
            </form>
            {preview !== undefined && <p role="status">{preview}</p>}
          </Panel>
        </div>
      </>
    ),
  };
};

/** Sends nobody to an address any more. */
export const drain: Action = async (view) => {
  await view.client.send("POST", "/api/v1/distribution/drain", { address: field(view, "address") });
};

/** The way among these pages. */
export function PolicyTabs({ view }: { readonly view: View }) {
  const t = policies[view.language];
  return (
    <Tabs
      view={view}
      tabs={[
        ["/policies", t.inForce],
        view.may("policies:write") && ["/policies/edit", t.edit],
        ["/policies/versions", t.versions],
      ]}
    />
  );
}

/** A policy's rules, a line each. */
export function RuleTable({ view, policy }: { readonly view: View; readonly policy: Policy }) {
  const t = policies[view.language];
  return (
    <Table
      label={t.rules}
      head={[t.rule, t.match, t.goes]}
      empty={t.noRules}
      rows={policy.rules.map(({ name, match, targets, redirect }) => [
        name,
        Object.entries(match).map(([key, value]) => `${key} = ${value}`).join(" · ") || t.everywhere,
        redirect === undefined
          ? targets.map(({ address, weight }) => <div class="mono">{`${address} × ${weight}`}</div>)
          : t.redirect(redirect),
      ])}
    />
  );
}

/** How many gateways go where. */
export function Flows({ view, run }: { readonly view: View; readonly run: DryRun }) {
  const t = policies[view.language];
  if (run.flows.length === 0) return <p class="soft">{view.texts.common.none}</p>;
  return (
    <Bars
      rows={run.flows.map(({ rule, to, gateways }) => ({
        label: t.flow(ruleName(view, rule), to ?? t.nowhere),
        value: numberText(gateways, view),
        fill: run.gateways === 0 ? 0 : gateways / run.gateways,
      }))}
    />
  );
}

function ruleName(view: View, rule: string | null): string {
  const t = policies[view.language];
  return rule === null ? t.noRule : rule === "pinned" ? t.pinned : rule;
}

async function previewOf(view: View): Promise<string | undefined> {
  const t = policies[view.language], mac = query(view, "mac");
  if (mac === "") return undefined;
  const { rule, operations, redirect } = await view.client.get<
    { rule: string | null; operations: string | null; redirect: string | null }
  >("/api/v1/distribution/preview", {
    mac: mac.replace(/[^0-9A-Fa-f]/g, "").toUpperCase(),
    vendor: query(view, "vendor"),
    model: query(view, "model"),
    firmware: query(view, "firmware"),
    region: query(view, "region"),
  });
  return t.goesTo(operations ?? (redirect === null ? t.nowhere : t.redirect(redirect)), ruleName(view, rule));
}
