/**
 * What the API did not do, and why, in the user's language.
 *
 * @module
 */
import type { ApiProblem } from "../client.ts";
import { type Language, problems, TEXTS } from "../texts/mod.ts";

/** One sentence: of the user's language where it has one for the code, else the API's own. */
export function problemText(
  { status, code, message }: Pick<ApiProblem, "status" | "code" | "message">,
  language: Language,
): string {
  if (status === 403 && code === "forbidden") return TEXTS[language].problem.notAllowed;
  return problems[language].codes[code] ?? message;
}

/** A fault's words: `is missing`, or of several fields `loid: is missing; mac: …`. */
export function faultText(message: string, language: Language): string {
  const known = problems[language].faults;
  return message.split("; ").map((part) => {
    const [, path = "", words = part] = /^([\w.$[\]]+: )(.*)$/.exec(part) ?? [];
    const [, kind = "", which = ""] = /^(.*?)([0-9A-F]{12})$/.exec(words) ?? [];
    return path + (known[words] ?? (known[kind] === undefined ? words : known[kind] + which));
  }).join("; ");
}

/** Why a command did not succeed: what it is, what was said of it, and the code that the API knows it by. */
export function commandError(
  { code, message }: { readonly code: string; readonly message: string },
  { language }: { readonly language: Language },
): string {
  const words = problems[language].commands[code];
  return words === undefined ? `${message} (${code})` : `${words}: ${message} (${code})`;
}

/** A notice: what was not done, why, and every fault in its place. */
export function Refused({ fault, language }: { readonly fault: ApiProblem; readonly language: Language }) {
  const texts = TEXTS[language].problem, sentence = problemText(fault, language);
  // The API's sentence names the thing that is meant, so it is not left out.
  const own = sentence !== fault.message && fault.code !== "forbidden";
  const faults = fault.faults.filter((one): one is typeof one => typeof one === "object");
  return (
    <div class="notice bad" role="alert">
      <p>
        <strong>{texts.title}</strong>
        {`: ${sentence}`}
      </p>
      {own && <p class="soft" lang="en">{fault.message}</p>}
      {(own ? faults.length > 0 : faults.length > 1) && (
        <ul>
          {faults.map(({ path, message }) => (
            <li>
              <code>{path}</code> {faultText(message, language)}
            </li>
          ))}
        </ul>
      )}
      {fault.requestId !== "" && <p class="soft">{`${texts.requestId}: ${fault.requestId}`}</p>}
    </div>
  );
}
