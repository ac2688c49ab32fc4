import type { ActivationRange, Bins } from "../../../quantization/activation-ranges.js";
import type { Html } from "../markup.js";
import type { Canvas } from "./canvas.js";
import { withoutMiddle } from "./short-names.js";
import { belowText, drawRows } from "./named-rows.js";

const short = (value: number): string => String(Number(value.toPrecision(3)));

/** What of every activation becomes integers, and what was seen beyond it. */
export function drawRanges(canvas: Canvas, activations: readonly ActivationRange[]): Html {
  if (activations.length === 0) return "";
  const rows = activations.map((one) => ({ ...one, figure: `${short(one.min)} to ${short(one.max)}` }));
  type Row = (typeof rows)[number];
  const note = "thick: the range that is kept; thin: what was seen, cut off at the ends of the thick line";
  return drawRows(canvas, { title: "Ranges of activations", note }, rows, {
    // Outliers are a thousand times what is usual.
    x: { type: "symlog", label: "value (symmetric log scale)", nice: true },
    marks: (plot, y) => [
      plot.ruleY(rows, {
        ...y,
        x1: ({ min, seen }: Row) => seen?.min ?? min,
        x2: ({ max, seen }: Row) => seen?.max ?? max,
        dy: belowText,
        stroke: "var(--other)",
        strokeWidth: 1.5,
      }),
      plot.ruleY(rows, {
        ...y,
        x1: ({ min }: Row) => min,
        x2: ({ max }: Row) => max,
        dy: belowText,
        stroke: "var(--mark)",
        strokeWidth: 6,
      }),
      plot.ruleX([0], { strokeOpacity: 0.5 }),
    ],
  });
}

/**
 * The values of an activation, counts on a log scale; what is cut off in another colour, the ends of the range as
 * lines.
 */
export function drawHistogram(canvas: Canvas, { name, min, max, bins, seen }: ActivationRange): Html {
  if (bins === undefined) return "";
  const { from, width, counts } = bins;
  const total = counts.reduce((a, b) => a + b, 0);
  const at = (bin: number): number => from + bin * width;
  const isKept = (bin: number): boolean => at(bin + 1) > min && at(bin) < max;
  const first = counts.findIndex((_, bin) => isKept(bin));
  const last = counts.findLastIndex((_, bin) => isKept(bin));
  const cut = counts.reduce((sum, count, bin) => (isKept(bin) ? sum : sum + count), 0);
  const isCut = seen !== undefined && (seen.min < min || seen.max > max);
  const caption = {
    title: withoutMiddle(name, 48),
    note: `${short(min)} to ${short(max)}${isCut ? `, ${((100 * cut) / total).toPrecision(2)}% cut off` : ""}`,
  };
  return canvas.draw(caption, (plot) => ({
    height: 110,
    marginLeft: 6,
    marginRight: 12,
    marginTop: 4,
    marginBottom: 24,
    x: { label: null, ticks: 5 },
    y: { axis: null },
    marks: [
      outline(plot, bins, { first: 0, last: counts.length - 1, fill: "var(--other)" }),
      ...(first < 0 ? [] : [outline(plot, bins, { first, last, fill: "var(--mark)" })]),
      plot.ruleX([min, max], { stroke: "currentColor", strokeDasharray: "3 2" }),
      plot.ruleY([0]),
    ],
  }));
}

/** Some of the bins as one area: a shape for each would make large files of large models. */
function outline(
  plot: Parameters<Parameters<Canvas["draw"]>[1]>[0],
  { from, width, counts }: Bins,
  { first, last, fill }: { readonly first: number; readonly last: number; readonly fill: string },
) {
  const shown = counts.slice(first, last + 1);
  const steps = [...shown, shown.at(-1) ?? 0].map((count, bin) => ({
    x: from + (first + bin) * width,
    y: Math.log10(1 + count),
  }));
  return plot.areaY(steps, { x: "x", y: "y", curve: "step-after", fill });
}
