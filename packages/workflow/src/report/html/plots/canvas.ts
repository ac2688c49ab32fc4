import type * as library from "@observablehq/plot";
import { escapeHtml, type Html } from "../markup.js";

/** The library that draws; loaded only where a report is written. */
export type Plotting = typeof library;

/** Width of a plot in CSS pixels: the room on a phone of 390, so that its text is nowhere shrunk. */
const width = 358;

/** What is said above a plot. */
export interface Caption {
  readonly title: string;
  readonly note?: string | undefined;
}

/** Draws plots as inline SVG, without a browser. */
export interface Canvas {
  draw(caption: Caption, make: (plot: Plotting) => library.PlotOptions): Html;
}

export async function openCanvas(): Promise<Canvas> {
  const [plot, { parseHTML }] = await Promise.all([import("@observablehq/plot"), import("linkedom")]);
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  return {
    draw({ title, note }, make) {
      const options = make(plot);
      const drawn = plot.plot({
        document,
        className: "plot",
        width,
        ...options,
        style: { fontSize: "12px", background: "none", overflow: "visible" },
      }) as unknown as Element;
      // The style of the page says it once.
      drawn.querySelector("style")?.remove();
      drawn.setAttribute("role", "img");
      drawn.setAttribute("aria-label", title);
      const small = note === undefined ? "" : `<small>${escapeHtml(note)}</small>`;
      return `<figure><figcaption>${escapeHtml(title)}${small}</figcaption>${drawn.outerHTML}</figure>`;
    },
  };
}

/** The part of a DOM element that is needed of it. */
interface Element {
  readonly outerHTML: string;
  querySelector(selector: string): { remove(): void } | null;
  setAttribute(name: string, value: string): void;
}
