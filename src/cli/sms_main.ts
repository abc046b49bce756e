/**
 * Runs `gatehouse sms …` at the real terminal. Apart from the roles: it starts nothing and loads neither of them.
 *
 * @module
 */
import { EXIT, UsageError } from "./errors.ts";
import { giveUp } from "./permissions.ts";
import { smsCommand } from "./sms.ts";

/** Runs it; gives the exit code. */
export async function smsMain(args: readonly string[]): Promise<number> {
  const write = (to: { writeSync(bytes: Uint8Array): number }) => (line: string) => {
    const bytes = new TextEncoder().encode(`${line}\n`);
    for (let at = 0; at < bytes.length;) at += to.writeSync(bytes.subarray(at));
  };
  const complain = write(Deno.stderr);
  const interrupted = Promise.withResolvers<void>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => interrupted.resolve());
  }
  // Read first: the environment is given up with all that a client does not need.
  const secret = Deno.env.get("GATEHOUSE_SMS_SECRET");
  await giveUp([{ name: "env" }, { name: "run" }, { name: "sys" }, { name: "ffi" }, { name: "write" }]);
  try {
    return await smsCommand(args, {
      print: write(Deno.stdout),
      complain,
      readVariable: (name) => name === "GATEHOUSE_SMS_SECRET" ? secret : undefined,
      readFile: (path) => Deno.readTextFile(path),
      interrupted: interrupted.promise,
    });
  } catch (error) {
    complain(`gatehouse: ${error instanceof Error ? error.message : error}`);
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}
