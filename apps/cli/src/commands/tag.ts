import { serializeConllu } from "@nasty/formats/conllu";
import {
  type BatchOptions,
  entityLabels,
  type LabelChoice,
  taggedConllu,
  type TaggedSentence,
  type Tagger,
  tagText as tagSentences,
} from "@nasty/taggers";
import { makeLineEnds, type LineEnds } from "@nasty/workflow/texts/line-ends";
import { notPlain, piecesOf } from "@nasty/workflow/texts/plain-text";
import { openDefaultOr } from "@nasty/workflow/models/default-model";
import { currentReading } from "@nasty/workflow/texts/reading";
import { formName, nameOf, type OpenText, openText } from "@nasty/workflow/texts/text-form";
import { tagGivenWords } from "@nasty/workflow/texts/given-text";
import type { CommonOptions, Terminal } from "../terminal/console.js";
import { labellingRemarks } from "@nasty/workflow/report/labelling-text";

/** Forms of the result that do not depend on the form of the text. */
export type TagFormat = "text" | "conllu" | "json";

interface TagOptions extends CommonOptions, LabelChoice {
  readonly model?: string;
  readonly format?: TagFormat;
  readonly exactBatches?: boolean;
  readonly onePerLine?: boolean;
}

/**
 * `nasty tag`: raw text in, tagged words out, sentence by sentence as the text is read. CoNLL-U and columns have their words given; they
 * come out in their own form, with other labels in one column, unless a format is asked for.
 */
export async function tagText(options: TagOptions, terminal: Terminal, file = "-"): Promise<void> {
  const { tagger, notes } = await openDefaultOr(options.model, options);
  for (const note of notes) terminal.note(note);
  const format = options.json ? "json" : options.format;
  const batches = options.exactBatches === true ? { batchSize: 1 } : {};
  const { onePerLine } = options;
  const lineEnds = onePerLine === true ? undefined : makeLineEnds();
  for (const remark of labellingRemarks(tagger.labelling)) terminal.note(remark);
  try {
    const text = await openText(file);
    if (onePerLine === true && text.form !== "plain") throw notPlain(text.name);
    for (const doubt of currentReading().takeDoubts()) terminal.note(doubt);
    if (text.form !== "plain")
      terminal.note(`${text.name} is read as ${formName(text.form)}: its words are kept`);
    const count =
      text.form === "plain"
        ? await tagPlain(text, tagger, { format: format ?? "text", batches, onePerLine, lineEnds, terminal })
        : await tagGivenWords(text, tagger, { format, batches, write: terminal.write });
    if (count === 0) terminal.note("the text has no words");
    const hint = lineEnds?.hint(nameOf(file));
    if (hint !== undefined) terminal.note(hint);
  } finally {
    await tagger.close();
  }
}

interface TagJob {
  readonly format: TagFormat;
  readonly batches: BatchOptions;
  readonly terminal: Terminal;
}

interface PlainJob extends TagJob {
  readonly onePerLine: boolean | undefined;
  readonly lineEnds: LineEnds | undefined;
}

/** Tags raw text; how many sentences it has. */
async function tagPlain(
  text: OpenText,
  tagger: Tagger,
  { format, batches, onePerLine, lineEnds, terminal }: PlainJob,
): Promise<number> {
  const { write } = terminal;
  let count = 0;
  const labelOf = entityLabels(tagger.labelling ?? { form: undefined });
  for await (const piece of piecesOf(text, { onePerLine, lineEnds })) {
    const { offset } = piece;
    for await (const tagged of tagSentences(tagger, piece.text, { ...batches, onePerLine })) {
      const sentence = withLabels(tagged, labelOf);
      await write(formatted(sentence, offset, format, tagger, count));
      count++;
    }
  }
  if (format === "json") await write(count === 0 ? "[]\n" : "\n]\n");
  return count;
}

/** Labels of no entity, such as `[SEP]`, are written as what they count as. */
function withLabels(sentence: TaggedSentence, labelOf: (label: string) => string): TaggedSentence {
  return { ...sentence, words: sentence.words.map((word) => ({ ...word, label: labelOf(word.label) })) };
}

function formatted(
  sentence: TaggedSentence,
  offset: number,
  format: TagFormat,
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
      return `${index === 0 ? "[\n" : ",\n"}${JSON.stringify({ text: sentence.text, start: sentence.start + offset, end: sentence.end + offset, words })}`;
    }
    default:
      return format satisfies never;
  }
}
