/**
 * The pages about the distribution policy.
 *
 * @module
 */
import { pageAt, type PageRoute } from "../../view.ts";
import { editPolicyPage, policyActions } from "./editor.tsx";
import { drain, policyPage } from "./policy.tsx";
import { restore, versionsPage } from "./versions.tsx";

/** By path. */
export const POLICY_PAGES: readonly PageRoute[] = [
  ...pageAt("/policies", policyPage, { drain }),
  ...pageAt("/policies/edit", editPolicyPage, policyActions),
  ...pageAt("/policies/versions", versionsPage, { restore }),
];
