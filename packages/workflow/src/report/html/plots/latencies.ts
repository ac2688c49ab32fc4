import type { Latency } from "@nasty/runtime";
import { formatMs } from "../../format.js";
import type { Html } from "../markup.js";
import type { Canvas } from "./canvas.js";
import { belowText, drawRows } from "./named-rows.js";

/** How long a model took for a sentence, in milliseconds; `samples` are means over the sentences of one round. */
export type ModelLatency = Pick<Latency, "p50" | "p95" | "ci95" | "samples"> & { readonly name: string };

/** Every measured round, with median, 95th percentile and the interval of the mean. */
export function drawLatencies(canvas: Canvas, models: readonly ModelLatency[]): Html {
  if (models.length === 0) return "";
  const rows = models.map((model) => ({ ...model, figure: formatMs(model.p50) }));
  type Row = (typeof rows)[number];
  const rounds = rows.flatMap(({ samples }, row) => samples.map((ms) => ({ row, ms })));
  type Round = (typeof rounds)[number];
  const dots = rounds.length === 0 ? "" : "dot: one round; ";
  const note = `${dots}bars: median and 95th percentile; band: 95% interval of the mean`;
  return drawRows(canvas, { title: "Latency", note }, rows, {
    x: { label: "ms a sentence", nice: true },
    marks: (plot, y) => [
      plot.ruleY(rows, {
        ...y,
        x1: ({ ci95 }: Row) => ci95[0],
        x2: ({ ci95 }: Row) => ci95[1],
        dy: belowText,
        stroke: "var(--mark)",
        strokeWidth: 10,
        strokeOpacity: 0.3,
      }),
      plot.dot(rounds, {
        x: ({ ms }: Round) => ms,
        y: ({ row }: Round) => row,
        dy: belowText,
        r: 3,
        fill: "var(--mark)",
        fillOpacity: 0.7,
      }),
      plot.tickX(rows, { ...y, x: ({ p50 }: Row) => p50, insetTop: 18, strokeWidth: 2.5 }),
      plot.tickX(rows, {
        ...y,
        x: ({ p95 }: Row) => p95,
        insetTop: 18,
        stroke: "var(--other)",
        strokeWidth: 2.5,
      }),
    ],
  });
}
