/**
 * The pages about short messages.
 *
 * @module
 */
import { pageAt, type PageRoute } from "../../view.ts";
import { accountActions, accountPage, accountsPage, addAccount } from "./accounts.tsx";
import { connectionsPage, endConnection } from "./connections.tsx";
import { messagePage, messagesPage, searchMessages } from "./messages.tsx";
import { nameServerActions, nameServerPage } from "./name_server.tsx";
import { peerActions, peersPage } from "./peers.tsx";
import { routeActions, routesPage } from "./routes.tsx";
import { simulatorActions } from "./simulator.tsx";
import { alarmsPage, statusPage } from "./status.tsx";
import { trafficPage } from "./traffic.tsx";

/** By path. */
export const SMS_PAGES: readonly PageRoute[] = [
  ...pageAt("/sms", statusPage, simulatorActions),
  ...pageAt("/sms/traffic", trafficPage),
  ...pageAt("/sms/messages", messagesPage, { search: searchMessages }),
  ...pageAt("/sms/messages/:msgId", messagePage),
  ...pageAt("/sms/accounts", accountsPage, { add: addAccount }),
  ...pageAt("/sms/accounts/:spId", accountPage, accountActions),
  ...pageAt("/sms/connections", connectionsPage, { end: endConnection }),
  ...pageAt("/sms/routes", routesPage, routeActions),
  ...pageAt("/sms/peers", peersPage, peerActions),
  ...pageAt("/sms/alarms", alarmsPage),
  ...pageAt("/name-server", nameServerPage, nameServerActions),
];
