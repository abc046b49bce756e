/**
 * The diagnosis with the machine's own `ping`, to this machine.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { startFleet } from "./support/fleet.ts";

const pinged = async () =>
  await new Deno.Command("ping", { args: ["-c", "1", "127.0.0.1"], stdout: "null", stderr: "null" }).output();
const there = await pinged().then(({ success }) => success, () => false);

Deno.test({
  name: `PING_DIAG_REQ pings for real${
    there ? "" : " (ignored: there is no ping that works on this machine)"
  }`,
  ignore: !there,
  async fn() {
    await using fleet = await startFleet();
    await fleet.until("loaded", () => fleet.runs("diagnostics"));
    const begun = await fleet.command({ CmdType: "PING_DIAG_REQ", Dest: "127.0.0.1", time: "2" }, 20);
    assertEquals(begun.body.status, "succeeded", JSON.stringify(begun.body));
    let result: Record<string, string> = {};
    await fleet.until("answered", async () => {
      const { body } = await fleet.command({ CmdType: "GET_PING_RESULT" }, 20);
      result = body.reply as Record<string, string>;
      return result.PingStatus !== "RUNNING";
    });
    assertEquals(result.PingStatus, "SUCCESS", JSON.stringify(result));
    assertMatch(result.PingResult!, /^2 sent, 2 received, 0% lost, min\/avg\/max [\d.]+\/[\d.]+\/[\d.]+ ms$/);
    const refused = await fleet.command({ CmdType: "PING_DIAG_REQ", Dest: "-f 127.0.0.1" }, 20);
    await fleet.until("refused", async () => {
      const { body } = await fleet.command({ CmdType: "GET_PING_RESULT" }, 20);
      return (body.reply as Record<string, string>).PingStatus === "FAIL";
    });
    assertEquals(refused.body.result, 0);
  },
});
