import { serializeConllu } from "@nasty/formats/conllu";
import { taggedConllu, type TaggedSentence, type Task, tagText as tagSentences } from "@nasty/taggers";
import { readParagraphs } from "../inputs/unlabelled-text.js";
import { openDefaultOr } from "../inputs/default-model.js";
import type { CommonOptions, Terminal } from "../terminal/console.js";

interface TagOptions extends CommonOptions {
  readonly model?: string;
  readonly task: Task;
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
  try {
    for await (const { text, offset } of readParagraphs(file)) {
      for await (const sentence of tagSentences(tagger, text, batches)) {
        await write(formatted(sentence, offset, format, tagger.task, count));
        count++;
      }
    }
    if (format === "json") await write(count === 0 ? "[]\n" : "\n]\n");
    if (count === 0) terminal.note("the text has no words");
  } finally {
    await tagger.close();
  }
}

function formatted(
  sentence: TaggedSentence,
  offset: number,
  format: TagOptions["format"],
  task: Task,
  index: number,
): string {
  switch (format) {
    case "text":
      return `${sentence.words.map(({ form, label }) => `${form}/${label}`).join(" ")}\n`;
    case "conllu":
      return serializeConllu([taggedConllu(sentence, { id: String(index + 1), task })]);
    case "json": {
      const words = sentence.words.map(({ form, label, start, end }) => ({
        form,
        label,
        start: start + offset,
        end: end + offset,
      }));
      return `${index === 0 ? "[\n" : ",\n"}${JSON.stringify({ text: sentence.text, start: sentence.start + offset, end: sentence.end + offset, words })}`;
    }
    default:
      return format satisfies never;
  }
}
