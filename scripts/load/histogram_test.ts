import { assert, assertEquals } from "@std/assert";
import { Histogram } from "./histogram.ts";

Deno.test("a histogram's quantiles are right to a tenth, and its longest time exactly", () => {
  const histogram = new Histogram();
  for (let ms = 1; ms <= 1000; ms++) histogram.add(ms);
  const { count, p50, p99, max, mean } = histogram.quantiles();
  assertEquals([count, max, mean], [1000, 1000, 500.5]);
  assert(p50 >= 500 && p50 <= 555 && p99 >= 990 && p99 <= 1000, `${p50} ${p99}`);
});

Deno.test("histograms of several processes add up as if one had counted", () => {
  const one = new Histogram(), a = new Histogram(), b = new Histogram();
  for (let i = 0; i < 500; i++) {
    const ms = (i * 7919) % 613 / 3;
    one.add(ms);
    (i % 2 ? a : b).add(ms);
  }
  const sum = new Histogram(JSON.parse(JSON.stringify(a)));
  sum.merge(JSON.parse(JSON.stringify(b)));
  assertEquals(sum.quantiles(), one.quantiles());
});

Deno.test("a histogram of nothing says nothing, and times beyond its ends are kept", () => {
  const histogram = new Histogram();
  assertEquals(histogram.quantiles(), { count: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0 });
  histogram.add(0);
  histogram.add(1e9);
  assertEquals([histogram.count, histogram.quantile(1)], [2, LAST]);
});

/** The end of the last bucket. */
const LAST = 0.01 * Math.exp(219 * Math.log(1.1));
