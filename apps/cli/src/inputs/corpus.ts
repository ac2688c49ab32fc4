import { readChunks } from "@nasty/formats/archive/node";
import { lineOf, miscOf, readConllu, type Sentence, type Word } from "@nasty/formats/conllu";
import { readColumns } from "@nasty/formats/iob";
import type { LabelledSentence, Task } from "@nasty/taggers";
import { segmentText } from "@nasty/taggers";
import { InputError } from "../exit-codes.js";

/** Key of the MISC column under which a CoNLL-U file carries entity labels. */
const entityKey = "NER";

type Chunks = AsyncIterable<Uint8Array>;
type Form = "conllu" | "columns";

export async function collectAll<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function open(path: string): Chunks {
  return path === "-" ? process.stdin : readChunks(path);
}

function nameOf(path: string): string {
  return path === "-" ? "standard input" : path;
}

/** Reads chunks until the first line with columns is whole; returns them together with the rest, nothing lost. */
async function peek(chunks: Chunks): Promise<{ head: string; all: Chunks }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const seen: Uint8Array[] = [];
  const decoder = new TextDecoder();
  let head = "";
  while (firstRow(head) === undefined) {
    const { done, value } = await iterator.next();
    if (done) break;
    seen.push(value);
    head += decoder.decode(value, { stream: true });
  }
  async function* replay(): AsyncGenerator<Uint8Array> {
    yield* seen;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { head, all: replay() };
}

/** The first complete line that is neither empty nor a comment. */
function firstRow(text: string): string | undefined {
  const lines = text.split("\n");
  lines.pop();
  return lines.find((line) => line.trim() !== "" && !(line.startsWith("#") && !line.includes("\t")));
}

/** CoNLL-U rows have ten columns and begin with a number; anything else is read as columns. */
function formOf(head: string): Form {
  const row = firstRow(`${head}\n`);
  const columns = row?.split("\t") ?? [];
  return columns.length >= 8 && /^\d/.test(columns[0]!) ? "conllu" : "columns";
}

/** Whether a file is CoNLL-U; standard input counts as columns, since it can be read only once. */
export async function isConllu(path: string): Promise<boolean> {
  if (path === "-") return false;
  return formOf((await peek(open(path))).head) === "conllu";
}

function entityOf(row: Word): string | undefined {
  return row.misc === "_" ? undefined : miscOf(row).get(entityKey);
}

function fromConllu(sentence: Sentence, task: Task, path: string): LabelledSentence {
  const words: string[] = [];
  const labels: string[] = [];
  const lines: number[] = [];
  sentence.rows.forEach((row, index) => {
    if (row.kind !== "word") return;
    const line = lineOf(sentence, index) ?? 0;
    const label = task === "pos" ? row.upos : (entityOf(row) ?? "O");
    if (label === "_") {
      throw new InputError(
        `read ${nameOf(path)}: line ${line}: UPOS: expected a label for "${row.form}", got none; give a file labelled for ${task}`,
      );
    }
    words.push(row.form);
    labels.push(label);
    lines.push(line);
  });
  return { words, labels, lines };
}

/**
 * Labelled sentences of a file (or `-`), streamed; CoNLL-U and column files are told apart by their content.
 *
 * UPOS for `pos`, `NER=` in MISC for `ner` in CoNLL-U (a word without it is outside of entities); the label column in column files.
 */
export async function* readLabelled(path: string, task: Task): AsyncGenerator<LabelledSentence> {
  const { head, all } = await peek(open(path));
  let count = 0;
  let entities = 0;
  if (formOf(head) === "conllu") {
    for await (const sentence of readConllu(all, { name: nameOf(path) })) {
      count++;
      if (task === "ner")
        entities += sentence.rows.filter((row) => row.kind === "word" && entityOf(row) !== undefined).length;
      yield fromConllu(sentence, task, path);
    }
    if (count > 0 && task === "ner" && entities === 0) {
      throw new InputError(
        `read ${nameOf(path)}: MISC column: expected entity labels as ${entityKey}=B-PER, got none in the whole file; give a file labelled for ner`,
      );
    }
  } else {
    for await (const { words, labels, line } of readColumns(all, { name: nameOf(path) })) {
      count++;
      yield {
        words,
        labels,
        ...(line === undefined ? {} : { lines: words.map((_, index) => line + index) }),
      };
    }
  }
  if (count === 0) {
    throw new InputError(
      `read ${nameOf(path)}: sentences: expected at least 1, got 0; the file is empty or holds only comments`,
    );
  }
}

/** Words of each sentence of a file, labels not needed: labelled text of either form, or plain text. */
export async function* readWords(path: string): AsyncGenerator<readonly string[]> {
  if (/\.txt(?:\.gz|\.br)?$/i.test(path)) {
    yield* plainSentences(path);
    return;
  }
  const { head, all } = await peek(open(path));
  if (formOf(head) === "conllu") {
    for await (const sentence of readConllu(all, { name: nameOf(path) })) {
      yield sentence.rows.filter((row) => row.kind === "word").map((row) => row.form);
    }
  } else {
    for await (const { words } of readColumns(all, { name: nameOf(path) })) yield words;
  }
}

async function* plainSentences(path: string): AsyncGenerator<readonly string[]> {
  for await (const paragraph of readParagraphs(path)) {
    for (const sentence of segmentText(paragraph.text)) {
      if (sentence.words.length > 0) yield sentence.words.map((word) => word.form);
    }
  }
}

/** A piece of a text that no sentence crosses, and where it begins. */
export interface Paragraph {
  readonly text: string;
  /** UTF-16 units of the text before it. */
  readonly offset: number;
}

// A text without empty lines is cut at line ends so that memory stays bounded.
const longestParagraph = 1 << 16;

/** Paragraphs of a plain text (or `-`), streamed: cut at empty lines, offsets into the whole text kept. */
export async function* readParagraphs(path: string): AsyncGenerator<Paragraph> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let pending = "";
  let offset = 0;
  for await (const chunk of open(path)) {
    pending += decode(decoder, chunk, path);
    for (let end = cutAt(pending); end > 0; end = cutAt(pending)) {
      yield { text: pending.slice(0, end), offset };
      offset += end;
      pending = pending.slice(end);
    }
  }
  pending += decode(decoder, undefined, path);
  if (pending !== "") yield { text: pending, offset };
}

function decode(
  decoder: InstanceType<typeof TextDecoder>,
  chunk: Uint8Array | undefined,
  path: string,
): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch {
    throw new InputError(
      `read ${nameOf(path)}: encoding: expected UTF-8 text, got other bytes; convert the file to UTF-8`,
    );
  }
}

/** Length of the first whole paragraph in the text, or 0 if more must be read. */
function cutAt(text: string): number {
  const gap = /\r?\n[ \t]*\r?\n/.exec(text);
  if (gap !== null) return gap.index + gap[0].length;
  if (text.length < longestParagraph) return 0;
  const newline = text.lastIndexOf("\n");
  return newline > 0 ? newline + 1 : text.length;
}
