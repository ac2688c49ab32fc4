import {
  hyphenated,
  isHelperLabel,
  type LabelForm,
  labelReader,
  type LabelScheme,
  lettersOfScheme,
  outside,
  positionOfLetter,
  type PositionScheme,
  splitLabel,
} from "./label-form.js";
import { areWordTags, isKnownEntityType } from "./known-types.js";

/** What labels turned out to be. */
export interface FoundForm {
  /** Undefined where the labels are not those of entities: tags of words. */
  readonly form: LabelForm | undefined;
  /** What the finding rests on, as the end of a sentence. */
  readonly reason: string;
  /** Whether the labels could be meant otherwise too; `reason` says how. */
  readonly isAmbiguous: boolean;
}

export interface FindFormOptions {
  /** Types that entities are known to have: bare labels of these types are IO. */
  readonly types?: readonly string[];
  /** Whether the labels are known to be of entities, so that `O` need not be among them. */
  readonly areEntities?: boolean;
}

/**
 * Finds how a set of labels marks entities, or that it does not.
 *
 * Entities are marked where labels are a letter (B, I, E, S; L and U, M and W) and a type, and `O` is among them.
 * Labels that are neither are foreign; there may be helpers ({@link isHelperLabel}) and as many others as there are
 * labels of the scheme. Without `O`, nothing else may be there, and the types must not be tags of words (`B-NOUN`).
 * Letters alone need a `B` (or are just `I` and `O`), since tag sets of single letters have `I`, `O` or `S` too. Types
 * alone are IO where `O` and the name of a well-known type, or types that are told, are among them.
 *
 * @param labels of a model, or all of a file
 * @example
 * ```ts
 * findForm(["O", "B-PER", "I-PER", "[SEP]"]).form?.scheme; // "IOB2"
 * findForm(["NOUN", "VERB", "X"]).form; // undefined
 * ```
 */
export function findForm(
  labels: Iterable<string>,
  { types = [], areEntities = false }: FindFormOptions = {},
): FoundForm {
  const all = [...new Set(labels)];
  const hasOutside = areEntities || all.includes(outside);
  const named = all.filter((label) => label !== outside && !isHelperLabel(label));
  if (named.length === 0) return noneNamed(hasOutside);
  return untyped(named, hasOutside) ?? typed(named, hasOutside) ?? typesAlone(named, hasOutside, types);
}

function noneNamed(hasOutside: boolean): FoundForm {
  return hasOutside
    ? {
        form: undefined,
        reason: "O is the only label, which leaves open what is labelled",
        isAmbiguous: true,
      }
    : notEntities;
}

const notEntities: FoundForm = {
  form: undefined,
  reason: "the labels have no letter for the place in an entity (B, I, …)",
  isAmbiguous: false,
};

function untyped(named: readonly string[], hasOutside: boolean): FoundForm | undefined {
  if (!named.every((label) => positionOfLetter.has(label))) return undefined;
  const hasBeginning = named.includes("B") && (hasOutside || named.length > 1);
  if (!hasBeginning && !(hasOutside && named.length === 1 && named[0] === "I")) return undefined;
  const form = spelled(named, { isTyped: false, separator: "", side: "prefix" });
  return {
    form,
    reason: `the labels are letters without a type (${named.join(", ")}), used as in ${form.scheme}`,
    isAmbiguous: false,
  };
}

type Spelling = Pick<LabelForm, "isTyped" | "separator" | "side">;

const spellings: readonly Spelling[] = (["prefix", "suffix"] as const).flatMap((side) =>
  (["-", "_"] as const).map((separator) => ({ isTyped: true, separator, side })),
);

interface Reading {
  readonly spelling: Spelling;
  readonly parts: readonly { readonly letter: string; readonly type: string }[];
}

/** The spelling in which most labels are a letter and a type; of equals the usual one. */
function bestReading(named: readonly string[]): Reading {
  const readings = spellings.map((spelling) => ({
    spelling,
    parts: named.flatMap((label) => splitLabel(label, spelling.side, spelling.separator) ?? []),
  }));
  return readings.reduce((best, one) => (one.parts.length > best.parts.length ? one : best));
}

