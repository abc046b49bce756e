/**
 * `gatehouse plugin revoke`: has a gateway or platform trust a key no more.
 *
 * @module
 */
import { EXIT } from "../errors.ts";
import { type Kind, path, words } from "../parsers.ts";
import { ASKS_OTHERS, type Command } from "./command.ts";
import { CONTROL_OPTIONS, ControlClient } from "./control_client.ts";
import { publicKeyIn } from "./keys.ts";

const command: Command = {
  name: "revoke",
  summary: "has a gateway or platform trust a key no more, for good",
  about:
    `What this key alone signed is stopped at once, and taken from nobody any more. A key that was revoked can't be
trusted again: make a new one, and sign anew.`,
  positionals: [{
    label: "FILE",
    kind: path("FILE") as Kind<string>,
    help: "the public key, as keygen makes it",
  }],
  options: {
    ...CONTROL_OPTIONS,
    reason: { kind: words("TEXT", 200), help: "why, for those who look at the list of keys" },
  },
  examples: [
    'gatehouse plugin revoke example.pub --reason "laptop stolen" --to http://192.168.1.1:8081 --token-file token',
  ],
  failure: "the key is no key or is not known there, or nobody answers",
  givesUp: ASKS_OTHERS,
  async run(input, terminal) {
    const { id, name } = await publicKeyIn(input.words[0]!);
    const api = await ControlClient.open(input, terminal), reason = input.value<string>("reason");
    await api.post(`/api/v1/trust/keys/${id}/revoke`, { ...(reason !== undefined && { reason }) });
    terminal.print(`${api.url.origin} trusts ${name || "the key"} no more`);
    terminal.print(`id ${id}`);
    return EXIT.ok;
  },
};
export default command;
