import { assertEquals } from "@std/assert";
import { percentile, tableOf } from "./rows.ts";

Deno.test("figures stand with their unit, ratio and goal; columns that nothing is in are left out", () => {
  assertEquals(
    tableOf([
      { name: "bare", value: 98_765.4, unit: "/s" },
      { name: "ours", value: 12.345, unit: "ms", ratio: 0.5, goal: "0.4" },
    ]),
    `|      | figure    | ratio | goal |
| ---- | --------- | ----- | ---- |
| bare | 98,765 /s |       |      |
| ours | 12.35 ms  | 0.50  | 0.4  |`,
  );
});

Deno.test("figures of several sizes stand in one line, each in its column", () => {
  assertEquals(
    tableOf([
      { name: "look-up", value: 9.5, unit: "µs", figures: { "1,000": 9, "10,000": 9.5 }, ratio: 1.056 },
      { name: "search", value: 3, unit: "", figures: { "10,000": 3 } },
    ]),
    `|             | 1,000 | 10,000 | ratio |
| ----------- | ----- | ------ | ----- |
| look-up, µs | 9     | 9.50   | 1.06  |
| search      |       | 3      |       |`,
  );
});

Deno.test("a percentile is a value that was measured", () => {
  const values = [5, 1, 4, 2, 3];
  assertEquals([percentile(values, 0), percentile(values, 0.5), percentile(values, 1)], [1, 3, 5]);
});
