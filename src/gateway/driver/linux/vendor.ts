/**
 * The vendor's command: one program that does what Linux has no common way for (telephony, PON registration, sleep).
 *
 * It is run with the action as its last argument and the fields as a JSON object on its standard input. It ends with 0
 * and a JSON object on its standard output; with 3 where it does not know the action; otherwise what it wrote to its
 * standard error is the reason. Secrets go by standard input, since arguments can be seen by everybody on a machine.
 *
 * @module
 */
import * as v from "valibot";
import { DriverError, unsupported } from "../errors.ts";
import type { Runner, RunOptions } from "./run.ts";

/** What the command may be asked. */
export type VendorAction =
  | "inform"
  | "led"
  | "nfc-status"
  | "pon-optics"
  | "pon-register"
  | "pon-registration"
  | "pon-status"
  | "pppoe-dial"
  | "pppoe-status"
  | "sleep"
  | "sleep-status"
  | "voip-lines";

/** The exit code for an action that is not known. */
const UNKNOWN_ACTION = 3;

/** Asks it. */
export class Vendor {
  constructor(
    private readonly runner: Pick<Runner, "run">,
    /** The words of the command; undefined: there is none. */
    private readonly command: readonly string[] | undefined,
  ) {}

  /** Whether there is one. */
  get present(): boolean {
    return this.command !== undefined;
  }

  /**
   * Does an action. `what` says in the reason what this machine can't tell or do.
   *
   * @throws {DriverError} `unsupported` where there is no command or it does not know the action, `failed` otherwise
   */
  async ask<Schema extends v.GenericSchema>(
    action: VendorAction,
    what: string,
    fields: Readonly<Record<string, unknown>>,
    schema: Schema,
    options: RunOptions = {},
  ): Promise<v.InferOutput<Schema>> {
    const [program, ...args] = this.command ?? [];
    if (program === undefined) {
      throw unsupported(`this machine has no common way to ${what}: set --vendor-command`);
    }
    const input = JSON.stringify(fields) + "\n";
    const { code, stdout, stderr } = await this.runner.run(program, [...args, action], {
      timeoutMs: 15_000,
      maxBytes: 64 * 1024,
      ...options,
      input,
    });
    if (code === UNKNOWN_ACTION) throw unsupported(`the vendor's command has no way to ${what}`);
    if (code !== 0) {
      throw new DriverError("failed", stderr === "" ? `the vendor's command ended with ${code}` : stderr);
    }
    let value: unknown;
    try {
      value = stdout.trim() === "" ? {} : JSON.parse(stdout);
    } catch (cause) {
      throw new DriverError("failed", "the vendor's command answered what is no JSON", { cause });
    }
    const result = v.safeParse(schema, value);
    if (result.success) return result.output;
    const [issue] = result.issues;
    throw new DriverError(
      "failed",
      `the vendor's command: ${v.getDotPath(issue) ?? "answer"}: ${issue.message}`.slice(0, 200),
    );
  }
}

/** Tries the machine's own way, and another where there is none. */
export async function orElse<T>(own: () => Promise<T>, other: () => Promise<T>): Promise<T> {
  try {
    return await own();
  } catch (error) {
    if (error instanceof DriverError && error.code === "unsupported") return await other();
    throw error;
  }
}
