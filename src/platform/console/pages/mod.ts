/**
 * The pages of the console, and the menu to them.
 *
 * @module
 */
import type { MenuEntry } from "../layout.tsx";
import type { Page } from "../view.ts";
import { commandPage } from "./command.tsx";
import { gatewayPage, listPlugins, runCommand } from "./gateway.tsx";
import { gatewaysPage } from "./gateways.tsx";
import { overviewPage } from "./overview.tsx";

/** Every page by method and path. */
export const PAGES: readonly {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly page: Page;
}[] = [
  { method: "GET", path: "/", page: overviewPage },
  { method: "GET", path: "/gateways", page: gatewaysPage },
  { method: "GET", path: "/gateways/:mac", page: gatewayPage },
  { method: "POST", path: "/gateways/:mac/commands", page: runCommand },
  { method: "POST", path: "/gateways/:mac/plugins/list", page: listPlugins },
  { method: "GET", path: "/commands/:id", page: commandPage },
];

/** The main menu. */
export const MENU: readonly MenuEntry[] = [
  { path: "/", permission: "gateways:read", label: (texts) => texts.nav.overview },
  { path: "/gateways", permission: "gateways:read", label: (texts) => texts.nav.gateways },
];
