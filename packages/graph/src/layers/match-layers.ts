import { editDistance } from "./edit-distance.js";
import { compilePattern, type NamePattern } from "./pattern.js";

/** A layer as patterns see it: any of its names may match, that of its node or those of its weights. */
export interface NamedLayer {
  readonly names: readonly string[];
}

/** Which layers a list of patterns names. */
export interface MatchedLayers {
  /** For each layer the first pattern that names it, or undefined; in the order of the layers. */
  readonly matched: readonly (NamePattern | undefined)[];
  /** The first pattern that names no layer, and up to three names that are near to it. */
  readonly missing: { readonly pattern: NamePattern; readonly near: readonly string[] } | undefined;
}

/**
 * Finds which layers a list of patterns names. A pattern that is some layer's exact name names that layer alone; see
 * {@link compilePattern} for the others.
 *
 * @throws GraphError `invalid-pattern`
 * @example matchLayers([{ names: ["/classifier/MatMul"] }], ["class*"]).matched // ["class*"]
 */
export function matchLayers(layers: readonly NamedLayer[], patterns: readonly NamePattern[]): MatchedLayers {
  const byName = new Map<string, number[]>();
  for (const [index, { names }] of layers.entries()) {
    for (const name of names) byName.set(name, [...(byName.get(name) ?? []), index]);
  }
  const matched: (NamePattern | undefined)[] = layers.map(() => undefined);
  let missing: MatchedLayers["missing"];
  for (const pattern of patterns) {
    const found = (typeof pattern === "string" && byName.get(pattern)) || indicesOf(layers, pattern);
    for (const index of found) matched[index] ??= pattern;
    if (found.length === 0) missing ??= { pattern, near: nearNames(String(pattern), [...byName.keys()]) };
  }
  return { matched, missing };
}

function indicesOf(layers: readonly NamedLayer[], pattern: NamePattern): number[] {
  const matches = compilePattern(pattern);
  return layers.flatMap(({ names }, index) => (names.some(matches) ? [index] : []));
}

function nearNames(pattern: string, names: readonly string[]): string[] {
  const plain = pattern.replaceAll(/[*?/\\^$]/g, "").toLowerCase();
  const scored = names.map((name) => {
    const lower = name.toLowerCase();
    const contained = plain.length > 2 && lower.includes(plain);
    return { name, distance: contained ? 0 : editDistance(lower, pattern.toLowerCase()) / name.length };
  });
  scored.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return scored.slice(0, 3).map(({ name }) => name);
}
