import { FormatError } from "@nasty/formats/hf";
import { parseJson } from "@nasty/formats/json";
import { sentenceSpans } from "@nasty/taggers";
import type { TextSample } from "@nasty/taggers/texts";
import { InputError } from "../errors.js";
import { notPlain, piecesOf, type PlainTextOptions } from "../texts/plain-text.js";
import { chunksOf, linesOf, type TextLine } from "../texts/text-lines.js";
import { nameOf, openText } from "../texts/text-form.js";
import { wordsIn } from "../texts/unlabelled-text.js";

/** A text, or two, with what is right to say of it, where the file says it. */
export interface LabelledText extends TextSample {
  /** A label by name or number, or several. */
  readonly label?: string | number | readonly (string | number)[] | undefined;
  /** A number that is right: how alike two texts are. */
  readonly score?: number | undefined;
  /** The vector that a text should get. */
  readonly vector?: readonly number[] | undefined;
  /** Where it stands, for messages: `line 12`. */
  readonly place: string;
}

/** Names of files of JSON Lines, perhaps compressed. */
export const isJsonLines = (path: string): boolean => /\.(?:jsonl|ndjson)(?:\.gz|\.br)?$/i.test(path);
const isTable = (path: string): boolean => /\.tsv(?:\.gz|\.br)?$/i.test(path);

/**
 * The texts of a file (or `-`), streamed: JSON Lines with `text`, `text_pair`, `label`, `labels`, `score` and `vector`;
 * columns that tabs part (`.tsv`: text and label, or two texts and a label, or what a first line `text…` names); the
 * sentences of plain or labelled text, without labels.
 *
 * @throws InputError naming file and line
 */
export async function* readTexts(path: string, options: PlainTextOptions = {}): AsyncGenerator<LabelledText> {
  const name = nameOf(path);
  if (isTable(path)) {
    yield* ofTable(linesOf(chunksOf(path)), name);
    return;
  }
  if (isJsonLines(path)) {
    yield* ofJson(linesOf(chunksOf(path)), name);
    return;
  }
  const text = await openText(path);
  if (text.head.trimStart().startsWith("{")) {
    yield* ofJson(linesOf(text), name);
    return;
  }
  if (options.onePerLine === true && text.form !== "plain") throw notPlain(text.name);
  let count = 0;
  if (text.form !== "plain") {
    for await (const words of wordsIn(text, options)) {
      if (words.length > 0) yield { text: words.join(" "), place: `sentence ${++count}` };
    }
    return;
  }
  for await (const piece of piecesOf(text, options)) {
    for (const { start, end } of sentenceSpans(piece.text, options)) {
      const sentence = piece.text.slice(start, end).trim();
      if (sentence !== "") yield { text: sentence, place: `sentence ${++count}` };
    }
  }
}

async function* ofJson(lines: AsyncIterable<TextLine>, name: string): AsyncGenerator<LabelledText> {
  for await (const { text: json, line } of lines) {
    if (json.trim() === "") continue;
    const place = `line ${line}`;
    const given = objectOf(json, `read ${name}: ${place}`);
    const text = stringIn(given, "text", `read ${name}: ${place}`);
    if (text === undefined) {
      const got = Object.keys(given).join(", ") || "no keys";
      throw new InputError(`read ${name}: ${place}: text: expected {"text": …}, got ${got}`);
    }
    const pair = stringIn(given, "text_pair", `read ${name}: ${place}`);
    const label = labelIn(given, `read ${name}: ${place}`);
    const score = scoreIn(given["score"], `read ${name}: ${place}`);
    const vector = vectorIn(given["vector"], `read ${name}: ${place}`);
    yield { text, pair, label, score, vector, place };
  }
}

function objectOf(json: string, where: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = parseJson(json);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new InputError(`${where}: expected {"text": …}, got ${error.message.replace(/^.*, got /, "")}`, {
      cause: error,
    });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new InputError(`${where}: expected {"text": …}, got ${JSON.stringify(value).slice(0, 40)}`);
}

function stringIn(given: Readonly<Record<string, unknown>>, key: string, where: string): string | undefined {
  const value = given[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw new InputError(`${where}: ${key}: expected a text, got ${JSON.stringify(value).slice(0, 40)}`);
}

const isLabel = (value: unknown): value is string | number =>
  typeof value === "string" || (typeof value === "number" && Number.isFinite(value));

function labelIn(given: Readonly<Record<string, unknown>>, where: string): LabelledText["label"] {
  const { label, labels } = given;
  const value = label ?? labels ?? undefined;
  if (value === undefined || isLabel(value)) return value;
  if (Array.isArray(value) && value.every(isLabel)) return value;
  throw new InputError(
    `${where}: label: expected a name, a number, or a list of them, got ${JSON.stringify(value).slice(0, 40)}`,
  );
}

function scoreIn(value: unknown, where: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new InputError(`${where}: score: expected a number, got ${JSON.stringify(value).slice(0, 40)}`);
}

function vectorIn(value: unknown, where: string): readonly number[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "number"))
    return value as readonly number[];
  throw new InputError(
    `${where}: vector: expected a list of numbers, got ${JSON.stringify(value).slice(0, 40)}`,
  );
}

/** Columns of a table without a first line that names them. */
const usual: Readonly<Record<number, readonly string[]>> = {
  1: ["text"],
  2: ["text", "label"],
  3: ["text", "text_pair", "label"],
};

async function* ofTable(lines: AsyncIterable<TextLine>, name: string): AsyncGenerator<LabelledText> {
  let columns: readonly string[] | undefined;
  for await (const { text: row, line } of lines) {
    if (row.trim() === "") continue;
    const fields = row.split("\t");
    const where = `read ${name}: line ${line}`;
    if (columns === undefined) {
      if (fields.includes("text")) {
        columns = fields;
        continue;
      }
      columns = usual[fields.length];
      if (columns === undefined) {
        throw new InputError(
          `${where}: columns: expected text and label, or text, text_pair and label, or a first line that names them, got ${fields.length}`,
        );
      }
    }
    if (fields.length !== columns.length) {
      throw new InputError(`${where}: columns: expected ${columns.length}, got ${fields.length}`);
    }
    const value = (column: string): string | undefined =>
      fields[(columns as readonly string[]).indexOf(column)];
    const written = value("score");
    const score = written === undefined ? undefined : scoreIn(Number(written), where);
    yield {
      text: value("text") ?? "",
      pair: value("text_pair"),
      label: value("label"),
      score,
      place: `line ${line}`,
    };
  }
}
