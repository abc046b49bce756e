/**
 * Charts as SVG, drawn by the server.
 *
 * @module
 */

const WIDTH = 600, HEIGHT = 120;

/** A line over time, with a text for those who can't see it. */
export function LineChart(
  { values, label, from, until, format, most }: {
    readonly values: readonly number[];
    readonly label: string;
    /** What stands under the two ends. */
    readonly from: string;
    readonly until: string;
    readonly format: (value: number) => string;
    /** What says that a value is the highest. */
    readonly most: (value: string) => string;
  },
) {
  const top = Math.max(1e-9, ...values), last = values.at(-1) ?? 0;
  const step = values.length > 1 ? WIDTH / (values.length - 1) : 0;
  const shown = values.length === 1 ? [last, last] : values;
  const points = shown.map((value, i) =>
    `${round(values.length === 1 ? i * WIDTH : i * step)},${
      round(HEIGHT - 4 - (value / top) * (HEIGHT - 12))
    }`
  );
  const lowest = values.length > 0 ? Math.min(...values) : 0;
  return (
    <figure class="figure">
      <svg
        class="chart"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        height={HEIGHT}
        role="img"
        aria-label={`${label}: ${format(lowest)} – ${format(top)}, ${format(last)}`}
      >
        <line class="axis" x1="0" x2={WIDTH} y1={HEIGHT - 1} y2={HEIGHT - 1} />
        {points.length > 0 && (
          <>
            <polygon class="area" points={`0,${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`} />
            <polyline class="line" points={points.join(" ")} />
          </>
        )}
      </svg>
      <div class="scale">
        <span>{from}</span>
        <span>{most(format(values.length > 0 ? Math.max(...values) : 0))}</span>
        <span>{until}</span>
      </div>
    </figure>
  );
}

/** Shares as bars: each with a label, a number, and how much of it is filled (0 to 1). */
export function Bars(
  { rows }: {
    readonly rows: readonly { readonly label: string; readonly value: string; readonly fill: number }[];
  },
) {
  return (
    <div class="bars">
      {rows.map(({ label, value, fill }) => (
        <div>
          <div class="label">
            <span>{label}</span>
            <span class="soft">{value}</span>
          </div>
          <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
            <rect class="track" width="100" height="4" rx="2" />
            <rect class="fill" width={round(Math.min(1, Math.max(0, fill)) * 100)} height="4" rx="2" />
          </svg>
        </div>
      ))}
    </div>
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
