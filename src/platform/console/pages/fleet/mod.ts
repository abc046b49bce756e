/**
 * The pages about gateways.
 *
 * @module
 */
import { pageAt, type PageRoute } from "../../view.ts";
import { commandActions, commandPage } from "./command.tsx";
import { commandsPage } from "./commands.tsx";
import { gatewayActions, gatewayPage, listPlugins } from "./gateway.tsx";
import { groupActions, groupPage, groupsActions, groupsPage } from "./groups.tsx";
import { historyPage, parametersPage } from "./history.tsx";
import { importActions, importPage } from "./import.tsx";
import { exportPage, gatewaysPage, restore } from "./list.tsx";
import { run, runPage } from "./run.tsx";
import { timelinePage } from "./timeline.tsx";

/** By path. */
export const FLEET_PAGES: readonly PageRoute[] = [
  ...pageAt("/gateways", gatewaysPage, { restore }),
  ...pageAt("/gateways/import", importPage, importActions),
  ...pageAt("/gateways/export", exportPage),
  ...pageAt("/gateways/:mac", gatewayPage, gatewayActions),
  ...pageAt("/gateways/:mac/run", runPage, { run }),
  ...pageAt("/gateways/:mac/history", historyPage),
  ...pageAt("/gateways/:mac/parameters", parametersPage),
  { method: "POST", path: "/gateways/:mac/plugins/list", page: listPlugins },
  ...pageAt("/groups", groupsPage, groupsActions),
  ...pageAt("/groups/:name", groupPage, groupActions),
  ...pageAt("/gateways/:mac/timeline", timelinePage),
  ...pageAt("/commands", commandsPage),
  ...pageAt("/commands/:id", commandPage, commandActions),
];
