/**
 * `gatehouse plugin trust`: has a gateway or platform trust a public key.
 *
 * @module
 */
import { KEY_TIERS } from "../../sandbox/package/mod.ts";
import { EXIT } from "../errors.ts";
import { type Kind, oneOf, path } from "../parsers.ts";
import { ASKS_OTHERS, type Command } from "./command.ts";
import { CONTROL_OPTIONS, ControlClient } from "./control_client.ts";
import { publicKeyIn } from "./keys.ts";

const command: Command = {
  name: "trust",
  summary: "has a gateway or platform trust a public key",
  about:
    `From then on the gateway, or the platform's repository, takes plug-ins that this key signed, as far as the tier may
go. One started with "--require-signed all" takes no others.`,
  positionals: [{
    label: "FILE",
    kind: path("FILE") as Kind<string>,
    help: "the public key, as keygen makes it",
  }],
  options: {
    ...CONTROL_OPTIONS,
    tier: { kind: oneOf(KEY_TIERS), help: "how far its plug-ins are trusted; default: community" },
  },
  examples: [
    "gatehouse plugin trust example.pub --tier vendor --to http://192.168.1.1:8081 --token-file token",
  ],
  failure: "the key is no key, is trusted already or was revoked, or nobody answers",
  givesUp: ASKS_OTHERS,
  async run(input, terminal) {
    const { name, publicKey } = await publicKeyIn(input.words[0]!);
    const api = await ControlClient.open(input, terminal);
    const tier = input.value<string>("tier") ?? "community";
    const { body } = await api.post("/api/v1/trust/keys", { publicKey: publicKey.toBase64(), tier, name });
    terminal.print(`${api.url.origin} trusts ${name || "the key"}, tier ${tier}`);
    terminal.print(`id ${body.id}`);
    return EXIT.ok;
  },
};
export default command;
