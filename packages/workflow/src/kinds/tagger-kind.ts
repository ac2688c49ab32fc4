import type { ModelProto } from "@nasty/formats/onnx";
import {
  type Evaluation,
  flips as labelFlips,
  type LabelledSentence,
  lossInterval,
  makeEncoder,
  makeTagger,
  type Tagger,
  taggerMetadata,
  type TaggerSettings,
  withTagger,
} from "@nasty/taggers";
import { openFound, openTaggerModel } from "@nasty/taggers/node";
import { flipsOf } from "../comparison/paired-figures.js";
import { evaluateSentences } from "../evaluation/evaluate-sentences.js";
import { ofOpenModel } from "../models/open-models.js";
import { labellingDocument } from "../report/labelling-text.js";
import { readLabelled } from "../texts/labelled-text.js";
import { readWords } from "../texts/unlabelled-text.js";
import { always, meanOf, pairedLoss } from "./bootstrap.js";
import type { Against, ModelKind, Reading, Subject, Verdict } from "./kind.js";

type Words = readonly string[];

/** No word holds it: it ends lines of every format that is read. */
const separator = "\n";

/** How taggers read files. */
export function taggerReading({
  task,
  language,
}: Pick<TaggerSettings, "task" | "language">): Reading<Words, LabelledSentence> {
  return {
    name: "token-classification",
    noun: "sentences",
    async *read(path, options) {
      for await (const words of readWords(path, { ...options, language })) {
        if (words.length > 0) yield words;
      }
    },
    readLabelled: (path) => readLabelled(path, task),
    unlabelled: (words) => ({ words, labels: [] }),
    sampleOf: ({ words }) => words,
    held: {
      // One string of its own: words as they were read hold on to the pieces of the file that they were cut from.
      of: (words) => words.join(separator),
      sample: (held) => (held as string).split(separator),
      sizeOf: (held) => wordCount(held as string),
    },
  };
}

/**
 * Taggers: words in, a label for each out.
 *
 * @param model whose inputs say what tensors are wanted
 */
export function taggerKind(settings: TaggerSettings, model: ModelProto): ModelKind<Words, LabelledSentence> {
  return {
    ...taggerReading(settings),
    async *feedsOf(samples) {
      yield* (await makeEncoder(model, settings)).feedsOf(samples, { batchSize: 1 });
    },
    finished: (made) => withTagger(made, settings),
    metadata: () => taggerMetadata(settings),
    open: async (made, options) => taggerSubject(await openTaggerModel(made, settings, options)),
    // The graph of a neural tagger runs in two parts, in sessions of their own.
    inSession: async (session) =>
      settings.kind === "neural"
        ? undefined
        : taggerSubject(await makeTagger(session, settings), { session, isOwn: false }),
    async openFile({ path, modelPath, model: inMemory }, options) {
      const shared = await ofOpenModel(path, (one) => one.opened(options));
      if (shared !== undefined)
        return taggerSubject(shared.tagger, { session: shared.session, isOwn: false });
      const found = { modelPath, settings, ...(inMemory !== undefined && { model: inMemory }) };
      // Its weights were looked at when it was read.
      const opened = await openFound(found, { threads: options.threads, checkWeights: false });
      return taggerSubject(opened.tagger, { session: opened.session });
    },
    async openWritten(written) {
      const { tagger, session } = await written.tagger();
      return taggerSubject(tagger, { session, isOwn: false });
    },
  };
}

function wordCount(sentence: string): number {
  let count = 1;
  for (let at = sentence.indexOf(separator); at >= 0; at = sentence.indexOf(separator, at + 1)) count++;
  return count;
}

/** What a tagger said. */
export interface TaggerVerdict extends Verdict {
  /** Undefined for text without labels. */
  readonly evaluation?: Evaluation;
  readonly predictions: readonly Words[];
}

export function taggerSubject(
  tagger: Tagger,
  { session, isOwn = true }: { readonly session?: Subject["session"]; readonly isOwn?: boolean } = {},
): Subject<LabelledSentence, Words> {
  return {
    session,
    async judge(sentences, { step, path, scheme, reference }, reporter): Promise<TaggerVerdict> {
      const before = reference as TaggerVerdict | undefined;
      const isLabelled = sentences.some(({ words, labels }) => words.length > 0 && labels.length > 0);
      if (!isLabelled) {
        const predictions = await tagged(tagger, sentences, step, reporter);
        const said = { samples: sentences.length, metric: null, value: Number.NaN, predictions };
        return { ...said, against: before && againstOf(before, said, sentences) };
      }
      const judging = { step, path, scheme, batchSize: 1 };
      const evaluation = await evaluateSentences(tagger, sentences, judging, reporter);
      const { predictions } = evaluation;
      return {
        samples: evaluation.sentences,
        metric: evaluation.metric,
        value: evaluation.value,
        evaluation,
        predictions,
        labelling: {
          labelling: labellingDocument(evaluation.labelling),
          goldLabelling: labellingDocument(evaluation.goldLabelling),
        },
        against: before && againstOf(before, { evaluation, predictions }, sentences),
      };
    },
    async runAll(sentences, batchSize) {
      for await (const _ of tagger.tag(sentences, { batchSize }));
    },
    close: async () => {
      if (isOwn) await tagger.close();
    },
  };
}

async function tagged(
  tagger: Tagger,
  sentences: readonly LabelledSentence[],
  step: string,
  { progress, signal }: Parameters<Subject["judge"]>[2],
): Promise<readonly Words[]> {
  progress.start(step, sentences.length);
  const predictions: Words[] = [];
  try {
    const words = sentences.map((sentence) => sentence.words);
    for await (const labels of tagger.tag(words, { batchSize: 1, signal })) {
      progress.update(predictions.push(labels));
    }
  } finally {
    progress.stop();
  }
  return predictions;
}

type Said = Pick<TaggerVerdict, "evaluation" | "predictions">;

function againstOf(before: Said, after: Said, sentences: readonly LabelledSentence[]): Against {
  const [own, other] = [before.evaluation, after.evaluation];
  const flips =
    own === undefined || other === undefined
      ? labelFlips(before.predictions, after.predictions)
      : flipsOf(own, other);
  const words = sentences.map((sentence) => sentence.words.length);
  const changed = words.map(() => 0);
  for (const { sentence } of flips) changed[sentence] = (changed[sentence] as number) + 1;
  const kept = (drawn?: Int32Array): number => {
    const [all, lost] = [meanOf(words)(drawn), meanOf(changed)(drawn)];
    return all === 0 ? 1 : 1 - lost / all;
  };
  return {
    flips,
    shown: sentences,
    agreement: kept(),
    agreementOf: "labels kept",
    figures: { top1: kept() },
    loss: (seed) =>
      own === undefined || other === undefined
        ? { loss: Number.NaN, low: Number.NaN, high: Number.NaN }
        : lossInterval(own.metric, own.sentenceCounts, other.sentenceCounts, { seed }),
    drift: (seed) => pairedLoss(always(1), kept, { samples: sentences.length, seed }),
  };
}
