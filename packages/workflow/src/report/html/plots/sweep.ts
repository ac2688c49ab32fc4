import { formatBytes } from "../../format.js";
import type { Html } from "../markup.js";
import type { Canvas } from "./canvas.js";

/** A recipe by what it costs and what it loses, where it was judged last. */
export interface PlottedRecipe {
  readonly name: string;
  readonly group: string;
  readonly bytes: number;
  /** In units of the metric. */
  readonly loss: number;
  /** The number of a recipe of the frontier; undefined for others. */
  readonly sign: string | undefined;
}

/** Size against loss, every recipe a dot, the frontier of each mode with its numbers and a line. */
export function drawSweep(canvas: Canvas, recipes: readonly PlottedRecipe[]): Html {
  if (recipes.length < 2) return "";
  const largest = Math.max(...recipes.map(({ bytes }) => bytes));
  const [unit, label] = largest >= 1e6 ? [1e6, "MB"] : [1e3, "kB"];
  const x = ({ bytes }: PlottedRecipe): number => bytes / unit;
  const y = ({ loss }: PlottedRecipe): number => loss * 100;
  const isBest = ({ sign }: PlottedRecipe): boolean => sign !== undefined;
  const frontier = recipes.filter(isBest).toSorted((a, b) => a.bytes - b.bytes);
  const note =
    "with numbers: the frontier, a line for each mode; small: recipes that ended, by their last rung";
  // Losses of recipes that fail altogether would press all others onto one line.
  const highest = Math.max(0.1, 2 * Math.max(...(frontier.length === 0 ? recipes : frontier).map(y)));
  const shown = recipes.filter((recipe) => isBest(recipe) || y(recipe) <= highest);
  return canvas.draw({ title: "Size and loss", note }, (plot) => ({
    height: 280,
    marginLeft: 52,
    marginRight: 24,
    marginTop: 24,
    marginBottom: 40,
    inset: 16,
    x: { label, grid: true, ticks: 5, labelAnchor: "center", labelArrow: "none" },
    y: { label: "loss, points", grid: true, ticks: 5, labelArrow: "none" },
    marks: [
      plot.ruleY([0]),
      plot.lineY(frontier, { x, y, z: "group", stroke: "var(--third)", curve: "step-after" }),
      plot.dot(shown, {
        x,
        y,
        r: (recipe: PlottedRecipe) => (isBest(recipe) ? 5 : 3),
        fill: (recipe: PlottedRecipe) => (isBest(recipe) ? "var(--third)" : "var(--mark)"),
        title: ({ name, bytes, loss }: PlottedRecipe) =>
          `${name}: ${formatBytes(bytes)}, ${(loss * 100).toFixed(2)} points`,
      }),
      plot.text(frontier, { x, y, dy: -12, text: ({ sign }: PlottedRecipe) => sign ?? "" }),
    ],
  }));
}
