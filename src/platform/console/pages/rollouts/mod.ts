/**
 * The pages about rollouts.
 *
 * @module
 */
import { pageAt, type PageRoute } from "../../view.ts";
import { rolloutActions, rolloutPage } from "./detail.tsx";
import { rolloutsPage, stopAll } from "./list.tsx";
import { countPage, newRolloutActions, newRolloutPage } from "./make.tsx";

/** By path. */
export const ROLLOUT_PAGES: readonly PageRoute[] = [
  ...pageAt("/rollouts", rolloutsPage, { stop: stopAll }),
  ...pageAt("/rollouts/new", newRolloutPage, newRolloutActions),
  ...pageAt("/rollouts/count", countPage),
  ...pageAt("/rollouts/:id", rolloutPage, rolloutActions),
];
