import { assertEquals } from "@std/assert";
import { summaryOf } from "./summary.ts";

Deno.test("the closing line of a run of tests is read, with colours and with steps", () => {
  assertEquals(summaryOf("x ... ok (1ms)\n\nok | 3 passed | 0 failed (5s)\n"), {
    passed: 3,
    failed: 0,
    ignored: 0,
  });
  assertEquals(
    summaryOf(
      "\u001b[0m\u001b[31mFAILED\u001b[0m | 12 passed (3 steps) | 1 failed | 2 ignored (1 step) (5s)\n",
    ),
    { passed: 12, failed: 1, ignored: 2 },
  );
});

Deno.test("what a test prints is not taken for the closing line", () => {
  assertEquals(summaryOf("ok | 9 passed | 0 failed (0ms)\nok | 1 passed | 0 failed (5s)"), {
    passed: 1,
    failed: 0,
    ignored: 0,
  });
  assertEquals(summaryOf("error: Module not found"), undefined);
});