function typed(named: readonly string[], hasOutside: boolean): FoundForm | undefined {
  const { spelling, parts } = bestReading(named);
  if (parts.length === 0) return undefined;
  const foreign = named.length - parts.length;
  const types = [...new Set(parts.map(({ type }) => type))];
  const form = spelled(
    parts.map(({ letter }) => letter),
    spelling,
    types.some((type) => !parts.some((part) => part.type === type && part.letter === "B")),
  );
  const example = named.find((label) => splitLabel(label, spelling.side, spelling.separator)) as string;
  if (hasOutside) {
    if (foreign <= parts.length) return { form, reason: reasonOf(form, example), isAmbiguous: false };
    return {
      form: undefined,
      reason: `only ${parts.length} of ${named.length} labels mark entities (such as ${example})`,
      isAmbiguous: true,
    };
  }
  if (areWordTags(types)) {
    return {
      form: undefined,
      reason: `labels such as ${example} have the tags of words for types, and O is not among them`,
      isAmbiguous: true,
    };
  }
  // Without O there must be more than the look of a label: tags such as NN-S or B_X exist.
  const isUsual = spelling.side === "prefix" && spelling.separator === "-";
  const isWhole = types.some((type) => parts.some((part) => part.type === type && part.letter === "B"));
  if (foreign === 0 && (isUsual || (isWhole && parts.length > types.length))) {
    return { form, reason: reasonOf(form, example), isAmbiguous: false };
  }
  return { ...notEntities, reason: "O is not among the labels", isAmbiguous: foreign < parts.length };
}

function reasonOf(form: LabelForm, example: string): string {
  // Sets of both schemes are the same as soon as every type has B- and I-; their entities are counted by one rule.
  const or = form.scheme === "IOB2" ? ", or IOB1, whose entities are counted alike" : "";
  return `labels such as ${example} are ${form.scheme}${or}`;
}

function typesAlone(named: readonly string[], hasOutside: boolean, types: readonly string[]): FoundForm {
  if (types.length > 0 && named.every((label) => types.includes(label))) {
    return {
      form: typesOnly,
      reason: "the labels are names of the types themselves: IO",
      isAmbiguous: false,
    };
  }
  if (!hasOutside) return notEntities;
  const known = named.filter(isKnownEntityType);
  if (2 * known.length >= named.length) {
    return {
      form: typesOnly,
      reason: `O and names of entity types alone (${known[0]}) are IO`,
      isAmbiguous: false,
    };
  }
  return {
    form: undefined,
    reason: "the labels have no letter for the place in an entity; O among them could mean IO labels",
    isAmbiguous: true,
  };
}

const typesOnly: LabelForm = { ...hyphenated("IO"), separator: "" };

/** A form by the letters that occur. */
function spelled(letters: readonly string[], spelling: Spelling, lacksBeginnings = false): LabelForm {
  const has = (...some: readonly string[]): boolean => some.some((letter) => letters.includes(letter));
  return {
    ...spelling,
    scheme: schemeOfLetters(has, lacksBeginnings),
    letters: {
      inside: has("M") ? "M" : "I",
      end: has("L") ? "L" : "E",
      single: has("U") ? "U" : has("W") ? "W" : "S",
    },
  };
}

function schemeOfLetters(
  has: (...some: readonly string[]) => boolean,
  lacksBeginnings: boolean,
): PositionScheme {
  if (has("M", "W")) return "BMES";
  if (has("E", "L", "S", "U")) return "BIOES";
  if (!has("B")) return "IO";
  // In IOB1 a type gets B- only where two of its entities met.
  return lacksBeginnings ? "IOB1" : "IOB2";
}

/**
 * The form of labels that are said to be of a scheme.
 *
 * @returns undefined if they are not: none is of that scheme, or there are letters that it has not
 * @example
 * ```ts
 * formInScheme(["O", "PER", "LOC"], "IO")?.separator; // ""
 * formInScheme(["O", "B-PER", "I-PER"], "BIOES"); // undefined
 * ```
 */
