import type { Markish, ScaleOptions } from "@observablehq/plot";
import type { Canvas, Caption, Plotting } from "./canvas.js";
import { shortNames } from "./short-names.js";
import type { Html } from "../markup.js";

/** A line of a plot: its name and figure stand above what is drawn, so that long names have room on a phone. */
export interface NamedRow {
  readonly name: string;
  readonly figure: string;
}

export interface RowOptions {
  /** Scale of the values, with its label. */
  readonly x: ScaleOptions;
  /** What is drawn of the rows; `y` is the channel that places them. */
  readonly marks: (
    plot: Plotting,
    y: { readonly y: (row: unknown, index: number) => number },
  ) => readonly Markish[];
}

const rowHeight = 34;

/** Letters that fit beside the figure. */
const room = 46;

/** Rows below each other on one scale, in the given order. */
export function drawRows<Row extends NamedRow>(
  canvas: Canvas,
  caption: Caption,
  rows: readonly Row[],
  { x, marks }: RowOptions,
): Html {
  const names = shortNames(
    rows.map(({ name }) => name),
    (row) => room - (rows[row]?.figure.length ?? 0),
  );
  const y = { y: (_: unknown, index: number) => index };
  return canvas.draw(caption, (plot) => ({
    height: rows.length * rowHeight + 44,
    marginTop: 4,
    marginBottom: 40,
    marginLeft: 6,
    marginRight: 12,
    // Names may be equal, places are not.
    y: { type: "band", domain: rows.map((_, index) => index), axis: null, padding: 0 },
    x: { grid: true, labelAnchor: "center", labelArrow: "none", ticks: 5, ...x },
    marks: [
      ...marks(plot, y),
      plot.text(rows, {
        ...y,
        ...text,
        frameAnchor: "left",
        dx: 3,
        text: names,
        title: ({ name }: Row) => name,
      }),
      plot.text(rows, {
        ...y,
        ...text,
        frameAnchor: "right",
        text: ({ figure }: Row) => figure,
        fontWeight: 600,
      }),
    ],
  }));
}

/** Text stands above what is drawn, with an edge that lines of the scale do not cross. */
const text = { dy: -8, stroke: "var(--page)", strokeWidth: 4, fill: "currentColor" } as const;

/** Where bars stand in a row, below the text. */
export const barInsets = { insetTop: 18, insetBottom: 6 } as const;

/** How far below a row's middle what is no bar is drawn. */
export const belowText = 9;
