import { formatBytes, formatPercent } from "../../format.js";
import type { Html } from "../markup.js";
import type { Canvas } from "./canvas.js";

/** A model by what it costs and what it is worth. */
export interface SizedModel {
  readonly name: string;
  /** A number or so that stands beside it, where a name would stand on another's. */
  readonly sign: string;
  readonly bytes: number;
  /** 0 to 1. */
  readonly value: number;
}

/** The models that no other one of at most their size surpasses, smallest first. */
export function frontierOf(models: readonly SizedModel[]): SizedModel[] {
  const frontier: SizedModel[] = [];
  for (const model of models.toSorted((a, b) => a.bytes - b.bytes || b.value - a.value)) {
    if (frontier.length === 0 || model.value > frontier.at(-1)!.value) frontier.push(model);
  }
  return frontier;
}

/** Size against the metric, with the line of the models that are worth their bytes. */
export function drawFrontier(canvas: Canvas, metric: string, models: readonly SizedModel[]): Html {
  if (models.length < 2) return "";
  const largest = Math.max(...models.map(({ bytes }) => bytes));
  const [unit, label] = largest >= 1e6 ? [1e6, "MB"] : [1e3, "kB"];
  const x = ({ bytes }: SizedModel): number => bytes / unit;
  const y = ({ value }: SizedModel): number => value * 100;
  const frontier = frontierOf(models);
  const isBest = new Set(frontier);
  const note = `${models.map(({ sign, name }) => (name.startsWith(sign) ? name : `${sign} ${name}`)).join(", ")}; line: no other model of at most that size is better`;
  return canvas.draw({ title: `Size and ${metric}`, note }, (plot) => ({
    height: 280,
    marginLeft: 52,
    marginRight: 24,
    marginTop: 24,
    marginBottom: 40,
    inset: 16,
    x: { label, grid: true, ticks: 5, labelAnchor: "center", labelArrow: "none" },
    y: { label: `${metric}, %`, grid: true, ticks: 5, labelArrow: "none" },
    marks: [
      plot.lineY(frontier, { x, y, stroke: "var(--third)", curve: "step-after" }),
      plot.dot(models, {
        x,
        y,
        r: 5,
        fill: (model: SizedModel) => (isBest.has(model) ? "var(--third)" : "var(--mark)"),
        title: ({ name, bytes, value }: SizedModel) =>
          `${name}: ${formatBytes(bytes)}, ${formatPercent(value)}`,
      }),
      plot.text(models, {
        x,
        y,
        dy: -12,
        text: ({ sign }: SizedModel) => sign,
      }),
    ],
  }));
}
