/**
 * What the platform's parts do on the embedded database they do on PostgreSQL: their own tests, once more.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { dropDatabases, makeDatabase } from "../storage/testing.ts";

const prefix = `gatehouse_test_${crypto.randomUUID().slice(0, 8)}_`;
const there = await makeDatabase(`${prefix}there`).then(
  () => dropDatabases(prefix).then(() => true),
  () => false,
);

/** All that keep anything; of short messages those that look at rows: their flows run in `tests/postgres_test.ts`. */
const PARTS = [
  ...[
    "access",
    "alarms",
    "app",
    "commands",
    "distribution",
    "fleet",
    "people",
    "push",
    "registry",
    "rollouts",
  ],
  ...["webhooks", "sms/store_test.ts", "sms/received_test.ts", "sms/dispatcher_test.ts"],
];

Deno.test({
  name: `the parts of the platform hold on PostgreSQL too${
    there ? "" : " (ignored: no PostgreSQL on 127.0.0.1:5432)"
  }`,
  ignore: !there,
  async fn() {
    try {
      const { code, stdout } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["test", "--quiet", "--no-prompt", "--no-check"],
          ...["--allow-net", "--allow-read", "--allow-write", "--allow-env", "--allow-sys", "--allow-run"],
          ...PARTS.map((part) => new URL(part, import.meta.url).pathname),
        ],
        env: { GATEHOUSE_TEST_POSTGRES: prefix, NO_COLOR: "1" },
        stderr: "inherit",
      }).output();
      assertEquals(code, 0, new TextDecoder().decode(stdout));
    } finally {
      await dropDatabases(prefix);
    }
  },
});
