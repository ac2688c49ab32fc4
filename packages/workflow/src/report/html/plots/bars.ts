import type { Html } from "../markup.js";
import type { Canvas, Caption } from "./canvas.js";
import { barInsets, drawRows, type NamedRow } from "./named-rows.js";

/** Null where there is no bar to draw, only a figure. */
export interface Bar extends NamedRow {
  readonly value: number | null;
  readonly colour?: "mark" | "other" | "third";
}

/** A bar a row, from zero. */
export function drawBars(canvas: Canvas, caption: Caption, label: string, bars: readonly Bar[]): Html {
  if (!bars.some(({ value }) => isDrawn(value))) return "";
  return drawRows(canvas, caption, bars, {
    x: { label },
    marks: (plot, y) => [
      plot.barX(bars, {
        ...y,
        x1: 0,
        x2: ({ value }: Bar) => (isDrawn(value) ? value : 0),
        fill: ({ colour = "mark" }: Bar) => `var(--${colour})`,
        ...barInsets,
      }),
      plot.ruleX([0]),
    ],
  });
}

/** A ratio may be infinite: no bar is as long. */
function isDrawn(value: number | null): value is number {
  return value !== null && Number.isFinite(value);
}
