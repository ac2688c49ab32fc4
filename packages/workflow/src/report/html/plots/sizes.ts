import { formatBytes, formatPercent } from "../../format.js";
import type { Html } from "../markup.js";
import { drawBars } from "./bars.js";
import type { Canvas } from "./canvas.js";

/** Bytes of models, each a bar. */
export function drawSizes(
  canvas: Canvas,
  models: readonly { readonly name: string; readonly bytes: number }[],
): Html {
  const largest = Math.max(...models.map(({ bytes }) => bytes));
  const [unit, label] = largest >= 1e6 ? [1e6, "MB"] : [1e3, "kB"];
  const bars = models.map(({ name, bytes }) => ({ name, figure: formatBytes(bytes), value: bytes / unit }));
  return drawBars(canvas, { title: "Size" }, label, bars);
}

/** Accuracy or F1 of models, each a bar from zero. */
export function drawValues(
  canvas: Canvas,
  metric: string,
  models: readonly { readonly name: string; readonly value: number }[],
): Html {
  const bars = models.map(({ name, value }) => ({
    name,
    figure: formatPercent(value),
    value: value * 100,
    colour: "third" as const,
  }));
  return drawBars(canvas, { title: metric === "f1" ? "F1" : "Accuracy" }, "%", bars);
}
