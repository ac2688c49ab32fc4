import type { LabelScheme } from "@nasty/formats/iob";
import * as v from "valibot";
import { textForms } from "../texts/input-format.js";

/** What an option takes: the type of one value, and how the command line and recipes write it. */
export interface Value<T> {
  readonly schema: v.GenericSchema<unknown, T>;
  /** The value of a text; a text that means nothing is returned as it is, for the schema to refuse. */
  readonly parse: (text: string) => unknown;
  /** The only values there are, where they are few. */
  readonly choices?: readonly string[];
}

/** A checked value, or what was expected instead, in the second half of a sentence. */
export type Checked<T> = { readonly value: T } | { readonly expected: string };

/** Checks a value that a program gave. */
export function checkValue<T>({ schema }: Value<T>, given: unknown): Checked<T> {
  const result = v.safeParse(schema, given);
  if (result.success) return { value: result.output };
  return { expected: result.issues[0].message.replace(/^Expected/, "expected").replace(/\.$/, "") };
}

/** Checks a value that is written as the command line and recipes write it. */
export function readValue<T>(value: Value<T>, text: string): Checked<T> {
  return checkValue(value, value.parse(text));
}

const numberOf = (text: string): unknown => (text.trim() === "" ? text : Number(text));

function number(message: string, isRight: (value: number) => boolean): Value<number> {
  return { schema: v.pipe(v.number(message), v.check(isRight, message)), parse: numberOf };
}

export const positiveInteger = number(
  "Expected a whole number of 1 or more.",
  (value) => Number.isSafeInteger(value) && value >= 1,
);

export const wholeNumber = number(
  "Expected a whole number of 0 or more.",
  (value) => Number.isSafeInteger(value) && value >= 0,
);

export const share = number("Expected a number from 0 to 1.", (value) => value >= 0 && value <= 1);

export const percentage = number(
  "Expected a number above 50 and up to 100.",
  (value) => value > 50 && value <= 100,
);

export const cosine = number("Expected a number from -1 to 1.", (value) => value >= -1 && value <= 1);

export const positiveNumber = number(
  "Expected a number above 0.",
  (value) => value > 0 && Number.isFinite(value),
);

/** Other names that the schemes go by; what is named once is the scheme's own. */
const schemeNames: ReadonlyMap<string, LabelScheme> = new Map(
  Object.entries({
    iob1: "IOB1",
    iob: "IOB1",
    iob2: "IOB2",
    bio: "IOB2",
    bioes: "BIOES",
    iobes: "BIOES",
    bilou: "BIOES",
    bmes: "BMES",
    bmewo: "BMES",
    io: "IO",
    untyped: "untyped",
  } as const),
);

/** A scheme of entity labels, by any name it goes by. */
export const labelScheme: Value<LabelScheme> = {
  schema: v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const scheme = schemeNames.get(dataset.value.toLowerCase());
      if (scheme !== undefined) return scheme;
      addIssue({ message: "Expected iob1, iob2, bioes (or bilou), bmes, io or untyped." });
      return NEVER;
    }),
  ),
  parse: (text) => text,
};

/** `conllu`, `columns` or `plain`, for all texts or, as `FILE=columns`, for one. */
export const saidForm: Value<string> = {
  schema: v.pipe(
    v.string(),
    v.check(
      (value) => textForms.some((form) => form === value.slice(value.lastIndexOf("=") + 1)),
      `Expected one of ${textForms.join(", ")}.`,
    ),
  ),
  parse: (text) => text,
};

/** Any text. */
export const anyText: Value<string> = { schema: v.string("Expected a text."), parse: (text) => text };

/** Looked at here, so that the command need not load a library for it. */
function isLanguageTag(tag: string): boolean {
  try {
    return new Intl.Locale(tag).language !== "";
  } catch {
    return false;
  }
}

/** The tag of a language, as in BCP 47. */
export const languageTag: Value<string> = {
  schema: v.pipe(
    v.string("Expected a text."),
    v.check(isLanguageTag, "Expected a BCP 47 tag such as da or en-GB."),
  ),
  parse: (text) => text,
};

/** One of a few words. */
export function choice<const T extends string>(...choices: readonly T[]): Value<T> {
  return {
    schema: v.picklist(choices, `Expected one of ${choices.join(", ")}.`),
    parse: (text) => text,
    choices,
  };
}

/** One of a few numbers. */
export function numberChoice<const T extends number>(...choices: readonly T[]): Value<T> {
  const shown = choices.join(", ").replace(/, (?=[^,]*$)/, " or ");
  return { schema: v.picklist(choices, `Expected ${shown}.`), parse: numberOf };
}

const sizeUnits: Readonly<Record<string, number>> = { "": 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9 };

/** Bytes: a number, or a text with or without kB, MB (1,000,000) or GB. */
export const fileSize: Value<number> = {
  schema: v.pipe(
    v.union([v.number(), v.string()]),
    v.transform((size) => (typeof size === "string" ? bytesOf(size) : size)),
    v.check(
      (bytes) => Number.isSafeInteger(bytes) && bytes >= 0,
      "Expected a size such as 4500000, 4500kB or 4.5MB.",
    ),
  ),
  parse: (text) => text,
};

function bytesOf(text: string): number {
  const [, digits = "", unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const factor = Object.hasOwn(sizeUnits, unit.toLowerCase()) ? sizeUnits[unit.toLowerCase()] : undefined;
  return digits === "" || factor === undefined ? Number.NaN : Math.round(Number(digits) * factor);
}

/** One of several equal parts of the work. */
export interface Part {
  /** From 1. */
  readonly index: number;
  readonly of: number;
}

/** `2/5`: the second of five parts. */
export const part: Value<Part> = {
  schema: v.pipe(
    v.union([v.string(), v.object({ index: v.number(), of: v.number() })]),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const { value } = dataset;
      const [, index, of] = typeof value === "string" ? (/^(\d+)\/(\d+)$/.exec(value) ?? []) : [];
      const found = typeof value === "string" ? { index: Number(index), of: Number(of) } : value;
      const isRight = Number.isSafeInteger(found.index) && Number.isSafeInteger(found.of);
      if (isRight && found.index >= 1 && found.index <= found.of) return found;
      addIssue({ message: "Expected a part such as 1/3, from 1/N to N/N." });
      return NEVER;
    }),
  ),
  parse: (text) => text,
};
