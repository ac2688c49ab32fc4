import { element } from "./element.js";
import type { FlippedWord } from "./flipped-words.js";
import { table } from "./table.js";

/** How many labels differ, and each of those words in its sentence. */
export function flipsView(
  flipped: readonly FlippedWord[],
  words: number,
  names: { readonly first: string; readonly second: string; readonly verb: string },
): HTMLElement[] {
  const count = `${flipped.length} of ${words} ${words === 1 ? "label" : "labels"} ${names.verb}.`;
  const shown = [element("p", { id: "flips" }, count)];
  if (flipped.length === 0) return shown;
  const rows = flipped.map(({ before, form, after, first, second }) => [
    element("span", {}, `${before} `, element("mark", {}, form), ` ${after}`),
    first,
    second,
  ]);
  return [...shown, table("Words whose labels differ", ["word", names.first, names.second], rows)];
}
