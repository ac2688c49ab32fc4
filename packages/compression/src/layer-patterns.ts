import { CompressionError } from "./compression-error.js";

/** A layer as patterns see it: any of its names may match. */
export interface NamedLayer {
  readonly names: readonly string[];
}

const regexSpecial = /[.+^${}()|[\]\\]/g;

/** `*` matches within one path segment, `**` across segments, `?` one character. */
function globToRegExp(glob: string): RegExp {
  const source = glob
    .replaceAll(regexSpecial, String.raw`\$&`)
    .replaceAll("**", "\0")
    .replaceAll("*", "[^/]*")
    .replaceAll("\0", ".*")
    .replaceAll("?", "[^/]");
  return new RegExp(`^${source}$`);
}

function compile(pattern: string, operation: string): (name: string) => boolean {
  const regex = /^\/(?<body>.+)\/(?<flags>[imsu]*)$/s.exec(pattern);
  // A path such as /bert/encoder/ looks like a regular expression and means the same as one.
  if (regex?.groups !== undefined) {
    try {
      const compiled = new RegExp(regex.groups.body ?? "", regex.groups.flags ?? "");
      return (name) => name === pattern || compiled.test(name);
    } catch (cause) {
      throw new CompressionError(
        "invalid-option",
        `${operation}: skipLayers: ${pattern}: expected a regular expression, got ${(cause as Error).message}`,
        { cause },
      );
    }
  }
  if (/[*?]/.test(pattern)) {
    const glob = globToRegExp(pattern);
    return (name) => name === pattern || glob.test(name);
  }
  return (name) => name === pattern;
}

/** Levenshtein distance over two rows, enough for names. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substitution, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}

function nearMatches(pattern: string, names: readonly string[]): string[] {
  const plain = pattern.replaceAll(/[*?/\\^$]/g, "").toLowerCase();
  const scored = names.map((name) => {
    const lower = name.toLowerCase();
    const contained = plain.length > 2 && lower.includes(plain);
    return { name, distance: contained ? 0 : editDistance(lower, pattern.toLowerCase()) / name.length };
  });
  scored.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return scored.slice(0, 3).map(({ name }) => name);
}

/**
 * Finds which layers a list of patterns names.
 *
 * A pattern is an exact name, a glob (`*` within a segment between slashes, `**` across segments, `?`), or
 * `/a regular expression/` with the flags i, m, s, u. A layer has several names (its node, its weight); one match is enough.
 *
 * @param layers every layer that could be skipped
 * @param patterns what the user wrote
 * @param operation name of the step, for messages
 * @returns for each layer the pattern that matched, or undefined; in the order of `layers`
 * @throws CompressionError `no-such-layer` for a pattern without a match, naming the nearest layers; `invalid-option` for a broken regular expression
 * @example matchLayers([{ names: ["classifier"] }], ["class*"], "quantize") // ["class*"]
 */
export function matchLayers(
  layers: readonly NamedLayer[],
  patterns: readonly string[],
  operation: string,
): (string | undefined)[] {
  const matched: (string | undefined)[] = layers.map(() => undefined);
  for (const pattern of patterns) {
    const matches = compile(pattern, operation);
    let count = 0;
    for (const [index, layer] of layers.entries()) {
      if (!layer.names.some(matches)) {
        continue;
      }
      matched[index] ??= pattern;
      count++;
    }
    if (count === 0) {
      const names = [...new Set(layers.flatMap((layer) => layer.names))];
      const near = nearMatches(pattern, names);
      const hint = near.length === 0 ? "the model has no layer to skip" : `nearest: ${near.join(", ")}`;
      throw new CompressionError(
        "no-such-layer",
        `${operation}: skipLayers: ${pattern}: expected at least one matching layer, got none of ${layers.length} (${hint})`,
      );
    }
  }
  return matched;
}
