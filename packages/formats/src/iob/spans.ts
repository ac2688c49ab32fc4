import { FormatError } from "../format-error.js";

/** An entity: the words from `start` up to, not including, `end`. */
export interface Span {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/**
 * How labels mark entities. IOB1: `B-` only between two adjoining entities of one type; IOB2: every entity begins with `B-`;
 * BIOES: also its end (`E-`) and entities of one word (`S-`).
 */
export type LabelScheme = "IOB1" | "IOB2" | "BIOES";

const starting = new Set(["B", "S", "U"]);
const ending = new Set(["E", "L", "S", "U"]);

/**
 * The entities of a label sequence, as conlleval counts them: a `B-`, an `I-` behind `O` (a stray one), and a change of type each
 * start a new entity. `E-`/`S-` (BIOES) and `L-`/`U-` (BILOU) are understood too.
 *
 * @param labels one label a word: `O`, or prefix, hyphen and type
 * @returns entities in order, without overlap
 * @throws FormatError `label`: neither `O` nor one of B, I, E, S, L, U with or without `-type`
 * @see conlleval.pl of the CoNLL-2000 shared task
 * @example
 * ```ts
 * spansOf(["O", "I-PER", "I-LOC"]); // [{type: "PER", start: 1, end: 2}, {type: "LOC", start: 2, end: 3}]
 * ```
 */
export function spansOf(labels: readonly string[]): Span[] {
  const spans: Span[] = [];
  let type = "";
  let start = -1;
  const close = (end: number): void => {
    if (start >= 0) spans.push({ type, start, end });
    start = -1;
  };
  for (const [at, label] of labels.entries()) {
    if (label === "O") {
      close(at);
      continue;
    }
    const { prefix, type: here } = splitLabel(label, at);
    if (starting.has(prefix) || here !== type) close(at);
    if (start < 0) start = at;
    type = here;
    if (ending.has(prefix)) close(at + 1);
  }
  close(labels.length);
  return spans;
}

function splitLabel(label: string, at: number): { prefix: string; type: string } {
  const prefix = label.slice(0, 1);
  if (!"BIESLU".includes(prefix) || prefix === "" || (label.length > 1 && label[1] !== "-")) {
    throw new FormatError(
      "label",
      `spansOf: word ${at + 1}: label: expected O or B, I, E, S, L, U with -type, got ${JSON.stringify(label)}`,
      { name: label },
    );
  }
  return { prefix, type: label.slice(2) };
}

/**
 * Labels of a sequence with these entities.
 *
 * @param spans entities in order, without overlap
 * @param length number of words
 * @throws FormatError `overlap`, `out-of-range`
 * @example
 * ```ts
 * labelsOf([{ type: "LOC", start: 1, end: 3 }], 3, "IOB2"); // ["O", "B-LOC", "I-LOC"]
 * ```
 */
export function labelsOf(spans: readonly Span[], length: number, scheme: LabelScheme): string[] {
  const labels = Array<string>(length).fill("O");
  let previous: Span | undefined;
  for (const span of spans) {
    const { type, start, end } = span;
    const free = previous?.end ?? 0;
    if (start < free || end <= start || end > length) {
      const code = start < free && end <= length ? "overlap" : "out-of-range";
      throw new FormatError(
        code,
        `labelsOf: entity ${type}: words: expected a part of [${free}, ${length}), got [${start}, ${end})`,
      );
    }
    const adjoins = previous !== undefined && previous.end === start && previous.type === type;
    for (let at = start; at < end; at++) labels[at] = `${prefixOf(at, span, scheme, adjoins)}-${type}`;
    previous = span;
  }
  return labels;
}

function prefixOf(at: number, { start, end }: Span, scheme: LabelScheme, adjoins: boolean): string {
  switch (scheme) {
    case "IOB1":
      return at === start && adjoins ? "B" : "I";
    case "IOB2":
      return at === start ? "B" : "I";
    case "BIOES":
      if (end - start === 1) return "S";
      if (at === start) return "B";
      return at === end - 1 ? "E" : "I";
    default:
      return scheme satisfies never;
  }
}

/**
 * The same entities in another scheme; labels that break their scheme (a stray `I-`) come out as conlleval reads them.
 *
 * @param labels labels in IOB1, IOB2, BIOES or BILOU
 * @throws FormatError `label`
 * @example
 * ```ts
 * convertLabels(["I-PER", "I-PER", "B-PER"], "IOB2"); // ["B-PER", "I-PER", "B-PER"]
 * ```
 */
export function convertLabels(labels: readonly string[], scheme: LabelScheme): string[] {
  return labelsOf(spansOf(labels), labels.length, scheme);
}
