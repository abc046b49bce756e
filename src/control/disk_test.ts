import { assertEquals } from "@std/assert";
import { createLog, FakeClock, Metrics, seededRandom } from "../base/mod.ts";
import { Api } from "./mod.ts";

Deno.test("a disk that has no room is a 503 with its own code, also as the cause of another error, and the log has it", async () => {
  const lines: string[] = [], clock = new FakeClock();
  const log = createLog({ level: "error", format: "json", clock, write: (line) => lines.push(line) });
  const api = new Api({ clock, random: seededRandom(1), log, metrics: new Metrics() }, {
    title: "Test",
    version: "1",
    authenticators: [],
  });
  const thrown = (code: string) => Object.assign(new Error("writefile '/var/lib/x': os error"), { code });
  const errors: Record<string, [Error, number, string, string | null]> = {
    "/full": [thrown("ENOSPC"), 503, "disk_full", "30"],
    "/quota": [new Error("could not apply", { cause: thrown("EDQUOT") }), 503, "disk_full", "30"],
    "/read-only": [thrown("EROFS"), 503, "disk_unavailable", "30"],
    "/other": [thrown("ENOENT"), 500, "internal", null],
  };
  for (const [path, [error]] of Object.entries(errors)) {
    api.route({
      method: "POST",
      path,
      summary: "Writes",
      auth: "public",
      responses: { 204: { description: "Done" } },
    })
      .handle(() => Promise.reject(error));
  }
  for (const [path, [, status, code, retry]] of Object.entries(errors)) {
    const response = await api.request(path, { method: "POST" });
    const body = await response.json();
    assertEquals(
      [response.status, body.code, response.headers.get("retry-after")],
      [status, code, retry],
      path,
    );
    assertEquals(body.detail.includes("/var/lib"), false, "where the files lie is for the log alone");
  }
  assertEquals(lines.length, 4);
});
