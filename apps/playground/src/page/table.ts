import { element } from "./element.js";

type Cells = readonly (string | number | HTMLElement)[];

/** A table that scrolls by itself where it is wider than the page. */
export function table(name: string, heads: readonly string[], rows: readonly Cells[]): HTMLElement {
  return element(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": name },
    element(
      "table",
      {},
      element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
      element(
        "tbody",
        {},
        ...rows.map((cells) =>
          element(
            "tr",
            {},
            ...cells.map((cell) => element("td", {}, cell instanceof HTMLElement ? cell : String(cell))),
          ),
        ),
      ),
    ),
  );
}
