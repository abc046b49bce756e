/**
 * The pages about webhooks.
 *
 * @module
 */
import { pageAt, type PageRoute } from "../../view.ts";
import { webhookActions, webhookPage } from "./detail.tsx";
import { addWebhook, webhooksPage } from "./list.tsx";

/** By path. */
export const WEBHOOK_PAGES: readonly PageRoute[] = [
  ...pageAt("/webhooks", webhooksPage, { add: addWebhook }),
  ...pageAt("/webhooks/:id", webhookPage, webhookActions),
];
