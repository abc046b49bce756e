/**
 * The console's languages.
 *
 * @module
 */
import { en, type Texts } from "./en.ts";
import { zh } from "./zh.ts";

export type { Texts };

/** A language of the console. */
export type Language = "en" | "zh";

/** The texts by language. */
export const TEXTS: Readonly<Record<Language, Texts>> = { en, zh };

/** The language of the house's users, where a browser names none that it has. */
const DEFAULT: Language = "zh";

/** The language that `chosen` (a cookie) or else `Accept-Language` asks for. */
export function languageOf(chosen: string | undefined, accepted: string | null): Language {
  if (chosen === "en" || chosen === "zh") return chosen;
  const wanted = (accepted ?? "").slice(0, 200).split(",").map((part) => {
    const [tag = "", ...parameters] = part.trim().toLowerCase().split(";");
    const q = parameters.map((text) => /^\s*q=([\d.]+)$/.exec(text)?.[1]).find((text) => text !== undefined);
    return { tag: tag.split("-", 1)[0], quality: q === undefined ? 1 : Number(q) };
  }).sort((a, b) => b.quality - a.quality);
  const found = wanted.find(({ tag, quality }) => quality > 0 && (tag === "en" || tag === "zh"));
  return found?.tag === "en" ? "en" : found?.tag === "zh" ? "zh" : DEFAULT;
}
export { problems } from "./problems.ts";
export { sms } from "./sms.ts";
export { plugins } from "./plugins.ts";
export { rollouts } from "./rollouts.ts";
export { people } from "./people.ts";
export { policies } from "./policies.ts";
export { fleet } from "./fleet.ts";
export { webhooks } from "./webhooks.ts";
export { alarms } from "./alarms.ts";
export { users } from "./users.ts";
