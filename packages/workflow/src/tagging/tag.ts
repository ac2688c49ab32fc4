import type { BatchOptions, Tagger } from "@nasty/taggers";
import { UsageError } from "../errors.js";
import { openDefaultOr } from "../models/default-model.js";
import { tagOperation } from "../operations/tagging.js";
import { type Given, perform } from "../perform.js";
import { labellingRemarks } from "../report/labelling-text.js";
import type { Reporter } from "../reporter.js";
import type { SettingsOf } from "../schema/option.js";
import type { GivenEnd } from "../texts/given-words.js";
import { choiceOf } from "../texts/label-choice.js";
import { isRewritten, labelGivenWords } from "../texts/given-text.js";
import { formName } from "../texts/input-format.js";
import { type LineEnds, makeLineEnds } from "../texts/line-ends.js";
import { notPlain, piecesOf } from "../texts/plain-text.js";
import { currentReading } from "../texts/reading.js";
import { nameOf, type OpenText, openText } from "../texts/text-form.js";
import { plainSentences } from "./plain-sentences.js";
import { tagInOrder } from "./tag-in-order.js";
import { joinSentences, type LabelledSentence, type SentenceFormat, type Write } from "./tagged-text.js";
import { writeGivenEntities, writeTextEntities } from "./write-entities.js";

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
  reporter: Reporter,
  streams: TagStreams,
): Promise<TagResult> {
  checkEntityOptions(settings);
  const { workers } = settings;
  // One worker cuts the text as several do: how many there are makes no difference to the labels.
  const sentences =
    workers !== undefined
      ? await tagByWorkers({ ...settings, workers }, reporter, streams)
      : await tagHere(settings, reporter, streams);
  if (sentences === 0) reporter.note("the text has no words");
  return { sentences };
}

type Settings = SettingsOf<typeof tagOperation.options>;

async function openForTagging(path: string, onePerLine: boolean, note: Reporter["note"]): Promise<OpenText> {
  const text = await openText(path);
  if (onePerLine && text.form !== "plain") {
    await text.close();
    throw notPlain(text.name);
  }
  for (const doubt of currentReading().takeDoubts()) note(doubt);
  if (text.form !== "plain") note(`${text.name} is read as ${formName(text.form)}: its words are kept`);
  return text;
}

async function tagByWorkers(
  settings: Settings & { readonly workers: number },
  { note, signal }: Reporter,
  { path, write }: TagStreams,
): Promise<number> {
  const { model, task, scheme, threads, format, workers, shardWords = 10_000 } = settings;
  const { onePerLine = false, exactBatches = false } = settings;
  if (format === "entities") {
    throw new UsageError(
      "tag: --workers: expected a form of sentences beside it, got --format entities, which one process writes; leave out --workers",
    );
  }
  const text = await openForTagging(path, onePerLine, note);
  const opened = { model, threads, ...choiceOf({ task, scheme }) };
  const job = { model: opened, workers, shardWords, format, onePerLine, exactBatches, write, note, signal };
  return tagInOrder(text, job);
}

async function tagHere(
  settings: Settings,
  { note, signal }: Reporter,
  { path, write }: TagStreams,
): Promise<number> {
  const { model, scheme, threads, format, aggregation, onePerLine = false, exactBatches } = settings;
  // Without a model, entities choose one.
  const task = settings.task ?? (format === "entities" && model === undefined ? "ner" : undefined);
  const { tagger, notes } = await openDefaultOr(model, { threads, ...choiceOf({ task, scheme }) });
  for (const one of notes) note(one);
  const batches: BatchOptions = { ...(exactBatches === true && { batchSize: 1 }), ...(signal && { signal }) };
  const lineEnds = onePerLine ? undefined : makeLineEnds();
  for (const remark of labellingRemarks(tagger.labelling)) note(remark);
  try {
    const text = await openForTagging(path, onePerLine, note);
    let sentences: number;
    if (format === "entities") {
      const job = { options: { ...batches, aggregation, onePerLine }, write };
      sentences =
        text.form === "plain"
          ? await writeTextEntities(piecesOf(text, { onePerLine, lineEnds }), tagger, job)
          : await writeGivenEntities(text, tagger, job);
    } else {
      const labelled = labelledSentences(text, tagger, { format, batches, onePerLine, lineEnds });
      sentences = await writeSentences(labelled, text, { format, write });
    }
    const hint = lineEnds?.hint(nameOf(path));
    if (hint !== undefined) note(hint);
    return sentences;
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

interface SentencesJob {
  readonly format: SentenceFormat | undefined;
  readonly batches: BatchOptions;
  readonly onePerLine: boolean | undefined;
  readonly lineEnds: LineEnds | undefined;
}

function labelledSentences(
  text: OpenText,
  tagger: Tagger,
  { format, batches, onePerLine, lineEnds }: SentencesJob,
): AsyncIterable<LabelledSentence | GivenEnd> {
  return text.form === "plain"
    ? plainSentences(piecesOf(text, { onePerLine, lineEnds }), tagger, { ...batches, onePerLine })
    : labelGivenWords(text, tagger, { format, batches });
}

/** Writes sentences as they come; how many there are. */
async function writeSentences(
  labelled: AsyncIterable<LabelledSentence | GivenEnd>,
  { form }: OpenText,
  { format, write }: { readonly format: SentenceFormat | undefined; readonly write: Write },
): Promise<number> {
  const joined = joinSentences({ format, hasNumbers: isRewritten(format, form) });
  let count = 0;
  for await (const one of labelled) {
    if ("rest" in one) await write(one.rest);
    else {
      count++;
      await write(joined.add(one.text(format)));
    }
  }
  const end = joined.end();
  if (end !== "") await write(end);
  return count;
}
