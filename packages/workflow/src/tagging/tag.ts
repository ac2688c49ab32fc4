import { serializeConllu } from "@nasty/formats/conllu";
import {
  type BatchOptions,
  entityLabels,
  taggedConllu,
  type TaggedSentence,
  type Tagger,
  tagText,
} from "@nasty/taggers";
import { UsageError } from "../errors.js";
import { openDefaultOr } from "../models/default-model.js";
import { tagOperation } from "../operations/tagging.js";
import { type Given, perform } from "../perform.js";
import { labellingRemarks } from "../report/labelling-text.js";
import type { Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";
import { tagGivenWords } from "../texts/given-text.js";
import { type LineEnds, makeLineEnds } from "../texts/line-ends.js";
import { notPlain, piecesOf } from "../texts/plain-text.js";
import { currentReading } from "../texts/reading.js";
import { formName, nameOf, type OpenText, openText } from "../texts/text-form.js";
import { writeGivenEntities, writeTextEntities } from "./write-entities.js";

/** Forms of the result that do not depend on the form of the text. */
export type TagFormat = "text" | "conllu" | "json" | "entities";

/** Forms with a sentence at a time. */
type SentenceFormat = Exclude<TagFormat, "entities">;

/** Takes the result piece by piece; waits while its reader is slower. */
export type Write = (text: string) => Promise<void> | void;

/** How much was tagged. */
export interface TagResult {
  readonly sentences: number;
}

/**
 * Tags a text file, sentence by sentence as it is read: memory is bounded whatever its size. CoNLL-U and columns have
 * their words given; they come out in their own form, with other labels in one column, unless a format is asked for.
 *
 * @param path a file, or `-` for standard input
 * @param write takes the result
 * @example
 * ```ts
 * await tag("book.txt", (piece) => void output.write(piece), { format: "conllu" });
 * ```
 */
export function tag(
  path: string,
  write: Write,
  options: Given<typeof tagOperation.options> = {},
): Promise<TagResult> {
  return perform(tagOperation, { ...options }, (settings, reporter) =>
    runTagging(settings, reporter, { path, write }),
  );
}

/** Where the text comes from and goes to. */
export interface TagStreams {
  readonly path: string;
  readonly write: Write;
}

/** {@link tag} from checked settings. */
export async function runTagging(
  settings: SettingsOf<typeof tagOperation.options>,
  { note, signal }: Reporter,
  { path, write }: TagStreams,
): Promise<TagResult> {
  checkEntityOptions(settings);
  const { model, scheme, threads, format, aggregation, onePerLine, exactBatches } = settings;
  // Without a model, entities choose one.
  const task = settings.task ?? (format === "entities" && model === undefined ? "ner" : undefined);
  const { tagger, notes } = await openDefaultOr(model, {
    threads,
    ...(task !== undefined && { task }),
    ...(scheme !== undefined && { scheme }),
  });
  for (const one of notes) note(one);
  const batches: BatchOptions = { ...(exactBatches === true && { batchSize: 1 }), ...(signal && { signal }) };
  const lineEnds = onePerLine === true ? undefined : makeLineEnds();
  for (const remark of labellingRemarks(tagger.labelling)) note(remark);
  try {
    const text = await openText(path);
    if (onePerLine === true && text.form !== "plain") throw notPlain(text.name);
    for (const doubt of currentReading().takeDoubts()) note(doubt);
    if (text.form !== "plain") note(`${text.name} is read as ${formName(text.form)}: its words are kept`);
    let sentences: number;
    if (format === "entities") {
      const job = { options: { ...batches, aggregation, onePerLine }, write };
      sentences =
        text.form === "plain"
          ? await writeTextEntities(piecesOf(text, { onePerLine, lineEnds }), tagger, job)
          : await writeGivenEntities(text, tagger, job);
    } else if (text.form === "plain") {
      sentences = await tagPlain(text, tagger, {
        format: format ?? "text",
        batches,
        onePerLine,
        lineEnds,
        write,
      });
    } else sentences = await tagGivenWords(text, tagger, { format, batches, write });
    if (sentences === 0) note("the text has no words");
    const hint = lineEnds?.hint(nameOf(path));
    if (hint !== undefined) note(hint);
    return { sentences };
  } finally {
    await tagger.close();
  }
}

/** Options that mean nothing together. */
function checkEntityOptions({
  format,
  aggregation,
  task,
}: Pick<SettingsOf<typeof tagOperation.options>, "format" | "aggregation" | "task">): void {
  if (aggregation !== undefined && format !== "entities") {
    throw new UsageError(
      `tag: --aggregation: expected --format entities beside it, got ${format === undefined ? "no format" : `--format ${format}`}`,
    );
  }
  if (format === "entities" && task === "pos") {
    throw new UsageError(
      "tag: --format entities: expected --task ner or none, got --task pos, which has no entities",
    );
  }
}

interface PlainJob {
  readonly format: SentenceFormat;
  readonly batches: BatchOptions;
  readonly onePerLine: boolean | undefined;
  readonly lineEnds: LineEnds | undefined;
  readonly write: Write;
}

/** Tags raw text; how many sentences it has. */
async function tagPlain(
  text: OpenText,
  tagger: Tagger,
  { format, batches, onePerLine, lineEnds, write }: PlainJob,
): Promise<number> {
  let count = 0;
  const labelOf = entityLabels(tagger.labelling ?? { form: undefined });
  for await (const piece of piecesOf(text, { onePerLine, lineEnds })) {
    const { offset } = piece;
    for await (const tagged of tagText(tagger, piece.text, { ...batches, onePerLine })) {
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
  format: SentenceFormat,
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
