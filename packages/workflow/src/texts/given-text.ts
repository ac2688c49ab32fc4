import { type Row, serializeSentence } from "@nasty/formats/conllu";
import { type BatchOptions, entityLabels, type Tagger } from "@nasty/taggers";
import {
  columnsText,
  type LabelledSentence,
  type LabelledWord,
  type SentenceFormat,
  slashedText,
} from "../tagging/tagged-text.js";
import { withEntity } from "./entity-labels.js";
import { type GivenEnd, type GivenPlace, type GivenSentence, givenSentences } from "./given-words.js";
import type { OpenText } from "./text-form.js";

/** How words that are given are labelled. */
export interface GivenJob {
  /** Undefined: the form of the text itself. */
  readonly format: SentenceFormat | undefined;
  readonly batches: BatchOptions;
  /** Where the text lies in a longer one. */
  readonly place?: GivenPlace | undefined;
}

/** Whether the text comes back with other labels, rather than as something made of its words. */
export function isRewritten(format: SentenceFormat | undefined, form: OpenText["form"]): boolean {
  return form !== "plain" && (format === undefined || format === form);
}

/** Labels the words of CoNLL-U or columns; last comes what is left of a text that is rewritten. */
export async function* labelGivenWords(
  text: OpenText,
  tagger: Tagger,
  { format, batches, place }: GivenJob,
): AsyncGenerator<LabelledSentence | GivenEnd> {
  const rewritten = isRewritten(format, text.form);
  // What was read ahead for batches, until its labels come.
  const waiting: GivenSentence[] = [];
  let end: GivenEnd | undefined;
  async function* wordLists(): AsyncGenerator<readonly string[]> {
    const options = { task: tagger.task, isRewritten: rewritten, place };
    for await (const item of givenSentences(text, options)) {
      if ("rest" in item) {
        end = item;
        continue;
      }
      waiting.push(item);
      yield item.words;
    }
  }
  const labelOf = entityLabels(tagger.labelling ?? { form: undefined });
  for await (const predicted of tagger.tag(wordLists(), batches)) {
    const sentence = waiting.shift() as GivenSentence;
    yield labelledSentence(sentence, predicted.map(labelOf), { form: text.form, task: tagger.task });
  }
  if (rewritten && end !== undefined) yield end;
}

function labelledSentence(
  { words: forms, lines, relabelled }: GivenSentence,
  labels: readonly string[],
  { form, task }: { readonly form: OpenText["form"]; readonly task: Tagger["task"] },
): LabelledSentence {
  const words = forms.map((word, index) => ({
    form: word,
    label: labels[index] as string,
    line: lines[index] as number,
  }));
  return {
    words,
    text(format) {
      if (isRewritten(format, form)) return relabelled(labels);
      switch (format) {
        case undefined:
        case "text":
          return slashedText(words);
        case "conllu":
          return asConllu(words, task);
        case "json":
          return JSON.stringify({ input: form, words });
        case "jsonl":
          return `${JSON.stringify({ input: form, words })}\n`;
        case "columns":
          return columnsText(words);
        default:
          return format satisfies never;
      }
    },
  };
}

/**
 * A sentence of columns as CoNLL-U without a number. Columns do not say where the text has blanks: every word has one
 * behind it.
 */
function asConllu(words: readonly LabelledWord[], task: Tagger["task"]): string {
  const rows = words.map(
    ({ form, label }, index): Row => ({
      kind: "word",
      id: index + 1,
      form: form.trim() === "" ? "_" : form,
      lemma: "_",
      upos: task === "pos" ? label : "_",
      xpos: "_",
      feats: "_",
      head: undefined,
      deprel: "_",
      deps: "_",
      misc: task === "ner" ? withEntity("_", label) : "_",
    }),
  );
  const text = words.map(({ form }) => form).join(" ");
  return serializeSentence({ comments: [`# text = ${text.trim()}`], rows });
}
