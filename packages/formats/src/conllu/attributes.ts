import type { Columns } from "./sentence.js";

/** An edge of the enhanced graph; `head` is an ID: `0`, `3` or `5.1`. */
export interface EnhancedDependency {
  readonly head: string;
  readonly deprel: string;
}

/**
 * The FEATS column as a map: `Case=Nom|Number=Sing` has `Case` → `Nom`. Empty for `_`; of a repeated name the first
 * counts.
 *
 * @example
 * ```ts
 * featsOf(word).get("Number"); // "Sing"
 * ```
 */
export function featsOf(row: Pick<Columns, "feats">): Map<string, string> {
  return attributes(row.feats);
}

/**
 * The MISC column as a map: `SpaceAfter=No|Gloss` has `SpaceAfter` → `No` and `Gloss` → the empty string. Empty for
 * `_`; of a repeated name the first counts (the column itself keeps them all).
 *
 * @example
 * ```ts
 * miscOf(word).get("SpaceAfter") === "No";
 * ```
 */
export function miscOf(row: Pick<Columns, "misc">): Map<string, string> {
  return attributes(row.misc);
}

/**
 * The DEPS column as edges: `2:conj|5.1:nsubj` has heads `2` and `5.1`. Empty for `_`.
 *
 * @example
 * ```ts
 * depsOf(word).map(({ head, deprel }) => `${deprel} of ${head}`);
 * ```
 */
export function depsOf(row: Pick<Columns, "deps">): EnhancedDependency[] {
  if (row.deps === "_") return [];
  return row.deps.split("|").map((edge) => {
    const colon = edge.indexOf(":");
    return colon < 0
      ? { head: edge, deprel: "" }
      : { head: edge.slice(0, colon), deprel: edge.slice(colon + 1) };
  });
}

function attributes(column: string): Map<string, string> {
  const found = new Map<string, string>();
  if (column === "_") return found;
  for (const item of column.split("|")) {
    const equals = item.indexOf("=");
    const name = equals < 0 ? item : item.slice(0, equals);
    if (!found.has(name)) found.set(name, equals < 0 ? "" : item.slice(equals + 1));
  }
  return found;
}
