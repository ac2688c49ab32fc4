import { lineOf, miscOf, readConllu, type Sentence, type Word } from "@nasty/formats/conllu";
import { readColumns } from "@nasty/formats/iob";
import type { LabelledSentence, Task } from "@nasty/taggers";
import { InputError } from "../exit-codes.js";
import { type OpenText, openText } from "./text-form.js";

/** Key of the MISC column under which a CoNLL-U file carries entity labels. */
const entityKey = "NER";

/**
 * Labelled sentences of a file (or `-`), streamed; CoNLL-U and column files are told apart by their content.
 *
 * UPOS for `pos`, `NER=` in MISC for `ner` in CoNLL-U (a word without it is outside of entities); the label column in column files.
 *
 * @throws InputError for plain text, a missing label, a CoNLL-U file without entities when the task is `ner`, no sentence at all
 */
export async function* readLabelled(path: string, task: Task): AsyncGenerator<LabelledSentence> {
  yield* labelledSentences(await openText(path), task);
}

/** {@link readLabelled} of a text that is open already. */
export async function* labelledSentences(text: OpenText, task: Task): AsyncGenerator<LabelledSentence> {
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

function sentencesOf(text: OpenText, task: Task): AsyncGenerator<LabelledSentence> {
  switch (text.form) {
    case "conllu":
      return task === "ner" ? conlluEntities(text) : conlluTags(text);
    case "columns":
      return columns(text);
    case "plain":
      throw new InputError(
        `read ${text.name}: form: expected labelled text (CoNLL-U, or columns of words and labels), got plain text; give a labelled file`,
      );
    default:
      return text.form satisfies never;
  }
}

async function* columns({ chunks, name }: OpenText): AsyncGenerator<LabelledSentence> {
  for await (const { words, labels, line } of readColumns(chunks, { name })) {
    yield { words, labels, ...(line === undefined ? {} : { lines: words.map((_, index) => line + index) }) };
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
      const entity = word.misc === "_" ? undefined : miscOf(word).get(entityKey);
      if (entity !== undefined) labels++;
      return entity ?? "O";
    });
  }
  if (sentences > 0 && labels === 0) {
    throw new InputError(
      `read ${name}: MISC column: expected entity labels such as ${entityKey}=B-PER, got none in the whole file; give a file labelled with entities, or a part-of-speech model`,
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
