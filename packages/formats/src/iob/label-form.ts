/**
 * How labels mark entities.
 *
 * - `IOB1`: `I-` inside of an entity, `B-` only where one begins right behind another of the same type.
 * - `IOB2`: every entity begins with `B-`, and goes on with `I-`.
 * - `BIOES`: also its end (`E-`) and entities of one word (`S-`); BILOU has `L-` and `U-` for them.
 * - `BMES`: BIOES with `M-` inside; a word by itself may be `W-`.
 * - `IO`: the type alone (`PER`), or with `I-`. Neighbours of one type are one entity.
 */
export type PositionScheme = "IOB1" | "IOB2" | "BIOES" | "BMES" | "IO";

/**
 * A {@link PositionScheme}, or `untyped`: letters without a type, so that there is one type of entity, without a name.
 */
export type LabelScheme = PositionScheme | "untyped";

export const labelSchemes: readonly LabelScheme[] = ["IOB1", "IOB2", "BIOES", "BMES", "IO", "untyped"];

/** What a label says about a word of an entity: it begins one, stands inside of it, ends it, or is all of it. */
export interface LabelPart {
  readonly position: "B" | "I" | "E" | "S";
  /** Empty for untyped labels. */
  readonly type: string;
}

/** How the labels of one model or file are spelled. */
export interface LabelForm {
  readonly scheme: PositionScheme;
  /** Whether labels name a type; without one they are a letter alone. */
  readonly isTyped: boolean;
  /** What stands between letter and type; empty where a label is only one of them. */
  readonly separator: "-" | "_" | "";
  /** Whether the letter comes before the type (`B-PER`) or behind it (`PER-B`). */
  readonly side: "prefix" | "suffix";
  /** The letters of a word inside of an entity, of its end, and of an entity of one word. */
  readonly letters: {
    readonly inside: "I" | "M";
    readonly end: "E" | "L";
    readonly single: "S" | "U" | "W";
  };
}

/** The label of a word outside of all entities. */
export const outside = "O";

export const positionOfLetter: ReadonlyMap<string, LabelPart["position"]> = new Map([
  ["B", "B"],
  ["I", "I"],
  ["M", "I"],
  ["E", "E"],
  ["L", "E"],
  ["S", "S"],
  ["U", "S"],
  ["W", "S"],
] as const);

/** The letters that labels of a scheme may have. */
export const lettersOfScheme: Readonly<Record<PositionScheme, string>> = {
  IOB1: "BI",
  IOB2: "BI",
  BIOES: "BIESLU",
  BMES: "BMESW",
  IO: "I",
};

/** Labels as most corpora have them: `B-PER`. */
export function hyphenated(scheme: PositionScheme): LabelForm {
  const inside = scheme === "BMES" ? "M" : "I";
  return {
    scheme,
    isTyped: true,
    separator: "-",
    side: "prefix",
    letters: { inside, end: "E", single: "S" },
  };
}

/** The name that a user knows a form by. */
export function schemeName({ scheme, isTyped }: LabelForm): LabelScheme {
  return isTyped ? scheme : "untyped";
}

// [CLS], <pad>, -X-, __PAD__: brackets of any kind around the name of something that is no label.
const bracketed = /^(?:\[.*\]|<.*>|\{.*\}|-[A-Z]+-|__\w+__)$/;
const helpers = new Set(["X", "_", "-", "PAD", "CLS", "SEP", "UNK", "MASK", "BOS", "EOS", "START", "STOP"]);

/**
 * Whether a label is one of those that models have beside those of their task: `[CLS]`, `<pad>`, `X` (further pieces of
 * a word), `_`, ….
 *
 * @example
 * ```ts
 * isHelperLabel("[SEP]"); // true
 * ```
 */
export function isHelperLabel(label: string): boolean {
  return bracketed.test(label) || helpers.has(label);
}

/** Tags such as `I---------` of positional tag sets name no type. */
const namesType = (text: string): boolean => /^[\p{L}\p{N}]/u.test(text);

/** Letter and type of a typed label in one spelling, whatever the letter; undefined for another label. */
export function splitLabel(
  label: string,
  side: LabelForm["side"],
  separator: LabelForm["separator"],
): { readonly letter: string; readonly type: string } | undefined {
  const isPrefix = side === "prefix";
  if (label.length < 3 || (isPrefix ? label[1] : label.at(-2)) !== separator) return undefined;
  const letter = (isPrefix ? label[0] : label.at(-1)) as string;
  const type = isPrefix ? label.slice(2) : label.slice(0, -2);
  return positionOfLetter.has(letter) && namesType(type) ? { letter, type } : undefined;
}

/**
 * A function that says what a label means in a form: undefined for `O` and for every label that is foreign to the form.
 *
 * @example
 * ```ts
 * labelReader(hyphenated("IOB2"))("B-PER"); // { position: "B", type: "PER" }
 * ```
 */
export function labelReader(form: LabelForm): (label: string) => LabelPart | undefined {
  const known = new Map<string, LabelPart | undefined>();
  return (label) => {
    if (known.has(label)) return known.get(label);
    const part = readLabel(label, form);
    // Files may have labels without end; those of a model or a corpus fit.
    if (known.size < mostKept) known.set(label, part);
    return part;
  };
}

const mostKept = 10_000;

function readLabel(label: string, { scheme, isTyped, side, separator }: LabelForm): LabelPart | undefined {
  if (label === outside || label === "") return undefined;
  if (isTyped && separator === "") {
    return isHelperLabel(label) || !namesType(label) ? undefined : { position: "I", type: label };
  }
  const { letter, type } = isTyped
    ? (splitLabel(label, side, separator) ?? { letter: "", type: "" })
    : { letter: label, type: "" };
  if (letter === "" || !lettersOfScheme[scheme].includes(letter)) return undefined;
  const position = positionOfLetter.get(letter);
  return position && { position, type };
}

/**
 * The label that says this of a word.
 *
 * @example
 * ```ts
 * writeLabel({ position: "B", type: "PER" }, hyphenated("IOB2")); // "B-PER"
 * ```
 */
export function writeLabel({ position, type }: LabelPart, form: LabelForm): string {
  const { isTyped, separator, side, letters } = form;
  if (isTyped && separator === "") return type;
  const letter = { B: "B", I: letters.inside, E: letters.end, S: letters.single }[position];
  if (!isTyped) return letter;
  return side === "prefix" ? `${letter}${separator}${type}` : `${type}${separator}${letter}`;
}
