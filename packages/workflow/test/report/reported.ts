import { parseHTML } from "linkedom";
import { expect } from "vitest";

/** What the tests ask of a page. */
interface PageElement {
  readonly textContent: string;
  readonly outerHTML: string;
  readonly attributes: Iterable<{ readonly name: string; readonly value: string }>;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
}

/** A report as a browser reads it. */
export interface ReadPage {
  readonly html: string;
  readonly title: string;
  readonly headings: readonly string[];
  /** Titles of the plots. */
  readonly plots: readonly string[];
  /** The plot of that title. */
  plot(title: string): PageElement;
  /** Text of all elements that a selector finds. */
  texts(selector: string): readonly string[];
  /** A row of a table of facts. */
  fact(name: string): string;
}

/**
 * Reads a report and checks what holds of every one: it loads nothing, runs nothing, and names no folder of this
 * machine.
 */
export function readPage(html: string, folder: string): ReadPage {
  const { document } = parseHTML(html) as unknown as { readonly document: PageElement };
  expect(html.startsWith("<!doctype html>")).toBe(true);
  const all = [...document.querySelectorAll("*")];
  const names = new Set(all.flatMap(({ attributes }) => [...attributes].map(({ name }) => name)));
  for (const name of ["src", "href", "srcset", "xlink:href", "action"]) expect(names).not.toContain(name);
  expect([...names].filter((name) => name.startsWith("on"))).toEqual([]);
  const loading = "script, link, img, iframe, object, embed, foreignObject, image, use, base";
  expect([...document.querySelectorAll(loading)].map(({ outerHTML }) => outerHTML)).toEqual([]);
  expect(html).not.toMatch(/@import|url\(/);
  for (const path of [folder, process.cwd()]) expect(html).not.toContain(path);
  const texts = (selector: string): string[] =>
    [...document.querySelectorAll(selector)].map(({ textContent }) => textContent);
  const figures = [...document.querySelectorAll("figure")];
  const titleOf = (figure: PageElement): string => {
    const note = figure.querySelector("small")?.textContent ?? "";
    const whole = figure.querySelector("figcaption")?.textContent ?? "";
    return whole.slice(0, whole.length - note.length);
  };
  for (const figure of figures) {
    expect(figure.querySelector("svg"), titleOf(figure)).not.toBeNull();
    expect(figure.outerHTML, titleOf(figure)).not.toMatch(/NaN|Infinity|undefined/);
  }
  return {
    html,
    title: texts("h1")[0] ?? "",
    headings: texts("h2"),
    plots: figures.map(titleOf),
    plot(title) {
      const found = figures.find((figure) => titleOf(figure) === title);
      if (found === undefined) throw new Error(`no plot ${title}`);
      return found;
    },
    texts,
    fact(name) {
      for (const row of document.querySelectorAll(".facts tr")) {
        if (row.querySelector("th")?.textContent === name) return row.querySelector("td")?.textContent ?? "";
      }
      throw new Error(`no fact ${name}`);
    },
  };
}
