import { lineOf, readConllu, type Sentence } from "@nasty/formats/conllu";
import { readColumns } from "@nasty/formats/iob";
import { FormatError } from "@nasty/formats/archive";
import { type LabelColumn, labelColumnFor } from "@nasty/formats/text-form";
import type { Task } from "@nasty/taggers";
import { InputError } from "../errors.js";
import { entityColumn, withEntity } from "./entity-labels.js";
import { type RawLines, rawLines } from "./raw-lines.js";
import type { OpenText } from "./text-form.js";

/** A sentence whose words are given, and its place in the text. */
export interface GivenSentence {
  readonly words: readonly string[];
  /** Line of each word in the text, from 1. */
  readonly lines: readonly number[];
  /**
   * The text from behind the sentence before to the last row of this one, with these labels in the place of its own.
   */
  relabelled(labels: readonly string[]): string;
}

/** What is left behind the last sentence: comments and empty lines, as they are. */
export interface GivenEnd {
  readonly rest: string;
}

/** Replaces a label in a line, which has its line end. */
type Replace = (line: string, label: string) => string;

/** What is labelled, and whether the labels go into the text itself: only then it needs a column for them. */
export interface GivenOptions {
  readonly task: Task;
  readonly isRewritten: boolean;
  readonly place?: GivenPlace | undefined;
}

/**
 * Where a text lies that is a part of a longer one. It may begin with lines that were put before it so that it is read
 * as the whole would be: they are neither labelled nor given back.
 */
export interface GivenPlace {
  /** Lines that were put before the part. */
  readonly leadLines: number;
  /** Lines of the whole text before the part. */
  readonly linesBefore: number;
}

/**
 * Sentences of a labelled text as words that are given, streamed, and the text again with other labels: comments,
 * ranges, empty nodes, other columns, line ends and empty lines stay byte for byte.
 *
 * Parts of speech go to UPOS, entities to the entity column of CoNLL-U Plus, else to MISC (`NER=`, or the key that is
 * there); in columns the labels of the task's column are replaced.
 *
 * @throws InputError where a text that is rewritten has no column for the task; FormatError as the readers
 */
export async function* givenSentences(
  text: OpenText,
  options: GivenOptions,
): AsyncGenerator<GivenSentence | GivenEnd> {
  const lines = rawLines(text.chunks);
  const found =
    text.form === "conllu" ? conlluWords(text, options, lines) : columnWords(text, options, lines);
  const { leadLines, linesBefore } = options.place ?? { leadLines: 0, linesBefore: 0 };
  const moved = linesBefore - leadLines;
  try {
    for await (const { words, lines: at, replace } of found) {
      if ((at[0] as number) <= leadLines) continue;
      lines.take(leadLines);
      const piece = lines.take(at.at(-1) as number);
      yield {
        words,
        lines: moved === 0 ? at : at.map((line) => line + moved),
        relabelled: (labels) => relabelled(piece, at, labels, replace),
      };
    }
  } catch (error) {
    throw moved === 0 ? error : withLineMoved(error, moved);
  }
  lines.take(leadLines);
  yield { rest: lines.rest() };
}

/** An error of a reader with its line in the whole text. */
function withLineMoved(error: unknown, moved: number): unknown {
  if (!(error instanceof FormatError) || error.fields.line === undefined) return error;
  const { line } = error.fields;
  const message = error.message.replace(`line ${line}:`, `line ${line + moved}:`);
  return new FormatError(error.code, message, { ...error.fields, line: line + moved, cause: error });
}

interface FoundWords {
  readonly words: readonly string[];
  readonly lines: readonly number[];
  readonly replace: Replace;
}

function relabelled(
  { first, lines }: { readonly first: number; readonly lines: readonly string[] },
  at: readonly number[],
  labels: readonly string[],
  replace: Replace,
): string {
  const changed = [...lines];
  for (const [index, line] of at.entries()) {
    changed[line - first] = replace(lines[line - first] as string, labels[index] as string);
  }
  return changed.join("");
}

async function* conlluWords(
  text: OpenText,
  { task, isRewritten }: GivenOptions,
  lines: RawLines,
): AsyncGenerator<FoundWords> {
  for await (const sentence of readConllu(lines.chunks, { name: text.name })) {
    const words: string[] = [];
    const at: number[] = [];
    for (const [index, row] of sentence.rows.entries()) {
      if (row.kind !== "word") continue;
      words.push(row.form);
      at.push(lineOf(sentence, index) as number);
    }
    // Ranges and empty nodes alone: nothing is labelled, and the lines go with the next sentence.
    if (words.length === 0) continue;
    const replace = isRewritten ? conlluReplace(sentence, task, text.name) : unchanged;
    yield { words, lines: at, replace };
  }
}

const unchanged: Replace = (line) => line;

function conlluReplace(sentence: Sentence, task: Task, name: string): Replace {
  const names = sentence.columns;
  const entities = task === "ner" ? entityColumn(sentence) : undefined;
  const wanted = task === "pos" ? "UPOS" : (entities ?? "MISC");
  const place = names === undefined ? (task === "pos" ? 3 : 9) : names.indexOf(wanted);
  if (place < 0) {
    throw new InputError(
      `tag ${name}: line ${sentence.line}: global.columns: expected ${wanted} for the labels, got ${names?.join(" ")}; add the column, or give --format conllu`,
    );
  }
  return (line, label) =>
    withField(line, place, (value) => (wanted === "MISC" ? withEntity(value, label) : label));
}

/** A line with another value between two tabs; its line end stays. */
function withField(line: string, place: number, change: (value: string) => string): string {
  const content = line.replace(/\r?\n$/, "");
  const fields = content.split("\t");
  fields[place] = change(fields[place] as string);
  return fields.join("\t") + line.slice(content.length);
}

async function* columnWords(
  text: OpenText,
  { task, isRewritten }: GivenOptions,
  lines: RawLines,
): AsyncGenerator<FoundWords> {
  const column = labelColumnFor(text.head, task);
  if (isRewritten && column !== undefined) checkContent(column, task, text.name);
  const options = {
    name: text.name,
    ...(column === undefined ? {} : { labelColumn: column.column, wordColumn: column.wordColumn }),
  };
  for await (const { words, lines: at = [] } of readColumns(lines.chunks, options)) {
    const place = (column?.column ?? 2) - 1;
    yield {
      words,
      lines: at,
      replace: (line, label) =>
        line.includes("\t") ? withField(line, place, () => label) : withWord(line, place, label),
    };
  }
}

/** Labels of the other task are not written over: they would be lost, and the file would say what it does not hold. */
function checkContent({ column, content }: LabelColumn, task: Task, name: string): void {
  if (content === "labels" || content === (task === "ner" ? "entities" : "parts of speech")) return;
  const predicted = task === "ner" ? "entities" : "parts of speech";
  throw new InputError(
    `tag ${name}: column ${column}: expected a column of ${predicted}, which the model predicts, got one of ${content}; give --format text, conllu or json to have the labels by themselves`,
  );
}

/** A line with another word in the place of one of those that blanks part; the blanks stay. */
function withWord(line: string, place: number, word: string): string {
  let index = 0;
  return line.replace(/[^ \t\r\n]+/g, (field) => (index++ === place ? word : field));
}
