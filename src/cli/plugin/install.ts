/**
 * `gatehouse plugin install`: onto a gateway, or into a platform's repository and from there onto gateways.
 *
 * @module
 */
import { EXIT, StartError } from "../errors.ts";
import { type Kind, mac, oneOf } from "../parsers.ts";
import { ASKS_OTHERS, type Command } from "./command.ts";
import { CONTROL_OPTIONS, ControlClient } from "./control_client.ts";
import { PLUGIN_PATH, type Project, readProject } from "./project.ts";

/** Puts a package onto a gateway; resolves with what runs there then. */
export async function installOnGateway(
  api: ControlClient,
  { bytes }: Pick<Project, "bytes">,
): Promise<Record<string, unknown>> {
  return (await api.post("/api/v1/plugins", bytes, "application/gzip")).body;
}

const command: Command = {
  name: "install",
  summary: "puts it onto a gateway, or into a platform's repository",
  about:
    `--to names the control API of a gateway, or of a platform. On a gateway the plug-in runs at once; the version that
ran before goes on where the new one does not load. A platform keeps it, and with --gateway puts it onto that one.`,
  positionals: [PLUGIN_PATH],
  options: {
    ...CONTROL_OPTIONS,
    gateway: { kind: mac, help: "of a platform: the gateway that is to run it" },
    channel: {
      kind: oneOf(["stable", "beta", "none"]) as Kind<unknown>,
      help: "of a platform: what a version that it has not yet is offered as; default: beta",
    },
  },
  examples: [
    "gatehouse plugin install com.example.greeter-1.0.ghp --to http://192.168.1.1:8081 --token-file token",
    "gatehouse plugin install greeter --to https://platform.example.net --gateway 64D95420214B",
  ],
  failure: "the plug-in has faults, or is refused: the reason is told",
  givesUp: ASKS_OTHERS,
  async run(input, terminal) {
    const project = await readProject(input.words[0]!), { print } = terminal;
    const api = await ControlClient.open(input, terminal);
    const { name, version } = project.plugin.manifest, gateway = input.value<string>("gateway");
    const channel = input.value<string>("channel");
    if (await api.role() === "gateway") {
      const flag = gateway !== undefined ? "--gateway" : channel !== undefined ? "--channel" : undefined;
      if (flag) throw new StartError(`${flag} is for a platform: ${api.url.origin} is a gateway`);
      const status = await installOnGateway(api, project);
      print(`${name} ${version} is ${status.state} on ${api.url.origin}`);
      return EXIT.ok;
    }
    const target = `/api/v1/plugins${channel === undefined ? "" : `?channel=${channel}`}`;
    const { status } = await api.post(target, project.bytes, "application/octet-stream");
    print(
      `${name} ${version} ${
        status === 200 ? "was there already" : "is in the repository"
      }: ${api.url.origin}`,
    );
    if (gateway === undefined) return EXIT.ok;
    const { body } = await api.post(`/api/v1/gateways/${gateway}/plugins?wait=60`, { name, version });
    const { status: state, error } = body as { status?: string; error?: { message?: string } | null };
    print(`on ${gateway}: ${state}`);
    if (state !== undefined && ["failed", "timed_out", "cancelled"].includes(state)) {
      throw new StartError(`${name} ${version} does not run on ${gateway}: ${error?.message ?? state}`);
    }
    return EXIT.ok;
  },
};
export default command;
