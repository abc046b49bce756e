import { assertEquals } from "@std/assert";
import { inWords } from "./wording.ts";

Deno.test("what is missing, unknown or of another type in a manifest is told in words, with what may be meant", () => {
  const told: [string, string][] = [
    [
      "manifest.apiVersion: is missing",
      "manifest.apiVersion: it is missing",
    ],
    [
      "manifest.capability: Unknown key",
      "manifest.capability: there is no such field: did you mean capabilities?",
    ],
    [
      "manifest.limits.memory: Unknown key; manifest.x: Unknown key",
      "manifest.limits.memory: there is no such field: did you mean memoryMb?; manifest.x: there is no such field",
    ],
    [
      'manifest.limits.callMs: Invalid type: Expected number but received "5000"',
      'manifest.limits.callMs: a number is needed, not "5000"',
    ],
    [
      "manifest.version: Invalid type: Expected string but received 1",
      "manifest.version: a text is needed, not 1",
    ],
    ["manifest.commands.A.right: one of local, remote", "manifest.commands.A.right: one of local, remote"],
  ];
  for (const [before, after] of told) assertEquals(inWords(before), after);
});
