import { assertEquals, assertRejects } from "@std/assert";
import { FakeClock, Metrics, seededRandom, silentLog } from "../../base/mod.ts";
import { ProblemError } from "../../control/mod.ts";
import { testDatabase } from "../../storage/testing.ts";
import { Passwords } from "../credentials/mod.ts";
import { AuditLog } from "./audit.ts";
import { peopleMigrations, type PeopleTables } from "./mod.ts";
import { OperatorSessions, OperatorStore } from "./operators.ts";
import { SignIn } from "./session_routes.ts";

Deno.test("an operator who signs in with a password that is being changed is not let in", async () => {
  await using db = await testDatabase<PeopleTables>(peopleMigrations);
  const deps = { clock: new FakeClock(), random: seededRandom(1), log: silentLog, metrics: new Metrics() };
  const operators = new OperatorStore(db.sql, deps.clock), passwords = new Passwords({ n: 16, r: 1, p: 1 });
  const sessions = new OperatorSessions(db.sql, deps, 3_600_000);
  const old = "correct horse battery", fresh = await passwords.hash("another fine one");
  const { id } = (await operators.create({
    ...{ name: "li", role: "viewer", groups: null, created_by: "admin" },
    password: await passwords.hash(old),
  }))!;
  const verify = passwords.verify.bind(passwords);
  passwords.verify = async (...given) => {
    const good = await verify(...given);
    await operators.update(id, { password: fresh });
    await sessions.revokeAll(id);
    return good;
  };
  const audit = new AuditLog(db.sql, deps.clock);
  const signIn = new SignIn(deps, { operators, sessions, passwords, audit });
  const from = { address: "10.0.0.1", requestId: "r" };
  const error = await assertRejects(() => signIn.enter({ name: "li", password: old }, from), ProblemError);
  assertEquals([error.status, error.code], [401, "wrong_credentials"]);
  assertEquals(await db.sql.selectFrom("operator_session").selectAll().execute(), []);
});
