import { FormatError, parseJson } from "@nasty/formats/json";
import { InputError } from "../errors.js";
import { nameOf } from "./text-form.js";
import { chunksOf, linesOf, type TextLine } from "./text-lines.js";

/** A whole text of a file, or a pair of texts, with what the file says of it. */
export interface TextExample {
  readonly text: string;
  /** The second text of a pair. */
  readonly pair: string | undefined;
  /** As it is written: numbers and booleans of JSON become text. */
  readonly label: string | undefined;
  /** From a key `vector` of JSON. */
  readonly vector: readonly number[] | undefined;
  /** From 1. */
  readonly line: number;
}

export type LabelledExample = TextExample & { readonly label: string };
export type VectorExample = TextExample & { readonly vector: readonly number[] };

/** Names that keys of JSON and columns of TSV go by, the first that is there counts. */
const names = {
  text: ["text", "sentence", "sentence1", "text1", "premise", "question", "query"],
  pair: ["text_pair", "pair", "sentence2", "text2", "hypothesis", "answer", "passage"],
  label: ["label", "labels", "class", "category", "label_text"],
} as const;

/**
 * Whole texts of a file (or `-`), streamed.
 *
 * JSON Lines where the first line with something on it begins with `{`: an object on each, with `text`, and
 * `text_pair`, `label` or `vector` where it has them. Else tab-separated: a first line with `text` among its names says
 * what the columns are; without one they are text and label, or text, second text and label.
 *
 * @throws InputError naming file and line: for what is neither, for a line without a text, for a value of another type,
 *   for a file without a text
 */
export async function* readTextExamples(path: string): AsyncGenerator<TextExample> {
  const name = nameOf(path);
  let parse: ((line: TextLine) => TextExample) | undefined;
  let count = 0;
  for await (const line of linesOf(chunksOf(path))) {
    if (line.text.trim() === "") continue;
    const where = `read ${name}: line ${line.line}`;
    if (parse === undefined) {
      if (line.text.trimStart().startsWith("{")) parse = (one) => ofJson(one, name);
      else {
        const columns = columnsOf(line.text, where);
        parse = (one) => ofColumns(one, columns, name);
        if (columns.isHeader) continue;
      }
    }
    count += 1;
    yield parse(line);
  }
  if (count > 0) return;
  throw new InputError(`read ${name}: texts: expected at least 1, got 0; the file is empty or only a header`);
}

/**
 * {@link readTextExamples} of texts that have a label each.
 *
 * @throws InputError also for a text without a label
 */
export async function* readLabelledTexts(path: string): AsyncGenerator<LabelledExample> {
  for await (const example of readTextExamples(path)) {
    const { label, line } = example;
    if (label === undefined || label === "") {
      throw new InputError(
        `read ${nameOf(path)}: line ${line}: label: expected the label of the text, got none`,
      );
    }
    yield { ...example, label };
  }
}

/**
 * {@link readTextExamples} of texts that have a vector each.
 *
 * @throws InputError also for a text without a vector, which columns cannot have
 */
export async function* readVectorTexts(path: string): AsyncGenerator<VectorExample> {
  for await (const example of readTextExamples(path)) {
    const { vector, line } = example;
    if (vector === undefined) {
      throw new InputError(
        `read ${nameOf(path)}: line ${line}: vector: expected a list of numbers, got none; give JSON Lines of {"text": …, "vector": […]}`,
      );
    }
    yield { ...example, vector };
  }
}

function ofJson({ text, line }: TextLine, name: string): TextExample {
  const where = `read ${name}: line ${line}`;
  const object = objectOf(text, where);
  const of = (keys: readonly string[]): readonly [key: string, value: unknown] => {
    const key = keys.find((one) => Object.hasOwn(object, one) && object[one] !== null) ?? (keys[0] as string);
    return [key, Object.hasOwn(object, key) ? (object[key] ?? undefined) : undefined];
  };
  const stringOf = (keys: readonly string[]): string | undefined => {
    const [key, value] = of(keys);
    if (value === undefined || typeof value === "string") return value;
    throw new InputError(`${where}: ${key}: expected text, got ${shown(value)}`);
  };
  const found = stringOf(names.text);
  if (found === undefined) {
    throw new InputError(
      `${where}: text: expected {"text": …}, got the keys ${Object.keys(object).join(", ") || "of an empty object"}`,
    );
  }
  const [labelKey, label] = of(names.label);
  if (label !== undefined && !["string", "number", "boolean"].includes(typeof label)) {
    throw new InputError(`${where}: ${labelKey}: expected one label, got ${shown(label)}`);
  }
  return {
    text: found,
    pair: stringOf(names.pair),
    label: label === undefined ? undefined : String(label as string | number | boolean),
    vector: vectorOf(of(["vector", "embedding"]), where),
    line,
  };
}

function objectOf(text: string, where: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new InputError(
      `${where}: expected an object such as {"text": …, "label": …}, got ${error.message.replace(/^.*, got /, "")}`,
      { cause: error },
    );
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw new InputError(`${where}: expected an object such as {"text": …, "label": …}, got ${shown(value)}`);
}

function vectorOf([key, value]: readonly [string, unknown], where: string): readonly number[] | undefined {
  if (value === undefined) return undefined;
  const isNumbers = Array.isArray(value) && value.every((one) => typeof one === "number");
  if (isNumbers && value.length > 0) return value as readonly number[];
  throw new InputError(`${where}: ${key}: expected a list of numbers, got ${shown(value)}`);
}

/** Where texts and labels stand in the lines of a file; −1 where they do not. */
interface Columns {
  readonly isHeader: boolean;
  readonly count: number;
  readonly text: number;
  readonly pair: number;
  readonly label: number;
}

function columnsOf(first: string, where: string): Columns {
  const cells = first.split("\t").map((cell) => cell.trim().toLowerCase());
  const count = cells.length;
  const at = (keys: readonly string[]): number => cells.findIndex((cell) => keys.includes(cell));
  const [text, pair, label] = [at(names.text), at(names.pair), at(names.label)];
  if (count > 1 && text >= 0 && (pair >= 0 || label >= 0))
    return { isHeader: true, count, text, pair, label };
  if (count === 2) return { isHeader: false, count, text: 0, pair: -1, label: 1 };
  if (count === 3) return { isHeader: false, count, text: 0, pair: 1, label: 2 };
  throw new InputError(
    `${where}: expected JSON Lines of {"text": …, "label": …}, or a text, a tab and a label, got ${count === 1 ? "no tab" : `${count} columns without a header`}`,
  );
}

function ofColumns({ text, line }: TextLine, columns: Columns, name: string): TextExample {
  const cells = text.split("\t");
  if (cells.length !== columns.count) {
    throw new InputError(
      `read ${name}: line ${line}: columns: expected ${columns.count} as in the first line, got ${cells.length}`,
    );
  }
  const cell = (at: number): string | undefined => (at < 0 ? undefined : cells[at]);
  return {
    text: cell(columns.text) ?? "",
    pair: cell(columns.pair),
    label: cell(columns.label)?.trim(),
    vector: undefined,
    line,
  };
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
