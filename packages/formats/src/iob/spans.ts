import { FormatError } from "../format-error.js";
import {
  hyphenated,
  type LabelForm,
  labelReader,
  type LabelPart,
  outside,
  type PositionScheme,
  writeLabel,
} from "./label-form.js";

/** An entity: the words from `start` up to, not including, `end`. */
export interface Span {
  /** Empty for untyped labels. */
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** A form, or a scheme in its usual spelling. */
export type FormOrScheme = LabelForm | PositionScheme;

const formOf = (given: FormOrScheme): LabelForm => (typeof given === "string" ? hyphenated(given) : given);

/**
 * The entities of a label sequence, as conlleval counts them: a `B-`, an `I-` behind `O` (a stray one), and a change of
 * type each start a new entity; `E-` and `S-` end one. So IOB1, IOB2, BIOES and BMES are cut by the same rule, and in
 * IO neighbours of one type are one entity. Labels that are foreign to the form are outside of entities.
 *
 * @param labels one label a word
 * @param form how they are spelled; hyphenated labels of any letters unless given
 * @returns entities in order, without overlap; of type "" for untyped labels
 * @see conlleval.pl of the CoNLL-2000 shared task
 * @example
 * ```ts
 * spansOf(["O", "I-PER", "I-LOC"]); // [{type: "PER", start: 1, end: 2}, {type: "LOC", start: 2, end: 3}]
 * ```
 */
export function spansOf(labels: readonly string[], form: FormOrScheme = "BIOES"): Span[] {
  return makeSpanReader(formOf(form))(labels);
}

/** {@link spansOf} for many sequences of one form. */
export function makeSpanReader(form: LabelForm): (labels: readonly string[]) => Span[] {
  const read = labelReader(form);
  return (labels) => spansOfParts(labels.length, (at) => read(labels[at] as string));
}

function spansOfParts(length: number, partAt: (word: number) => LabelPart | undefined): Span[] {
  const spans: Span[] = [];
  let type = "";
  let start = -1;
  const close = (end: number): void => {
    if (start >= 0) spans.push({ type, start, end });
    start = -1;
  };
  for (let at = 0; at < length; at++) {
    const part = partAt(at);
    if (part === undefined) {
      close(at);
      continue;
    }
    const { position, type: here } = part;
    if (position === "B" || position === "S" || here !== type) close(at);
    if (start < 0) start = at;
    type = here;
    if (position === "E" || position === "S") close(at + 1);
  }
  close(length);
  return spans;
}

/**
 * Labels of a sequence with these entities. In IO, entities of one type that adjoin run together: the scheme cannot
 * tell them apart.
 *
 * @param spans entities in order, without overlap
 * @param length number of words
 * @throws FormatError `overlap`, `out-of-range`
 * @example
 * ```ts
 * labelsOf([{ type: "LOC", start: 1, end: 3 }], 3, "IOB2"); // ["O", "B-LOC", "I-LOC"]
 * ```
 */
export function labelsOf(spans: readonly Span[], length: number, form: FormOrScheme): string[] {
  const spelling = formOf(form);
  const labels = Array<string>(length).fill(outside);
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
    for (let at = start; at < end; at++) {
      labels[at] = writeLabel({ position: positionOf(at, span, spelling.scheme, adjoins), type }, spelling);
    }
    previous = span;
  }
  return labels;
}

function positionOf(
  at: number,
  { start, end }: Span,
  scheme: PositionScheme,
  adjoins: boolean,
): LabelPart["position"] {
  switch (scheme) {
    case "IO":
      return "I";
    case "IOB1":
      return at === start && adjoins ? "B" : "I";
    case "IOB2":
      return at === start ? "B" : "I";
    case "BIOES":
    case "BMES":
      if (end - start === 1) return "S";
      if (at === start) return "B";
      return at === end - 1 ? "E" : "I";
    default:
      return scheme satisfies never;
  }
}

/**
 * The same entities in another form; labels that break their scheme (a stray `I-`) come out as conlleval reads them.
 *
 * @param from the form of `labels`; hyphenated labels of any letters unless given
 * @example
 * ```ts
 * convertLabels(["I-PER", "I-PER", "B-PER"], "IOB2"); // ["B-PER", "I-PER", "B-PER"]
 * ```
 */
export function convertLabels(
  labels: readonly string[],
  to: FormOrScheme,
  from: FormOrScheme = "BIOES",
): string[] {
  return labelsOf(spansOf(labels, from), labels.length, to);
}
