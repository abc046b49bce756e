/**
 * `push`: what plug-ins send to the platform of their own accord.
 *
 * @module
 */
import type { Capabilities, HostFunction } from "../../sandbox/mod.ts";
import type { MessagePush } from "./push.ts";

/** The functions. How many messages a minute a plug-in may send is its manifest's limit, counted by the sandbox. */
export function pushFunctions(push: Pick<MessagePush, "push">): Capabilities {
  const send: HostFunction = async ([content], { plugin }) => {
    if (content === undefined) throw new Error("message: a text, or any JSON value");
    await push.push(plugin, typeof content === "string" ? content : JSON.stringify(content));
    return undefined;
  };
  return {
    "push": {
      /** `[message]`: a text as it is, anything else as JSON. Answers when it is on the disk. */
      "push.send": Object.assign(send, { message: true }),
    },
  };
}
