import { RE2JS, RE2JSException } from "re2js";
import { toRegex } from "glob-to-regex.js";
import { GraphError } from "../graph-error.js";

/** A name, a glob or `/a regular expression/`; a program may also give a regular expression. */
export type NamePattern = string | RegExp;

// Bounds of what a pattern may cost; names are a few hundred characters long.
const longestPattern = 1000;
const largestProgram = 5000;
const mostAlternatives = 256;

/**
 * A test of names by a pattern.
 *
 * - `/expression/` with the flags i, m, s, u is a regular expression that may match anywhere in the name. It is in
 *   RE2's language, without lookaround and backreferences, so that its time is linear in the name.
 * - Without a slash, the pattern names one or more whole parts of a name, wherever they are; parts lie between dots and
 *   slashes. `classifier`, `class*` and `layer.0` match `/bert/layer.0/classifier/MatMul` and
 *   `bert.layer.0.classifier.weight`.
 * - With a slash, a pattern without wildcards names a part of the path and everything below it: `/bert/encoder`,
 *   `encoder/layer.0`; one with wildcards matches to the end: `*` stays within a segment between slashes, `**` crosses
 *   them. A slash in front anchors it.
 *
 * Wildcards are `*`, `?`, `[abc]` and `{a,b}`. A pattern always matches the name that it spells.
 *
 * @throws GraphError `invalid-pattern` for what cannot be read, or would be too large
 * @example compilePattern("class*")("/classifier/MatMul") // true
 */
export function compilePattern(pattern: NamePattern): (name: string) => boolean {
  if (pattern instanceof RegExp) {
    // A global expression would go on where its last match ended.
    const expression = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
    return (name) => expression.test(name);
  }
  if (pattern.length > longestPattern) {
    throw invalid(pattern, `expected at most ${longestPattern} characters, got ${pattern.length}`);
  }
  const matches = matcherOf(pattern);
  return (name) => name === pattern || matches(name);
}

function matcherOf(pattern: string): (name: string) => boolean {
  const { body, flags = "" } = /^\/(?<body>.+)\/(?<flags>[imsu]*)$/s.exec(pattern)?.groups ?? {};
  if (body !== undefined) return finderOf(pattern, body, flags);
  const hasWildcards = /[*?[\]{}]/.test(pattern);
  const isAnchored = pattern.startsWith("/");
  const bare = isAnchored ? pattern.slice(1) : pattern;
  if (!hasWildcards) {
    const part = `${dotted(bare)}.`;
    return isAnchored
      ? (name) => `${dotted(name)}.`.startsWith(part)
      : (name) => `.${dotted(name)}.`.includes(`.${part}`);
  }
  const source = sourceOfGlob(pattern, bare);
  if (!pattern.includes("/")) {
    const find = finderOf(pattern, String.raw`(?:^|\.)(?:${source})(?:\.|$)`, "s");
    return (name) => find(dotted(name));
  }
  const find = finderOf(pattern, `${isAnchored ? "^" : "(?:^|/)"}(?:${source})$`, "s");
  return (name) => find(name.replace(/^\//, ""));
}

/** Parts of a name with dots between them, whatever stood there. */
function dotted(name: string): string {
  return name.replace(/^\//, "").replaceAll("/", ".");
}

function sourceOfGlob(pattern: string, glob: string): string {
  if (alternativesOf(glob) > mostAlternatives) {
    throw invalid(pattern, `expected at most ${mostAlternatives} alternatives in braces, got more`);
  }
  try {
    return toRegex(glob).source.replace(/^\^/, "").replace(/\$$/, "");
  } catch (cause) {
    throw invalid(pattern, `expected a glob, got ${(cause as Error).message}`, cause);
  }
}

/** How many texts the braces of a glob stand for, at most. */
function alternativesOf(glob: string): number {
  let count = 1;
  for (const [, inner = ""] of glob.matchAll(/\{([^{}]*)\}?/g)) {
    const [, from, to] = /^(-?\d+)\.\.(-?\d+)/.exec(inner) ?? [];
    count *= from === undefined ? inner.split(",").length : Math.abs(Number(to) - Number(from)) + 1;
  }
  return count;
}

const flagValues: Readonly<Record<string, number>> = {
  i: RE2JS.CASE_INSENSITIVE,
  m: RE2JS.MULTILINE,
  s: RE2JS.DOTALL,
  // Names are read as code points anyway.
  u: 0,
};

function finderOf(pattern: string, source: string, flags: string): (name: string) => boolean {
  const bits = [...flags].reduce((all, letter) => all | (flagValues[letter] ?? 0), 0);
  try {
    const expression = RE2JS.compile(source, bits);
    if (expression.programSize() > largestProgram) {
      throw invalid(pattern, "expected a smaller expression, got one that repeats too much");
    }
    return (name) => expression.matcher(name).find();
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause;
    throw invalid(
      pattern,
      `expected a regular expression (RE2's: no lookaround, no backreference), got ${cause.message}`,
      cause,
    );
  }
}

function invalid(pattern: string, what: string, cause?: unknown): GraphError {
  return new GraphError("invalid-pattern", `pattern ${pattern}: ${what}`, {
    ...(cause !== undefined && { cause }),
  });
}
