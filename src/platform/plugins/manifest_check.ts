/**
 * What the repository asks of a manifest: enough to list, offer and install it. The gateway that runs the plug-in
 * checks the rest, since only it knows its capabilities and limits.
 *
 * @module
 */
import * as v from "valibot";
import { isVersion } from "../../protocol/smart_gateway/mod.ts";

const name = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$/, "letters, digits, '.', '_', '-', up to 100"),
);
const schema = v.looseObject({
  name,
  version: v.pipe(v.string(), v.check(isVersion, 'dotted decimal, such as "1.0"')),
  apiVersion: v.pipe(v.string(), v.isoDate("a date, such as 2026-11-01")),
  commands: v.record(
    v.pipe(v.string(), v.maxLength(64)),
    v.looseObject({ right: v.picklist(["local", "remote", "both", "none"], "local, remote, both or none") }),
  ),
  capabilities: v.optional(v.array(v.pipe(v.string(), v.maxLength(100)))),
});

/** Every fault of a manifest with its path; none where it is good. */
export function manifestFaults(manifest: Record<string, unknown>): string[] {
  const { issues } = v.safeParse(schema, manifest);
  return (issues ?? []).map((issue) =>
    `manifest${issue.path ? "." + v.getDotPath(issue) : ""}: ${issue.message}`
  );
}
