import { serializeConllu } from "@nasty/formats/conllu";
import {
  type BatchOptions,
  entityLabels,
  taggedConllu,
  type TaggedSentence,
  type Tagger,
  tagText,
} from "@nasty/taggers";
import type { Piece } from "../texts/plain-text.js";
import { columnsText, type LabelledSentence, type SentenceFormat, slashedText } from "./tagged-text.js";

/** How raw text is cut and put into runs of the model. */
export interface PlainOptions extends BatchOptions {
  readonly onePerLine?: boolean | undefined;
}

/** Labels the sentences of raw text. */
export async function* plainSentences(
  pieces: AsyncIterable<Piece> | Iterable<Piece>,
  tagger: Tagger,
  options: PlainOptions,
): AsyncGenerator<LabelledSentence> {
  const labelOf = entityLabels(tagger.labelling ?? { form: undefined });
  for await (const { text, offset } of pieces) {
    for await (const tagged of tagText(tagger, text, options)) {
      yield labelledSentence(withLabels(tagged, labelOf), offset, tagger);
    }
  }
}

/** Labels of no entity, such as `[SEP]`, are written as what they count as. */
function withLabels(sentence: TaggedSentence, labelOf: (label: string) => string): TaggedSentence {
  return { ...sentence, words: sentence.words.map((word) => ({ ...word, label: labelOf(word.label) })) };
}

function labelledSentence(
  sentence: TaggedSentence,
  offset: number,
  tagger: Pick<Tagger, "task" | "labelling">,
): LabelledSentence {
  const words = sentence.words.map(({ form, label, start, end }) => ({
    form,
    label,
    start: start + offset,
    end: end + offset,
  }));
  const place = { start: sentence.start + offset, end: sentence.end + offset };
  return {
    ...place,
    words,
    text(format: SentenceFormat = "text") {
      switch (format) {
        case "text":
          return slashedText(words);
        case "conllu":
          return conlluText(sentence, tagger);
        case "json":
          return JSON.stringify({ text: sentence.text, ...place, words });
        case "jsonl":
          return `${JSON.stringify({ text: sentence.text, ...place, words })}\n`;
        case "columns":
          return columnsText(words);
        default:
          return format satisfies never;
      }
    },
  };
}

/** CoNLL-U without `# sent_id`, which is its first line. */
function conlluText(
  sentence: TaggedSentence,
  { task, labelling }: Pick<Tagger, "task" | "labelling">,
): string {
  const numbered = serializeConllu([taggedConllu(sentence, { id: "", task, labelling })]);
  return numbered.slice(numbered.indexOf("\n") + 1);
}
