import { assertEquals } from "@std/assert";
import { FakeClock, Metrics } from "../../base/mod.ts";
import {
  decodeCapabilityReply,
  encodeCapabilityRequest,
  type JsonValue,
} from "../../protocol/smart_gateway/mod.ts";
import { type JsonObject, type PluginCall, PluginError, type PluginErrorCode } from "../../sandbox/mod.ts";
import { Dispatcher } from "./dispatcher.ts";

function dispatcherOf(call: (call: PluginCall) => Promise<JsonObject>): Dispatcher {
  return new Dispatcher({ clock: new FakeClock(), metrics: new Metrics() }, { call, list: () => [] });
}

const parameter = encodeCapabilityRequest({ cmdType: "DO", sequenceId: "0000000A", fields: { A: "1" } });
const CALL = { origin: "remote", pluginName: "p", version: "1.0", parameter } as const;

Deno.test("the plug-in gets the inner request, and its fields come back as strings", async () => {
  let seen: PluginCall | undefined;
  const dispatcher = dispatcherOf((call) => {
    seen = call;
    return Promise.resolve({ Number: 1.5, Flag: false, None: null, List: [{ A: "1" }], Status: "9" });
  });
  const { result, returnParameter } = await dispatcher.dispatch(CALL);
  const { authorize: _, ...rest } = seen!;
  assertEquals(rest, {
    plugin: "p",
    version: "1.0",
    command: "DO",
    request: { A: "1", CmdType: "DO", SequenceId: "0000000A" },
    origin: "remote",
    caller: "platform",
    timeoutMs: 30_000,
  });
  assertEquals(result, 0);
  const reply = decodeCapabilityReply(returnParameter);
  assertEquals({ ...reply, fields: { ...reply.fields } }, {
    cmdType: "DO",
    sequenceId: "0000000A",
    status: "0",
    fields: { Number: "1.5", Flag: "false", List: [{ A: "1" }] },
  });
});

Deno.test("each plug-in error has its result or its FailReason", async () => {
  const table: Record<PluginErrorCode, [number, string]> = {
    absent: [-12, "why"],
    version: [-12, "why"],
    not_running: [-16, "why"],
    closed: [-16, "why"],
    timeout: [-100, "why"],
    busy: [-5, "BUSY_REQUEST"],
    unknown_command: [0, "UNRECOGNIZE_REQUEST"],
    no_right: [0, "NO_RIGHT_ACCESS"],
    failed: [0, "why"],
    crashed: [0, "why"],
    limit: [0, "why"],
    invalid: [0, "why"],
    untrusted: [0, "why"],
  };
  for (const [code, [result, failReason]] of Object.entries(table)) {
    const dispatcher = dispatcherOf(() => Promise.reject(new PluginError(code as PluginErrorCode, "why")));
    const answer = await dispatcher.dispatch(CALL);
    const reply = decodeCapabilityReply(answer.returnParameter);
    assertEquals(
      [answer.result, reply.status === "1" && reply.failReason, reply.cmdType, reply.sequenceId],
      [result, failReason, "DO", "0000000A"],
      code,
    );
  }
});

Deno.test("a request that can't be read is not recognized, and no plug-in sees it", async () => {
  const dispatcher = dispatcherOf(() => Promise.reject(new Error("called")));
  for (const broken of ["", "%", btoa("[]"), btoa('{"SequenceId":"1"}')]) {
    const { result, returnParameter } = await dispatcher.dispatch({ ...CALL, parameter: broken });
    const reply = decodeCapabilityReply(returnParameter);
    assertEquals([result, reply.status === "1" && reply.failReason], [0, "UNRECOGNIZE_REQUEST"]);
  }
});

Deno.test("a reply that does not fit a frame becomes a failure", async () => {
  const dispatcher = dispatcherOf(() => Promise.resolve({ Long: "x".repeat(400_000) }));
  const { result, returnParameter } = await dispatcher.dispatch(CALL);
  assertEquals([result, decodeCapabilityReply(returnParameter).status], [0, "1"]);
});

Deno.test("a command that needs the local password gets it from the local side only, and the plug-in never sees it", async () => {
  const checked: string[] = [], seen: JsonObject[] = [];
  const call = async ({ authorize }: PluginCall) => {
    seen.push(await authorize!("local"));
    return {};
  };
  const passwords = {
    check: (candidate: string) => {
      checked.push(candidate);
      return candidate === "right" ? Promise.resolve() : Promise.reject(new Error("locked for 10 s"));
    },
  };
  const dispatcher = new Dispatcher({ clock: new FakeClock(), metrics: new Metrics() }, {
    call,
    list: () => [],
  }, passwords);
  const ask = async (origin: "local" | "remote", fields: Record<string, JsonValue>) => {
    const { reply } = await dispatcher.call(origin, "p", "", { cmdType: "DO", sequenceId: "1", fields });
    return reply.status === "1" ? reply.failReason : "";
  };
  assertEquals(await ask("local", {}), "LOCAL_AUTH_FAIL");
  assertEquals(await ask("local", { USER: "useradmin" }), "LOCAL_AUTH_FAIL");
  assertEquals(await ask("local", { PASSWORD: "right" }), "LOCAL_AUTH_FAIL");
  assertEquals(await ask("local", { USER: "useradmin", PASSWORD: ["right"] }), "LOCAL_AUTH_FAIL");
  assertEquals(checked, [], "nothing is counted that was no attempt");
  assertEquals(await ask("local", { USER: "useradmin", PASSWORD: "wrong" }), "LOCAL_AUTH_FAIL");
  assertEquals(seen, []);
  assertEquals(await ask("local", { User: "useradmin", Password: "right", A: "1" }), "");
  assertEquals(await ask("remote", { A: "2" }), "");
  assertEquals(checked, ["wrong", "right"]);
  assertEquals(seen, [{ A: "1", CmdType: "DO", SequenceId: "1" }, {
    A: "2",
    CmdType: "DO",
    SequenceId: "1",
  }]);
  const none = new Dispatcher({ clock: new FakeClock(), metrics: new Metrics() }, { call, list: () => [] });
  const { reply } = await none.call("local", "p", "", {
    cmdType: "DO",
    sequenceId: "1",
    fields: { USER: "a", PASSWORD: "right" },
  });
  assertEquals(reply.status, "1");
});
