/**
 * The pages about the phone app's users.
 *
 * @module
 */
import { pageAt, type PageRoute } from "../../view.ts";
import { userActions, userPage, usersPage } from "./users.tsx";

/** By path. */
export const USER_PAGES: readonly PageRoute[] = [
  ...pageAt("/users", usersPage),
  ...pageAt("/users/:id", userPage, userActions),
];
