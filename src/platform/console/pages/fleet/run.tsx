/**
 * Running a command of a plug-in, with the form that its manifest describes.
 *
 * @module
 */
import type * as v from "valibot";
import type { CommandView, PluginView } from "../../../api/mod.ts";
import { ApiProblem } from "../../client.ts";
import {
  Choice,
  commandsOf,
  type CommandSpec,
  type FieldSpec,
  Form,
  labelOf,
  Panel,
  parametersOf,
  TextArea,
  TextField,
} from "../../parts/mod.ts";
import { rollouts } from "../../texts/mod.ts";
import { type Action, field, mustMay, type Page, query, type View } from "../../view.ts";
import { textsOf } from "./frame.tsx";

type Plugin = v.InferOutput<typeof PluginView>;
type Command = v.InferOutput<typeof CommandView>;

/** A command, and the plug-in that has it. */
export interface Offer extends CommandSpec {
  readonly plugin: string;
}

/** Seconds that running a capability waits for its answer before the page shows how far it is. */
const WAIT = 8;
/** Commands that gateways have of themselves, with the fields that a form can offer. */
const SHIPPED_LIST = "/api/v1/plugins/shipped";

/** `GET /gateways/{mac}/run`: chooses a command, or fills in the fields of the one that `command` names. */
export const runPage: Page = async (view) => {
  const mac = view.params["mac"]!, t = textsOf(view);
  mustMay(view, "commands:run");
  const [offers] = await Promise.all([
    offersFor(view, mac),
    view.client.get(`/api/v1/gateways/${mac}`),
  ]);
  const name = query(view, "command"), plugin = query(view, "plugin");
  const offer = offers.find((one) => one.name === name && (plugin === "" || one.plugin === plugin));
  return {
    title: name === "" ? view.texts.gateway.run : t.runTitle(name),
    content: (
      <>
        <Panel title={t.chooseCommand}>
          <CommandChoice view={view} mac={mac} offers={offers} />
        </Panel>
        <Panel title={name === "" ? t.otherCommand : name}>
          <Form view={view} action="run" label={view.texts.gateway.send}>
            {offer
              ? <Known view={view} offer={offer} />
              : <Unknown view={view} name={name} plugin={plugin} />}
          </Form>
        </Panel>
        <p>
          <a href={`/gateways/${mac}`}>{view.texts.common.back}</a>
        </p>
      </>
    ),
  };
};

/** Runs it, and shows the command. */
export const run: Action = async (view) => {
  const mac = view.params["mac"]!;
  const more = parametersOf(field(view, "fields"));
  if (!more) throw new ApiProblem(422, "invalid_parameter", rollouts[view.language].badParameter, "");
  const parameter: Record<string, unknown> = { ...more };
  for (const [name, value] of Object.entries(view.form)) {
    if (!name.startsWith("field.") || typeof value !== "string" || value.trim() === "") continue;
    parameter[name.slice("field.".length)] = value.trim();
  }
  const command = await view.client.send<Command>("POST", `/api/v1/gateways/${mac}/commands?wait=${WAIT}`, {
    plugin: field(view, "plugin"),
    version: "",
    parameter: { ...parameter, CmdType: field(view, "command") },
  });
  return `/commands/${command.id}`;
};

/** Links to the forms of the commands that are known, by plug-in. */
export function CommandChoice(
  { view, mac, offers }: { readonly view: View; readonly mac: string; readonly offers: readonly Offer[] },
) {
  const t = textsOf(view), options = offers.map((offer) => [`${offer.name}`, offer] as const);
  return (
    <form class="row" method="get" action={`/gateways/${mac}/run`}>
      <label>
        <span>{view.texts.gateway.command}</span>
        <input
          name="command"
          list="commands-known"
          value={query(view, "command")}
          maxlength={128}
          pattern="[A-Za-z0-9_.\-]+"
          required
          autocomplete="off"
        />
      </label>
      <datalist id="commands-known">
        {options.map(([name, { plugin }]) => <option value={name}>{plugin}</option>)}
      </datalist>
      <button type="submit">{t.chooseCommand}</button>
    </form>
  );
}

/**
 * What can be asked of a gateway from here: the commands of the plug-ins that were last seen on it, as their
 * manifests in the repository and those that gateways ship with say; of all in the repository where none was seen.
 */
export async function offersFor(view: View, mac: string): Promise<Offer[]> {
  if (!view.may("plugins:read")) return [];
  const [seen, repository, shipped] = await Promise.all([
    view.client.get<{ items: { name: string; version: string }[] }>(`/api/v1/gateways/${mac}/plugins/seen`),
    view.client.get<{ items: Plugin[] }>("/api/v1/plugins", { limit: "200" }),
    view.client.get<{ items: { name: string; manifest: Record<string, unknown> }[] }>(SHIPPED_LIST),
  ]);
  const versions = new Map(seen.items.map(({ name, version }) => [name, version]));
  const manifests = new Map<string, Readonly<Record<string, unknown>>>();
  for (const { name, manifest } of shipped.items) manifests.set(name, manifest);
  for (const { name, version, manifest } of repository.items) {
    const there = versions.get(name);
    if (versions.size > 0 ? there === version : true) manifests.set(name, manifest);
  }
  return [...manifests].filter(([name]) => versions.size === 0 || versions.has(name))
    .flatMap(([plugin, manifest]) => commandsOf(manifest).map((command) => ({ ...command, plugin })))
    .filter(({ right }) => right === "remote" || right === "both")
    .sort((a, b) => a.name.localeCompare(b.name));
}

function Known({ view, offer }: { readonly view: View; readonly offer: Offer }) {
  const t = textsOf(view);
  return (
    <>
      <input type="hidden" name="command" value={offer.name} />
      <input type="hidden" name="plugin" value={offer.plugin} />
      <p class="soft">{`${offer.plugin} · ${offer.right}`}</p>
      {offer.fields?.length === 0 && <p class="soft">{t.noFields}</p>}
      {(offer.fields ?? []).map((spec) => <Field view={view} spec={spec} />)}
      {offer.fields === undefined && (
        <TextArea view={view} name="fields" label={view.texts.gateway.fields} rows={5} />
      )}
    </>
  );
}

function Unknown(
  { view, name, plugin }: { readonly view: View; readonly name: string; readonly plugin: string },
) {
  const t = view.texts.gateway;
  return (
    <>
      <TextField
        view={view}
        name="command"
        label={t.command}
        value={name}
        required
        max={128}
        pattern="[A-Za-z0-9_.\-]+"
      />
      <TextField view={view} name="plugin" label={t.plugin} value={plugin} max={128} hint={t.pluginHint} />
      <TextArea view={view} name="fields" label={t.fields} rows={5} />
    </>
  );
}

function Field({ view, spec }: { readonly view: View; readonly spec: FieldSpec }) {
  const name = `field.${spec.name}`;
  const label = `${labelOf(spec, view.language)}${spec.required ? "" : ` (${view.texts.common.optional})`}`;
  if (spec.values !== undefined) {
    const none = spec.required ? [] : [["", ""] as const];
    return (
      <Choice
        view={view}
        name={name}
        label={label}
        hint={spec.name}
        options={[...none, ...spec.values.map((value) => [value, value] as const)]}
      />
    );
  }
  return (
    <TextField
      view={view}
      name={name}
      label={label}
      hint={spec.name}
      required={spec.required === true}
      pattern={spec.pattern}
      max={4000}
    />
  );
}
