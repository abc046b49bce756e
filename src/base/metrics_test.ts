import { assertEquals, assertThrows } from "@std/assert";
import { Metrics } from "./mod.ts";

Deno.test("metrics render counters, gauges and histograms as Prometheus reads them", () => {
  const metrics = new Metrics();
  metrics.counter("c_total", "Count", { kind: 'a"b' }).inc(2);
  metrics.counter("c_total", "Count", { kind: 'a"b' }).inc();
  metrics.gauge("g", "Gauge", () => 7);
  const histogram = metrics.histogram("h_seconds", "Time", {}, [1, 5]);
  for (const value of [0.5, 3, 9]) histogram.observe(value);
  assertEquals(
    metrics.render(),
    `# HELP c_total Count
# TYPE c_total counter
c_total{kind="a\\"b"} 3
# HELP g Gauge
# TYPE g gauge
g 7
# HELP h_seconds Time
# TYPE h_seconds histogram
h_seconds_bucket{le="1"} 1
h_seconds_bucket{le="5"} 2
h_seconds_bucket{le="+Inf"} 3
h_seconds_sum 12.5
h_seconds_count 3
`,
  );
});

Deno.test("a metric's name stands for one type", () => {
  const metrics = new Metrics();
  metrics.counter("x", "X");
  assertThrows(() => metrics.gauge("x", "X", () => 0), TypeError);
});
