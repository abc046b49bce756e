import { assert, assertEquals } from "@std/assert";
import { GatehouseError } from "../base/mod.ts";
import { NetError } from "../net/mod.ts";
import { StartError, UsageError } from "./errors.ts";
import { explainStart } from "./start_errors.ts";

const LISTEN = new Map([
  ["http", { host: "0.0.0.0", port: 8080 }],
  ["access", { host: "0.0.0.0", port: 12113 }],
]);

function explained(error: unknown): string {
  const result = explainStart(error, LISTEN);
  if (!(result instanceof StartError)) throw new Error("not explained");
  assertEquals(result.cause, error);
  return result.message;
}

Deno.test("a port that can't be had is told by the flag that names it", () => {
  const taken = new NetError("address_in_use", 'listen on udp "0.0.0.0:12113": Address already in use');
  assertEquals(
    explained(taken),
    "--access 0.0.0.0:12113 is in use by another program: stop that one, or name another port",
  );
  assert(explained(new Deno.errors.AddrInUse("in use")).startsWith("--http 0.0.0.0:8080 is in use"));
  assert(explained(new Deno.errors.AddrNotAvailable("x")).includes("is not an address of this machine"));
  assert(
    explained(new Deno.errors.PermissionDenied("Permission denied (os error 13)")).includes("above 1023"),
  );
});

Deno.test("an error of a known kind keeps its words and names the setting", () => {
  assertEquals(
    explained(new GatehouseError("bad_admin_token", "the token is not fit")),
    "the token is not fit (GATEHOUSE_ADMIN_TOKEN)",
  );
  assertEquals(explained(new GatehouseError("other", "something")), "something");
});

Deno.test("a wrong setting that shows late is still a wrong setting", () => {
  const wrong = new UsageError("--tls-cert needs --tls-key");
  assertEquals(explainStart(wrong, LISTEN), wrong);
});

Deno.test("an error of no known kind is passed on as it is", () => {
  for (const error of [new TypeError("a bug"), new Deno.errors.PermissionDenied("x: open '/y'")]) {
    assertEquals(explainStart(error, LISTEN), error);
  }
});
