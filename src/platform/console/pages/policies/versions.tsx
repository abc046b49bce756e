/**
 * Every policy that was ever in force.
 *
 * @module
 */
import type { Policy } from "../../../distribution/mod.ts";
import { Act, Json, Pages, Panel, Time } from "../../parts/mod.ts";
import { policies } from "../../texts/mod.ts";
import { type Action, field, listOf, type Page, query } from "../../view.ts";
import { PolicyTabs, RuleTable } from "./policy.tsx";

interface Version {
  readonly version: number;
  readonly note: string;
  readonly madeAt: string;
  readonly madeBy: string;
  readonly policy: Policy;
}

/** `GET /policies/versions`. */
export const versionsPage: Page = async (view) => {
  const t = policies[view.language], cursor = query(view, "cursor");
  const page = await listOf<Version>(view, "/api/v1/distribution/policy/versions");
  return {
    title: t.versions,
    content: (
      <>
        <PolicyTabs view={view} />
        {page.items.length === 0 && <p class="soft">{view.texts.common.none}</p>}
        {page.items.map(({ version, note, madeAt, madeBy, policy }, i) => (
          <Panel title={`${t.version} ${version}`}>
            <p>
              <Time at={madeAt} view={view} />
              {` · ${madeBy}${note === "" ? "" : ` · ${note}`}`}
            </p>
            <RuleTable view={view} policy={policy} />
            <details>
              <summary>{`JSON ${version}`}</summary>
              <Json value={policy} />
            </details>
            {view.may("policies:write") && (i > 0 || cursor !== "") && (
              <Act
                view={view}
                action="restore"
                label={t.restore}
                confirm={t.restoreAsk}
                fields={{ version: String(version) }}
                about={String(version)}
              />
            )}
          </Panel>
        ))}
        <Pages view={view} next={page.next} />
      </>
    ),
  };
};

/** Puts an earlier policy into force again. */
export const restore: Action = async (view) => {
  const version = encodeURIComponent(field(view, "version"));
  await view.client.send("POST", `/api/v1/distribution/policy/versions/${version}/restore`);
};
