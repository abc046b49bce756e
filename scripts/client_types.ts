// deno-lint-ignore-file no-console -- a script talks to the terminal
/**
 * Writes `src/client/operations.ts`, the types of the client, from the OpenAPI document of a platform with all
 * services. `tests/client_test.ts` fails where the file is not what this would write.
 *
 * `deno run -A scripts/client_types.ts`
 *
 * @module
 */
import { fuzzPlatform } from "../tests/support/api_fuzz_platform.ts";
import { clientTypes } from "./lib/client_types.ts";

const FILE = new URL("../src/client/operations.ts", import.meta.url);

if (import.meta.main) {
  await using stage = await fuzzPlatform();
  const text = clientTypes(stage.document as unknown as Record<string, unknown>);
  await Deno.writeTextFile(FILE, text);
  console.log(`${FILE.pathname}: ${text.split("\n").length} lines`);
}
