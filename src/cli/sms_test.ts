import { assert, assertEquals, assertRejects } from "@std/assert";
import { UsageError } from "./errors.ts";
import { smsCommand, type SmsTerminal } from "./sms.ts";

function terminal(variables: Record<string, string> = {}) {
  const lines: string[] = [], complaints: string[] = [];
  const here: SmsTerminal = {
    print: (line) => lines.push(line),
    complain: (line) => complaints.push(line),
    readVariable: (name) => variables[name],
    readFile: () => Promise.resolve(""),
    interrupted: Promise.resolve(),
  };
  return { here, lines, complaints };
}

Deno.test("sms tells how it is used", async () => {
  for (const args of [[], ["--help"], ["send", "--help"]]) {
    const { here, lines } = terminal();
    assertEquals(await smsCommand(args, here), 0);
    assert(lines[0]!.includes("gatehouse sms send"));
  }
});

Deno.test("sms names the flag that is missing or wrong", async () => {
  const secret = { GATEHOUSE_SMS_SECRET: "888888" };
  for (
    const [args, variables, message] of [
      [["post"], secret, 'unknown command "sms post"'],
      [["send", "--form", "1"], secret, "--form"],
      [["send", "--to", "1", "--text", "x", "--sp-id", "9"], secret, "--from is needed"],
      [["send", "--from", "1", "--text", "x", "--sp-id", "9"], secret, "--to or --file"],
      [["send", "--from", "1", "--text", "x", "--to", " ,", "--sp-id", "9"], secret, "no number"],
      [["send", "--from", "1", "--text", "x", "--to", "1", "--wait", "soon"], secret, "--wait"],
      [
        ["send", "--from", "1", "--text", "x", "--to", "1", "--at", "tomorrow", "--sp-id", "9"],
        secret,
        "--at",
      ],
      [
        ["send", "--from", "1", "--text", "x", "--to", "1", "--valid", "2026-11-24T08:00", "--sp-id", "9"],
        secret,
        "--valid",
      ],
      [
        ["send", "--from", "1", "--text", "x", "--to", "1", "--format", "utf8", "--sp-id", "9"],
        secret,
        "--format",
      ],
      [["listen", "--sp-id", "9", "--window", "0"], secret, "--window"],
      [["query", "--day", "today", "--sp-id", "9"], secret, "--day"],
      [["cancel", "--msg-id", "1", "--sp-id", "9"], secret, "--msg-id"],
      [["listen"], secret, "--sp-id is needed"],
      [["listen", "--sp-id", "9"], {}, "GATEHOUSE_SMS_SECRET"],
      [["listen", "--sp-id", "9", "--version", "9"], secret, "--version"],
      [["listen", "--sp-id", "9", "--zone", "8"], secret, "--zone"],
      [["listen", "--sp-id", "9", "--server", "a b"], secret, "--server"],
    ] as const
  ) {
    const error = await assertRejects(() => smsCommand(args, terminal(variables).here), UsageError);
    assert(error.message.includes(message), `${args.join(" ")}: ${error.message}`);
  }
});
