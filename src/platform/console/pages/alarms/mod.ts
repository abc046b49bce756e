/**
 * The pages about the platform's alarms.
 *
 * @module
 */
import { pageAt, type PageRoute } from "../../view.ts";
import { alarmActions, alarmsPage } from "./alarms.tsx";
import { ruleActions, rulePage, rulesActions, rulesPage } from "./rules.tsx";

/** By path. */
export const ALARM_PAGES: readonly PageRoute[] = [
  ...pageAt("/alarms", alarmsPage, alarmActions),
  ...pageAt("/alarms/rules", rulesPage, rulesActions),
  ...pageAt("/alarms/rules/:id", rulePage, ruleActions),
];
