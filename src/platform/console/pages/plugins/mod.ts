/**
 * The pages about the plug-in repository.
 *
 * @module
 */
import { pageAt, type PageRoute } from "../../view.ts";
import { pluginsPage, upload } from "./repository.tsx";
import { trustActions, trustPage } from "./trust.tsx";
import { pluginActions, pluginPage } from "./version.tsx";

/** By path. */
export const PLUGIN_PAGES: readonly PageRoute[] = [
  ...pageAt("/plugins", pluginsPage, { upload }),
  ...pageAt("/plugins/:name/:version", pluginPage, pluginActions),
  ...pageAt("/trust", trustPage, trustActions),
];
