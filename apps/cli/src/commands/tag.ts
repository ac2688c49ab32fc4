import { serializeConllu } from "@nasty/formats/conllu";
import {
  entityLabels,
  type LabelChoice,
  taggedConllu,
  type TaggedSentence,
  type Tagger,
  tagText as tagSentences,
} from "@nasty/taggers";
import { readParagraphs } from "../inputs/unlabelled-text.js";
import { openDefaultOr } from "../inputs/default-model.js";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { labellingRemarks } from "../terminal/labelling-text.js";

interface TagOptions extends CommonOptions, LabelChoice {
  readonly model?: string;
  readonly format: "text" | "conllu" | "json";
  readonly exactBatches?: boolean;
}

/** `nasty tag`: raw text in, tagged words out, sentence by sentence as the text is read. */
export async function tagText(options: TagOptions, terminal: Terminal, file = "-"): Promise<void> {
  const { tagger } = await openDefaultOr(options.model, options);
  const format = options.json ? "json" : options.format;
  const { write } = terminal;
  const batches = options.exactBatches === true ? { batchSize: 1 } : {};
  let count = 0;
  for (const remark of labellingRemarks(tagger.labelling)) terminal.note(remark);
  const labelOf = entityLabels(tagger.labelling ?? { form: undefined });
  try {
    if (format === "json") await write("[");
    for await (const { text, offset } of readParagraphs(file)) {
      for await (const tagged of tagSentences(tagger, text, batches)) {
        const sentence = withLabels(tagged, labelOf);
        await write(formatted(sentence, offset, format, tagger, count));
        count++;
      }
    }
    if (format === "json") await write(count === 0 ? "]\n" : "\n]\n");
    if (count === 0) terminal.note("the text has no words");
  } finally {
    await tagger.close();
  }
}

/** Labels of no entity, such as `[SEP]`, are written as what they count as. */
function withLabels(sentence: TaggedSentence, labelOf: (label: string) => string): TaggedSentence {
  return { ...sentence, words: sentence.words.map((word) => ({ ...word, label: labelOf(word.label) })) };
}

function formatted(
  sentence: TaggedSentence,
  offset: number,
  format: TagOptions["format"],
  { task, labelling }: Pick<Tagger, "task" | "labelling">,
  index: number,
): string {
  switch (format) {
    case "text":
      return `${sentence.words.map(({ form, label }) => `${form}/${label}`).join(" ")}\n`;
    case "conllu":
      return serializeConllu([taggedConllu(sentence, { id: String(index + 1), task, labelling })]);
    case "json": {
      const words = sentence.words.map(({ form, label, start, end }) => ({
        form,
        label,
        start: start + offset,
        end: end + offset,
      }));
      return `${index === 0 ? "\n" : ",\n"}${JSON.stringify({ text: sentence.text, start: sentence.start + offset, end: sentence.end + offset, words })}`;
    }
    default:
      return format satisfies never;
  }
}
