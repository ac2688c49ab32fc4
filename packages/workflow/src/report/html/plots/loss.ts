import type { Html } from "../markup.js";
import type { Canvas } from "./canvas.js";
import { belowText, drawRows } from "./named-rows.js";

/** What a model lost against the first one, in units of the metric. */
export interface Loss {
  readonly name: string;
  readonly loss: number;
  readonly interval: readonly [low: number, high: number] | null;
}

const points = (loss: number): number => loss * 100;

/**
 * Losses with their 95 % intervals, in points.
 *
 * @param target the largest loss that passes; null without a gate
 */
export function drawLosses(
  canvas: Canvas,
  metric: string,
  losses: readonly Loss[],
  target: number | null,
): Html {
  if (losses.length === 0) return "";
  const rows = losses.map(({ name, loss, interval }) => {
    const [low, high] = interval ?? [loss, loss];
    return {
      name,
      figure: (Math.round(points(loss) * 100) / 100 + 0).toFixed(2),
      loss: points(loss),
      low: points(low),
      high: points(high),
    };
  });
  type Row = (typeof rows)[number];
  // Without any loss a scale from zero to zero would have no length.
  const ends = [0, ...rows.flatMap(({ low, high, loss }) => [low, high, loss]), points(target ?? 0)];
  const room = Math.max(0.05, (Math.max(...ends) - Math.min(...ends)) * 0.05);
  const note = `bar: 95% interval, dot: measured${target === null ? "" : "; dashed: the largest loss that passes"}`;
  return drawRows(canvas, { title: `Loss of ${metric}`, note }, rows, {
    x: { label: "points lost", domain: [Math.min(...ends) - room, Math.max(...ends) + room] },
    marks: (plot, y) => [
      plot.ruleX([0]),
      ...(target === null
        ? []
        : [
            plot.ruleX([points(target)], {
              stroke: "var(--other)",
              strokeDasharray: "4 3",
              strokeWidth: 1.5,
            }),
          ]),
      plot.ruleY(rows, {
        ...y,
        x1: ({ low }: Row) => low,
        x2: ({ high }: Row) => high,
        dy: belowText,
        stroke: "var(--mark)",
        strokeWidth: 5,
        strokeOpacity: 0.45,
      }),
      plot.dot(rows, { ...y, x: ({ loss }: Row) => loss, dy: belowText, r: 5, fill: "var(--mark)" }),
    ],
  });
}
