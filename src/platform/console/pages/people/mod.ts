/**
 * The pages about people, the audit, one's own password, and the platform itself.
 *
 * @module
 */
import { pageAt, type PageRoute } from "../../view.ts";
import { aboutPage } from "./about.tsx";
import { accountPage, changePassword } from "./account.tsx";
import { auditPage, exportAudit, verifyAudit } from "./audit.tsx";
import { backupActions, backupFile, backupsPage } from "./backups.tsx";
import { keyActions, keysPage } from "./keys.tsx";
import { addOperator, operatorActions, operatorPage, operatorsPage, rolesPage } from "./operators.tsx";

/** By path. */
export const PEOPLE_PAGES: readonly PageRoute[] = [
  ...pageAt("/people", operatorsPage, { add: addOperator }),
  ...pageAt("/people/keys", keysPage, keyActions),
  ...pageAt("/people/roles", rolesPage),
  ...pageAt("/people/:id", operatorPage, operatorActions),
  ...pageAt("/audit", auditPage, { verify: verifyAudit }),
  ...pageAt("/audit/export", exportAudit),
  ...pageAt("/account", accountPage, { change: changePassword }),
  ...pageAt("/about", aboutPage),
  ...pageAt("/about/backups", backupsPage, backupActions),
  ...pageAt("/about/backups/:id", backupFile),
];
