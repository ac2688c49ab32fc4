import { lineOf, readConllu, type Sentence, type Word } from "@nasty/formats/conllu";
import { readColumns } from "@nasty/formats/iob";
import { labelColumnFor } from "@nasty/formats/text-form";
import type { LabelledSentence, Task } from "@nasty/taggers";
import { InputError } from "../errors.js";
import { defaultEntityKey, entityLabel } from "./entity-labels.js";
import { type OpenText, openText } from "./text-form.js";

/**
 * Labelled sentences of a file (or `-`), streamed; CoNLL-U and column files are told apart by their content.
 *
 * In CoNLL-U UPOS for `pos`; for `ner` the entity column of CoNLL-U Plus, or `NER=`, `ner=`, `Entity=` and the like in
 * MISC (a word without it is outside of entities). In column files the column that holds labels of the task, the last
 * where it may.
 *
 * @throws InputError for plain text, a missing label, a CoNLL-U file without entities when the task is `ner`, no
 *   sentence at all
 */
export async function* readLabelled(path: string, task: Task): AsyncGenerator<LabelledSentence> {
  yield* labelledSentences(await openText(path, "labels"), task);
}

/** {@link readLabelled} of a text that is open already. */
export async function* labelledSentences(
  text: OpenText,
  task: Task | undefined,
): AsyncGenerator<LabelledSentence> {
  let count = 0;
  for await (const sentence of sentencesOf(text, task)) {
    count++;
    yield sentence;
  }
  if (count === 0) {
    throw new InputError(
      `read ${text.name}: sentences: expected at least 1, got 0; the file is empty or holds only comments`,
    );
  }
}

function sentencesOf(text: OpenText, task: Task | undefined): AsyncGenerator<LabelledSentence> {
  switch (text.form) {
    case "conllu":
      return task === "pos" ? conlluTags(text) : conlluEntities(text);
    case "columns":
      return columns(text, task);
    case "plain":
      // An empty text has no form, and no sentence: that is said for all forms alike.
      if (text.head.trim() === "") return noSentences();
      throw new InputError(
        `read ${text.name}: form: expected labelled text (CoNLL-U, or columns of words and labels), got plain text; give a labelled file, or say --input-format columns if it is one`,
      );
    default:
      return text.form satisfies never;
  }
}

async function* noSentences(): AsyncGenerator<LabelledSentence> {}

async function* columns(
  { chunks, name, head }: OpenText,
  task: Task | undefined,
): AsyncGenerator<LabelledSentence> {
  const labelColumn = labelColumnFor(head, task)?.column;
  const options = { name, ...(labelColumn === undefined ? {} : { labelColumn }) };
  for await (const { words, labels, lines } of readColumns(chunks, options)) {
    yield { words, labels, ...(lines === undefined ? {} : { lines }) };
  }
}

async function* conlluTags({ chunks, name }: OpenText): AsyncGenerator<LabelledSentence> {
  for await (const sentence of readConllu(chunks, { name })) {
    yield labelled(sentence, ({ form, upos }, line) => {
      if (upos !== "_") return upos;
      throw new InputError(
        `read ${name}: line ${line}: UPOS: expected a label for "${form}", got none; give a file labelled with parts of speech`,
      );
    });
  }
}

async function* conlluEntities({ chunks, name }: OpenText): AsyncGenerator<LabelledSentence> {
  let sentences = 0;
  let labels = 0;
  for await (const sentence of readConllu(chunks, { name })) {
    sentences++;
    yield labelled(sentence, (word) => {
      const entity = entityLabel(sentence, word);
      if (entity !== undefined) labels++;
      return entity ?? "O";
    });
  }
  if (sentences > 0 && labels === 0) {
    throw new InputError(
      `read ${name}: MISC column: expected entity labels such as ${defaultEntityKey}=B-PER, got none in the whole file; give a file labelled with entities, or a part-of-speech model`,
    );
  }
}

function labelled(sentence: Sentence, labelOf: (word: Word, line: number) => string): LabelledSentence {
  const words: string[] = [];
  const labels: string[] = [];
  const lines: number[] = [];
  sentence.rows.forEach((row, index) => {
    if (row.kind !== "word") return;
    const line = lineOf(sentence, index) ?? 0;
    words.push(row.form);
    labels.push(labelOf(row, line));
    lines.push(line);
  });
  return { words, labels, lines };
}
