/**
 * A plug-in that a platform puts onto a gateway, and what came of it.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type CapabilityReply } from "../../src/protocol/smart_gateway/mod.ts";
import { ScriptedPlatform } from "./scripted_platform.ts";

/** Greets, waits for ever, fails on purpose, and takes parameters. */
export const HELLO = `export const manifest = {
  name: "com.example.hello", version: "1.0", apiVersion: "2026-11-01",
  commands: {
    HELLO: { right: "remote" }, LOCAL_ONLY: { right: "local" }, THROW: { right: "both" }, HANG: { right: "both" },
    "SetPlug-inParameterValues": { right: "remote" }, SHOW: { right: "remote" }, DEEP: { right: "both" },
  },
  limits: { callMs: 300 },
};
let greeting = "hello";
export const commands = {
  HELLO: ({ Name }) => ({ Text: greeting + " " + Name, Number: 7, Flag: true }),
  LOCAL_ONLY: () => ({}),
  THROW: () => { throw new Error("on purpose"); },
  HANG: () => new Promise(() => {}),
  DEEP: () => { let x = 0; for (let i = 0; i < 50; i++) x = [x]; return { x }; },
  "SetPlug-inParameterValues": ({ Greeting }) => { greeting = Greeting; },
  SHOW: () => ({ Greeting: greeting }),
};
`;
const encoder = new TextEncoder();

/** As an Install names it. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return `sha256:${new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex()}`;
}

/** The fields of a reply that says it worked. */
export function fieldsOf(reply: CapabilityReply): Record<string, unknown> {
  assertEquals(reply.status, "0", JSON.stringify(reply));
  return { ...reply.fields };
}

/** Why it did not work. */
export function failReason(reply: CapabilityReply): string {
  if (reply.status !== "1") throw new Error(`it worked: ${JSON.stringify(reply)}`);
  return reply.failReason;
}

/** Installs `source` from the platform and waits for its outcome. */
export async function install(
  platform: ScriptedPlatform,
  source: string,
  more: { digest?: string; pluginSize?: number; version?: string; os?: number; pluginName?: string } = {},
): Promise<number> {
  const bytes = encoder.encode(source);
  platform.packages.set("/hello.js", bytes);
  const target = { pluginName: "com.example.hello", version: "1.0" };
  const { result } = await platform.ask({
    method: "Install",
    ...target,
    downloadUrl: platform.url("/hello.js"),
    pluginSize: bytes.length,
    os: 9,
    digest: await digestOf(bytes),
    ...more,
  });
  if (result !== 0) return result;
  for (;;) {
    const progress = await platform.ask({
      method: "Install_query",
      ...target,
      ...(more.version && { version: more.version }),
    });
    if (progress.result < 0 || progress.result === 100) return progress.result;
  }
}
