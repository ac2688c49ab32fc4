import type { Tokenizer } from "@huggingface/tokenizers";
import { RE2JS } from "re2js";
import { TaggerError } from "../tagger-error.js";
import type { TokenizerJson } from "./tokenizer-json.js";

/** Most characters of a pattern; the longest in use have a few thousand. */
const LONGEST_PATTERN = 20_000;
/**
 * Quantifiers one after another in one alternative that the backtracking engine may have: its time is then at most
 * cubic.
 */
const MOST_UNBOUNDED = 2;
const MOST_OPTIONAL = 4;

/** What the tokenizer library does with a pattern; a global RegExp is one. */
export interface Pattern {
  readonly flags: string;
  [Symbol.match](text: string): RegExpMatchArray | null;
  [Symbol.matchAll](text: string): IterableIterator<RegExpMatchArray>;
  [Symbol.replace](text: string, replacement: string): string;
  [Symbol.split](text: string): string[];
}

/** A part of a tokenizer that has a pattern, as the library built it. */
interface PatternHolder {
  pattern?: RegExp | Pattern | null;
  readonly normalizers?: readonly (PatternHolder | null)[];
  readonly tokenizers?: readonly (PatternHolder | null)[];
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Makes the patterns of a tokenizer harmless: those on which a backtracking engine could take more than cubic time run
 * on one whose time is linear in the text.
 *
 * @param where names the file in messages
 * @returns whether the tokenizer has patterns of its own at all
 * @throws TaggerError `tokenizer` for a pattern that neither engine can run in bounded time, naming its place
 */
export function boundPatterns(tokenizer: Tokenizer, json: TokenizerJson, where: string): boolean {
  const { normalizer, pre_tokenizer: preTokenizer } = tokenizer as unknown as {
    readonly normalizer: PatternHolder | null;
    readonly pre_tokenizer: PatternHolder | null;
  };
  const visit = (holder: PatternHolder | null | undefined, part: Json, place: string): boolean => {
    if (holder == null) return false;
    const [key, inner] =
      holder.normalizers === undefined
        ? (["pretokenizers", holder.tokenizers ?? []] as const)
        : (["normalizers", holder.normalizers] as const);
    const written = (part[key] ?? []) as readonly Json[];
    const found = inner.map((one, i) => visit(one, written[i] ?? {}, `${place}.${key}.${i}`));
    const regex = (part["pattern"] as Json | undefined)?.["Regex"];
    if (typeof regex !== "string") return found.includes(true);
    if (!isTame(regex)) holder.pattern = linearPattern(regex, `${where}: ${place}.pattern`);
    return true;
  };
  const inNormalizer = visit(normalizer, (json.normalizer ?? {}) as Json, "normalizer");
  const inPreTokenizer = visit(preTokenizer, (json.pre_tokenizer ?? {}) as Json, "pre_tokenizer");
  return inNormalizer || inPreTokenizer;
}

/** Refuses patterns that are too long to be looked at, before the library compiles them. */
export function checkPatternLength(regex: string, where: string): void {
  if (regex.length <= LONGEST_PATTERN) return;
  throw refuse(where, `at most ${LONGEST_PATTERN} characters`, `${regex.length}`);
}

/**
 * Whether a backtracking engine runs a pattern in at most cubic time whatever the text: no quantifier over a group that
 * has another one or a choice in it, no references back, and few quantifiers one after another.
 */
export function isTame(regex: string): boolean {
  // Escapes and classes are single characters to what follows.
  const escaped = regex
    .replace(/\\[pP]\{[^}]*\}/g, "a")
    .replace(/\\[xu]\{[^}]*\}/g, "a")
    .replace(/\\k<[^>]*>|\\[1-9]/g, "~")
    .replace(/\\./gs, "a")
    .replace(/\[:\^?\w+:\]/g, "a");
  const plain = withoutClasses(escaped);
  if (plain.includes("~") || /[[\]]/.test(plain)) return false;
  interface Group {
    readonly lookaround: boolean;
    unbounded: number;
    optional: number;
    mostUnbounded: number;
    mostOptional: number;
    alternatives: number;
  }
  const open = (lookaround: boolean): Group => ({
    lookaround,
    unbounded: 0,
    optional: 0,
    mostUnbounded: 0,
    mostOptional: 0,
    alternatives: 1,
  });
  const settle = (group: Group): void => {
    group.mostUnbounded = Math.max(group.mostUnbounded, group.unbounded);
    group.mostOptional = Math.max(group.mostOptional, group.optional);
  };
  const stack: Group[] = [open(false)];
  let last: Group | undefined;
  for (let i = 0; i < plain.length; i++) {
    const top = stack.at(-1) as Group;
    const char = plain[i] as string;
    if (char === "(") {
      const [prefix = ""] = /^\(\?(?:[:=!>]|<[=!]|<\w+>|[imsx-]+:?)?/.exec(plain.slice(i)) ?? [];
      if (/^\(\?[imsx-]+$/.test(prefix) && plain[i + prefix.length] === ")") {
        i += prefix.length;
        continue;
      }
      stack.push(open(/^\(\?<?[=!]$/.test(prefix)));
      i += Math.max(0, prefix.length - 1);
      last = undefined;
    } else if (char === ")") {
      if (stack.length === 1) return false;
      settle(top);
      stack.pop();
      const outer = stack.at(-1) as Group;
      outer.unbounded += top.mostUnbounded;
      outer.optional += top.mostOptional;
      last = top;
    } else if (char === "|") {
      settle(top);
      Object.assign(top, { unbounded: 0, optional: 0, alternatives: top.alternatives + 1 });
      last = undefined;
    } else if (/[*+?{]/.test(char)) {
      const [quantifier = ""] = /^(?:[*+?]|\{\d*,?\d*\})[+?]?/.exec(plain.slice(i)) ?? [];
      if (quantifier === "") continue;
      const isOptional = quantifier.startsWith("?");
      if (last !== undefined) {
        const isSimple = last.mostUnbounded === 0 && last.mostOptional === 0;
        if (!isSimple || (!isOptional && last.alternatives > 1) || last.lookaround) return false;
      }
      const most = Number(/,?(\d+)\}/.exec(quantifier)?.[1] ?? Number.POSITIVE_INFINITY);
      if (isOptional || (quantifier.startsWith("{") && most <= 3)) top.optional += 1;
      else top.unbounded += 1;
      i += quantifier.length - 1;
      last = undefined;
    } else last = undefined;
  }
  if (stack.length !== 1) return false;
  const root = stack[0] as Group;
  settle(root);
  return root.mostUnbounded <= MOST_UNBOUNDED && root.mostOptional <= MOST_OPTIONAL;
}

/** Classes as single characters, the innermost first: they may hold others. */
function withoutClasses(regex: string): string {
  for (let before = regex; ; ) {
    const after = before.replace(/\[\^?\]?[^[\]]*\]/g, "a");
    if (after === before) return after;
    before = after;
  }
}

/** White space and words as tokenizers mean them: of all of Unicode. */
const classes: Readonly<Record<string, string>> = {
  s: "\\t-\\r\\x{85}\\p{Z}",
  d: "\\p{Nd}",
  w: "\\p{L}\\p{Nl}\\p{M}\\p{Nd}\\p{Pc}",
};

/** A pattern on an engine whose time is linear in the text. */
export function linearPattern(regex: string, where: string): Pattern {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(withUnicodeClasses(regex));
  } catch (cause) {
    throw refuse(
      where,
      "a pattern whose time is bounded: without groups that are repeated and look around or refer back",
      `${JSON.stringify(regex.slice(0, 80))} (${(cause as Error).message})`,
      cause,
    );
  }
  const matches = (text: string): { start: number; end: number; groups: string[] }[] => {
    const matcher = compiled.matcher(text);
    const found: { start: number; end: number; groups: string[] }[] = [];
    while (matcher.find()) {
      found.push({ start: matcher.start(), end: matcher.end(), groups: [matcher.group() ?? ""] });
    }
    return found;
  };
  return {
    flags: "gu",
    [Symbol.match](text) {
      const found = matches(text).flatMap(({ groups }) => groups);
      return found.length === 0 ? null : (found as RegExpMatchArray);
    },
    *[Symbol.matchAll](text) {
      for (const { start, groups } of matches(text)) {
        yield Object.assign([...groups] as [string, ...string[]], { index: start, input: text });
      }
    },
    [Symbol.replace]: (text, replacement) => {
      let result = "";
      let at = 0;
      for (const { start, end } of matches(text)) {
        result += text.slice(at, start) + replacement;
        at = end;
      }
      return result + text.slice(at);
    },
    [Symbol.split](text) {
      const pieces: string[] = [];
      let at = 0;
      for (const { start, end } of matches(text)) {
        pieces.push(text.slice(at, start));
        at = end;
      }
      return [...pieces, text.slice(at)];
    },
  };
}

function withUnicodeClasses(regex: string): string {
  let result = "";
  let inClass = false;
  for (let i = 0; i < regex.length; i++) {
    const char = regex[i] as string;
    const next = regex[i + 1] ?? "";
    if (char === "\\") {
      const known = classes[next.toLowerCase()];
      if (known === undefined) {
        if (next === "u") result += `\\x{${regex.slice(i + 2, i + 6)}}`;
        else if (/[bB]/.test(next)) throw new Error("word boundaries are not of all of Unicode here");
        else result += char + next;
        if (next === "u") i += 4;
      } else if (next === next.toLowerCase()) result += inClass ? known : `[${known}]`;
      else if (inClass) throw new Error(`\\${next} inside a class`);
      else result += `[^${known}]`;
      i += 1;
      continue;
    }
    if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    result += char;
  }
  return result;
}

function refuse(where: string, expected: string, got: string, cause?: unknown): TaggerError {
  return new TaggerError("tokenizer", `openTagger: ${where}: expected ${expected}, got ${got}`, {
    path: where,
    cause,
  });
}
