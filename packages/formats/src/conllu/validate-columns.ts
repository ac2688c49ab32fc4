import { columnNames } from "./columns.js";
import { quoted, type Report } from "./problem.js";
import type { RowId } from "./validate-order.js";

/** The 17 universal part-of-speech tags (Universal Dependencies v2). */
const universalTags = new Set(
  "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split(" "),
);
/** The 37 universal relations (Universal Dependencies v2); subtypes are a language's own. */
const universalRelations = new Set(
  (
    "acl advcl advmod amod appos aux case cc ccomp clf compound conj cop csubj dep det discourse dislocated expl fixed flat " +
    "goeswith iobj list mark nmod nsubj nummod obj obl orphan parataxis punct reparandum root vocative xcomp"
  ).split(" "),
);
/** Attributes of MISC that a word has once. */
const singleAttributes = /^(SpaceAfter|Lang|Translit|LTranslit|Gloss|LId|LDeriv|Ref)$/;
const featurePattern = /^[A-Z0-9][A-Za-z0-9]*(\[[a-z0-9]+\])?=[A-Z0-9][A-Za-z0-9]*(,[A-Z0-9][A-Za-z0-9]*)*$/;
const relationPattern = /^[a-z]+(:[a-z]+)?$/;
const enhancedPattern =
  /^[a-z]+(:[a-z]+)?(:[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(_[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)*)?(:[a-z]+)?$/u;
const headPattern = /^(0|[1-9][0-9]*)(\.[1-9][0-9]*)?$/;

const UPOS = 3;
const FEATS = 5;
const HEAD = 6;
const DEPREL = 7;
const DEPS = 8;
const MISC = 9;

/**
 * Unicode's White_Space and the four ASCII separators, as the validator of UD has it. Not \s: that lacks U+0085 and the
 * separators, and has the byte order mark, which is no blank inside a word.
 */
const blank = "[\\t-\\r\\x1C-\\x20\\x85\\xA0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000]";
const anyBlank = new RegExp(blank, "u");
const leadingBlank = new RegExp(`^${blank}`, "u");
const trailingBlank = new RegExp(`${blank}$`, "u");
const repeatedBlank = new RegExp(`${blank}{2}`, "u");
const onlyBlanks = new RegExp(`^${blank}*$`, "u");

/** Whether a line shows nothing: it is empty, or holds blanks alone. */
export const isBlankLine = (content: string): boolean => content === "" || onlyBlanks.test(content);

/** What every column must satisfy, whatever it holds: something in it, and blanks only where words may have them. */
export function checkBlanks(line: number, fields: readonly string[], isRange: boolean, report: Report): void {
  for (const [index, value] of fields.entries()) {
    const column = index + 1;
    if (value === "") {
      report(line, column, "empty-column", "value", "_ where nothing is given", "nothing");
      continue;
    }
    if (!anyBlank.test(value)) continue;
    const got = quoted(value);
    if (leadingBlank.test(value))
      report(line, column, "leading-whitespace", "leading whitespace", "none", got);
    if (trailingBlank.test(value))
      report(line, column, "trailing-whitespace", "trailing whitespace", "none", got);
    if (repeatedBlank.test(value))
      report(line, column, "repeated-whitespace", "repeated whitespace", "none", got);
    const mayHold = index === MISC || (!isRange && (index === 1 || index === 2));
    if (!mayHold)
      report(line, column, "invalid-whitespace", "whitespace", `none in ${columnNames[index]}`, got);
  }
}

/** Checks the content of the columns of one sentence against the guidelines of Universal Dependencies v2, level 2. */
export function checkColumns(
  rows: readonly { readonly id: RowId; readonly fields: readonly string[] }[],
  report: Report,
): void {
  const heads = new Set(["0"]);
  for (const { id } of rows) if (id.kind !== "multiword") heads.add(id.text);
  for (const { id, fields } of rows) {
    if (id.kind === "multiword") {
      checkRange(id.line, fields, report);
      checkMisc(id.line, fields[MISC] as string, report);
      continue;
    }
    checkMisc(id.line, fields[MISC] as string, report);
    checkFeatures(id.line, fields[FEATS] as string, report);
    checkEnhanced(id, fields[DEPS] as string, heads, report);
    if (id.kind === "word") {
      checkWord(id, fields, heads, report);
    } else {
      const upos = fields[UPOS] as string;
      if (upos !== "_" && !universalTags.has(upos))
        report(
          id.line,
          UPOS + 1,
          "upos",
          "tag of an empty node",
          "_ or one of the 17 universal tags",
          quoted(upos),
        );
      for (const index of [HEAD, DEPREL]) {
        const value = fields[index] as string;
        if (value !== "_")
          report(id.line, index + 1, "empty-node-columns", "value of an empty node", "_", quoted(value));
      }
    }
  }
}

function checkWord(id: RowId, fields: readonly string[], heads: ReadonlySet<string>, report: Report): void {
  const upos = fields[UPOS] as string;
  const head = fields[HEAD] as string;
  const deprel = fields[DEPREL] as string;
  if (!universalTags.has(upos))
    report(id.line, UPOS + 1, "upos", "tag", "one of the 17 universal tags", quoted(upos));
  if (head.includes(".") || !heads.has(head)) {
    report(id.line, HEAD + 1, "head", "head", "0 or a word of the sentence", quoted(head));
  } else if (head === id.text) {
    report(id.line, HEAD + 1, "head", "head", "another word", `the word itself, ${head}`);
  }
  if (!relationPattern.test(deprel)) {
    report(
      id.line,
      DEPREL + 1,
      "deprel",
      "relation",
      "lower-case letters, perhaps with a :subtype",
      quoted(deprel),
    );
  } else if (!universalRelations.has(universalPart(deprel))) {
    report(id.line, DEPREL + 1, "deprel", "relation", "one of the 37 universal relations", quoted(deprel));
  } else if ((head === "0") !== (deprel === "root" || deprel.startsWith("root:"))) {
    report(
      id.line,
      DEPREL + 1,
      "deprel",
      "relation",
      head === "0" ? "root for head 0" : "no root below another word",
      deprel,
    );
  }
}

const universalPart = (relation: string): string => relation.split(":")[0] as string;

function checkMisc(line: number, value: string, report: Report): void {
  const seen = new Set<string>();
  for (const item of value.split("|")) {
    const name = item.split("=")[0] as string;
    if (seen.has(name)) report(line, MISC + 1, "misc", "attribute", "once", `${name} again`);
    if (singleAttributes.test(name)) seen.add(name);
  }
}

function checkRange(line: number, fields: readonly string[], report: Report): void {
  for (let index = 2; index < MISC; index++) {
    const value = fields[index] as string;
    // The one feature that a whole token may have (Universal Dependencies, "typos").
    if (value === "_" || (index === FEATS && value === "Typo=Yes")) continue;
    report(line, index + 1, "multiword-columns", "value of a multiword token", "_", quoted(value));
  }
}

function checkFeatures(line: number, value: string, report: Report): void {
  if (value === "_") return;
  const say = (what: string, expected: string, got: string): void =>
    report(line, FEATS + 1, "feats", what, expected, quoted(got));
  let previous = "";
  const seen = new Set<string>();
  for (const feature of value.split("|")) {
    if (!featurePattern.test(feature)) say("feature", "Name=Value or Name=Value,Value", feature);
    const [name = "", list = ""] = feature.split("=");
    const values = list.toLowerCase().split(",");
    if (new Set(list.split(",")).size < values.length) say("values of a feature", "each value once", feature);
    else if (values.some((one, at) => at > 0 && one < (values[at - 1] as string)))
      say("order of values", "the alphabet", feature);
    if (seen.has(name)) say("feature", "each name once", feature);
    else if (name.toLowerCase() < previous) say("order of features", "the alphabet", value);
    seen.add(name);
    previous = name.toLowerCase();
  }
}

function checkEnhanced(id: RowId, value: string, heads: ReadonlySet<string>, report: Report): void {
  if (value === "_") return;
  const say = (what: string, expected: string, got: string): void =>
    report(id.line, DEPS + 1, "deps", what, expected, quoted(got));
  let last: readonly [major: number, minor: number, relation: string] = [-1, -1, ""];
  for (const edge of value.split("|")) {
    const colon = edge.indexOf(":");
    const head = colon < 0 ? edge : edge.slice(0, colon);
    const relation = colon < 0 ? "" : edge.slice(colon + 1);
    if (colon < 0 || !headPattern.test(head) || !enhancedPattern.test(relation)) {
      say("edge", "head:relation", edge);
      continue;
    }
    // `ref` is a relation of enhanced graphs alone.
    if (!universalRelations.has(universalPart(relation)) && universalPart(relation) !== "ref")
      say("relation of an edge", "one of the universal relations", edge);
    if (!heads.has(head)) say("head of an edge", "0 or a word or empty node of the sentence", edge);
    if (head === id.text) say("head of an edge", "another node", edge);
    const [major = 0, minor = 0] = head.split(".").map(Number);
    const [lastMajor, lastMinor, lastRelation] = last;
    if (major < lastMajor || (major === lastMajor && minor < lastMinor))
      say("order of edges", "by head", value);
    else if (major === lastMajor && minor === lastMinor) {
      if (relation < lastRelation) say("order of edges", "of one head by relation", value);
      else if (relation === lastRelation) say("edge", "each edge once", edge);
    }
    last = [major, minor, relation];
  }
}
