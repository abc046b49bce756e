/**
 * A plug-in in TypeScript: what a gateway takes out of it is its types.
 *
 * @module
 */
interface Weather {
  readonly SunPercent?: string;
}

type Answer = "yes" | "no";

export const manifest = {
  name: "com.example.parasol",
  version: "1.0",
  apiVersion: "2026-11-01",
  description: "Says whether to take a parasol",
  commands: { TAKE_PARASOL: { right: "both" } },
} as const;

const THRESHOLD: number = 50;

export const commands = {
  TAKE_PARASOL({ SunPercent }: Weather): { Answer: Answer } {
    const sun = Number(SunPercent);
    if (!(sun >= 0 && sun <= 100)) throw new Error("SunPercent is not 0 to 100");
    return { Answer: (sun >= THRESHOLD ? "yes" : "no") satisfies Answer };
  },
};
