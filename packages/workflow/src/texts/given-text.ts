import { type Row, serializeSentence } from "@nasty/formats/conllu";
import { type BatchOptions, entityLabels, type Tagger } from "@nasty/taggers";
import { withEntity } from "./entity-labels.js";
import { type GivenSentence, givenSentences } from "./given-words.js";
import type { OpenText } from "./text-form.js";

/** How words that are given are labelled, and the labels written. */
export interface GivenJob {
  /** Undefined: the form of the text itself. */
  readonly format: "text" | "conllu" | "json" | undefined;
  readonly batches: BatchOptions;
  /** Takes what is written, piece by piece; waits while the reader is slower. */
  readonly write: (text: string) => Promise<void> | void;
}

/** Labels the words of CoNLL-U or columns; how many sentences there are. */
export async function tagGivenWords(
  text: OpenText,
  tagger: Tagger,
  { format, batches, write }: GivenJob,
): Promise<number> {
  // Whether the text comes back with other labels.
  const isRewritten = format === undefined || (format === "conllu" && text.form === "conllu");
  // What was read ahead for batches, until its labels come.
  const waiting: GivenSentence[] = [];
  let rest = "";
  async function* wordLists(): AsyncGenerator<readonly string[]> {
    for await (const item of givenSentences(text, { task: tagger.task, isRewritten })) {
      if ("rest" in item) {
        ({ rest } = item);
        continue;
      }
      waiting.push(item);
      yield item.words;
    }
  }
  let count = 0;
  const labelOf = entityLabels(tagger.labelling ?? { form: undefined });
  for await (const predicted of tagger.tag(wordLists(), batches)) {
    const labels = predicted.map(labelOf);
    const sentence = waiting.shift() as GivenSentence;
    await write(written(sentence, labels, { format, count, task: tagger.task, form: text.form }));
    count++;
  }
  if (isRewritten) await write(rest);
  if (format === "json") await write(count === 0 ? "[]\n" : "\n]\n");
  return count;
}

interface Writing {
  readonly format: GivenJob["format"];
  readonly form: OpenText["form"];
  readonly task: Tagger["task"];
  readonly count: number;
}

function written(
  { words, lines, relabelled }: GivenSentence,
  labels: readonly string[],
  { format, count, task, form }: Writing,
): string {
  switch (format) {
    case undefined:
      return relabelled(labels);
    case "text":
      return `${words.map((word, index) => `${word}/${labels[index]}`).join(" ")}\n`;
    case "conllu":
      return form === "conllu"
        ? relabelled(labels)
        : asConllu(words, labels, { id: String(count + 1), task });
    case "json": {
      const labelled = words.map((word, index) => ({ form: word, label: labels[index], line: lines[index] }));
      return `${count === 0 ? "[\n" : ",\n"}${JSON.stringify({ input: form, words: labelled })}`;
    }
    default:
      return format satisfies never;
  }
}

/** A sentence of columns as CoNLL-U. Columns do not say where the text has blanks: every word has one behind it. */
function asConllu(
  words: readonly string[],
  labels: readonly string[],
  { id, task }: { readonly id: string; readonly task: Tagger["task"] },
): string {
  const rows = words.map(
    (form, index): Row => ({
      kind: "word",
      id: index + 1,
      form: form.trim() === "" ? "_" : form,
      lemma: "_",
      upos: task === "pos" ? (labels[index] as string) : "_",
      xpos: "_",
      feats: "_",
      head: undefined,
      deprel: "_",
      deps: "_",
      misc: task === "ner" ? withEntity("_", labels[index] as string) : "_",
    }),
  );
  return serializeSentence({ comments: [`# sent_id = ${id}`, `# text = ${words.join(" ").trim()}`], rows });
}