export function formInScheme(labels: Iterable<string>, scheme: LabelScheme): LabelForm | undefined {
  const named = [...new Set(labels)].filter((label) => label !== outside && !isHelperLabel(label));
  if (named.length === 0) return undefined;
  const areLetters = named.every((label) => positionOfLetter.has(label));
  if (scheme === "untyped") {
    return areLetters ? spelled(named, { isTyped: false, separator: "", side: "prefix" }) : undefined;
  }
  const reading = bestReading(named);
  const isRead = 2 * reading.parts.length >= named.length;
  if (scheme === "IO" && !isRead && !areLetters) return typesOnly;
  if (!isRead && !areLetters) return undefined;
  const letters = areLetters ? named : reading.parts.map(({ letter }) => letter);
  const spelling: Spelling = areLetters
    ? { isTyped: false, separator: "", side: "prefix" }
    : reading.spelling;
  return fits(letters, scheme) ? { ...spelled(letters, spelling), scheme } : undefined;
}

/** Labels of IOB2 alone are no BIOES: as such, none of their entities would have an end. */
function fits(letters: readonly string[], scheme: PositionScheme): boolean {
  if (!letters.every((letter) => lettersOfScheme[scheme].includes(letter))) return false;
  return !(scheme === "BIOES" || scheme === "BMES") || letters.some((letter) => !"BI".includes(letter));
}

/**
 * The form of labelled sentences: {@link findForm} of their labels, and IOB1 where an `I-` begins entities and no `B-`
 * does but between two of one type.
 *
 * @param scheme the scheme that they are said to be of, where it is theirs
 */
export function findFormOfSentences(
  sentences: Iterable<readonly string[]>,
  { scheme, ...options }: FindFormOptions & { readonly scheme?: LabelScheme | undefined } = {},
): FoundForm {
  const kept = Array.isArray(sentences) ? (sentences as readonly (readonly string[])[]) : [...sentences];
  const labels = new Set<string>();
  for (const sentence of kept) for (const label of sentence) labels.add(label);
  const asked = scheme === undefined ? undefined : formInScheme(labels, scheme);
  if (asked !== undefined) return { form: asked, reason: "as asked for", isAmbiguous: false };
  const found = findForm(labels, options);
  if (found.form?.scheme !== "IOB1" && found.form?.scheme !== "IOB2") return found;
  const form: LabelForm = { ...found.form, scheme: isIob1(kept, found.form) ? "IOB1" : "IOB2" };
  const read = labelReader(form);
  const example = [...labels].find((label) => read(label) !== undefined);
  const reason = form.isTyped ? `labels such as ${example} are ${form.scheme}` : found.reason;
  return { ...found, form, reason };
}

function isIob1(sentences: readonly (readonly string[])[], form: LabelForm): boolean {
  const read = labelReader(form);
  let isSeen = false;
  for (const labels of sentences) {
    let before: string | undefined;
    for (const label of labels) {
      const part = read(label);
      const begins = part !== undefined && part.type !== before;
      if (begins && part.position === "B") return false;
      if (begins) isSeen = true;
      before = part?.type;
    }
  }
  return isSeen;
}

/**
 * The labels that a form does not know, in order: helpers and strangers. They are outside of entities.
 *
 * @example
 * ```ts
 * foreignLabels(["O", "B-PER", "[SEP]"], hyphenated("IOB2")); // ["[SEP]"]
 * ```
 */
export function foreignLabels(labels: Iterable<string>, form: LabelForm): string[] {
  const read = labelReader(form);
  return [...new Set(labels)].filter((label) => label !== outside && read(label) === undefined);
}

/** The types of the labels in a form, sorted; "" for untyped ones. */
export function typesOf(labels: Iterable<string>, form: LabelForm): string[] {
  const read = labelReader(form);
  const types = new Set<string>();
  for (const label of labels) {
    const part = read(label);
    if (part !== undefined) types.add(part.type);
  }
  return [...types].sort();
}
