import { TaggerError } from "@nasty/taggers";
import { hashText } from "@nasty/taggers/neural";
import {
  type CheckpointStore,
  type Engine,
  type StopReason,
  trainLoop,
  type TrainLoopOptions,
} from "@nasty/training";
import type { EncoderOptions } from "../graph/encoder.js";
import { countWords } from "../features/count-features.js";
import { dropoutOf } from "../training/dropout.js";
import { layoutOf } from "../training/layout.js";
import { optimizerOf } from "../training/optimizer.js";
import type { Recipe } from "../training/recipe.js";
import { labelsInput } from "../training/training-batches.js";
import { maskedBatches } from "./masked-batches.js";
import { headPrefix, maskedOutput, pretrainingModel } from "./pretraining-model.js";
import { targetWords } from "./target-words.js";

/** Text without labels on which the encoder of a tagger is trained first, and how. */
export interface Pretraining {
  /** Sentences as words. The words of the labelled sentences are learned from as well. */
  readonly text: readonly (readonly string[])[];
  /** Default 1. */
  readonly epochs?: number;
  /** Share of the words that are predicted. Default 0.15. */
  readonly maskedShare?: number;
  /** How many words can be predicted, the most frequent ones of the text. Default 20,000. */
  readonly words?: number;
  /** Words drawn at random for each batch, with which hidden ones are compared. Default 1,024. */
  readonly negatives?: number;
  /** Dropout in place of the architecture's, which is made for less text. Default 0.1. */
  readonly dropout?: number;
  /** Where to keep what an interrupted pretraining goes on from; not where the training's own checkpoint is. */
  readonly checkpoint?: CheckpointStore;
}

/** What a pretraining was. */
export interface PretrainingReport {
  readonly sentences: number;
  /** Words of the text. */
  readonly words: number;
  /** Words that can be predicted. */
  readonly vocabulary: number;
  /** Mean loss of each epoch, in nats a hidden word: of the sampled softmax, so not of all words. */
  readonly losses: readonly number[];
}

/** A training that pretraining is a part of. */
export interface PretrainingRun extends EncoderOptions {
  readonly seed: number;
  readonly threads: number;
  /** Words of the labelled sentences. */
  readonly labelled: readonly (readonly string[])[];
  /** Batches, feature dropout, learning rate and the like. */
  readonly recipe: Recipe;
  /** What checkpoints of the whole training must agree on: data, settings and {@link pretrainingIdentity}. */
  readonly identity: string;
  readonly engine: Engine;
  readonly loop: FollowedLoop;
}

/** How a training and its pretraining are followed and ended. */
export type FollowedLoop = Pick<TrainLoopOptions, "checkpointEvery" | "onEvent" | "eventEvery" | "signal">;

/** An encoder that knows text. */
export interface Pretrained {
  /** Weights of the encoder by their names in the tagger. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly report: PretrainingReport;
  readonly stopped: StopReason;
}

const usual = { epochs: 1, maskedShare: 0.15, words: 20_000, negatives: 1024, dropout: 0.1 };

/**
 * Trains the encoder of a tagger (words, affixes, shapes, characters, codes and the layers over them) to predict hidden
 * words of raw text from the words around them.
 *
 * The optimizer is that of the recipe, without label smoothing. Sentences of more than `recipe.longestSentence` words
 * are cut into pieces.
 *
 * @throws TaggerError `option`; `empty` for a text without words, or in which no word is there twice; TrainingError as
 *   `trainLoop` does
 */
export async function pretrain(given: Pretraining, run: PretrainingRun): Promise<Pretrained> {
  const options = checked({ ...usual, ...given });
  const { recipe, architecture, features, identity, engine, loop, seed, threads } = run;
  if (given.text.every(({ length }) => length === 0))
    throw new TaggerError("empty", "pretraining: text: words: expected at least 1, got 0");
  const sentences = [...given.text, ...run.labelled].flatMap((words) =>
    pieces(words, recipe.longestSentence),
  );
  const counts = countWords(sentences).words;
  const targets = targetWords(counts, options.words);
  if (targets.size < 2) {
    throw new TaggerError(
      "empty",
      `pretraining: text: words that are there more than once: expected at least 2, got ${targets.size}`,
    );
  }
  const source = maskedBatches({
    sentences,
    targets,
    features,
    layout: layoutOf(architecture),
    dropout: recipe.dropout,
    counts,
    batchSentences: recipe.batchSentences,
    batchTokens: recipe.batchTokens,
    maskedShare: options.maskedShare,
    negatives: options.negatives,
  });
  const totalSteps = Math.max(2, options.epochs * source.batchesPerEpoch);
  const model = pretrainingModel(run, targets);
  const trainer = await engine.load(model, {
    loss: {
      kind: "cross-entropy",
      name: "hidden words",
      logits: maskedOutput,
      labels: labelsInput(maskedOutput),
    },
    dropout: dropoutOf(model, architecture, options.dropout),
    optimizer: optimizerOf(recipe, totalSteps),
    seed,
    threads,
  });
  try {
    const { weights, history, stopped } = await trainLoop({
      trainer,
      batches: ({ random }) => source.epoch(random),
      epochs: options.epochs,
      seed,
      stepsPerEpoch: source.batchesPerEpoch,
      identity,
      phase: "pretraining",
      ...(given.checkpoint === undefined ? {} : { checkpoint: given.checkpoint }),
      ...loop,
    });
    return {
      weights: new Map([...weights].filter(([name]) => !name.startsWith(headPrefix))),
      report: {
        sentences: sentences.length,
        words: sentences.reduce((sum, { length }) => sum + length, 0),
        vocabulary: targets.size,
        losses: history.map(({ loss }) => loss),
      },
      stopped,
    };
  } finally {
    await trainer.close();
  }
}

/** What a checkpoint must agree on to be gone on from: settings, and the text by length and hash. */
export function pretrainingIdentity({ text, checkpoint: _, ...options }: Pretraining): object {
  let hash = 0;
  for (const words of text) hash = hashText(words.join(" "), { seed: hash });
  return { ...usual, ...options, sentences: text.length, text: hash };
}

function checked<T extends typeof usual>(options: T): T {
  const refuse = (name: keyof typeof usual, expected: string): never => {
    throw new TaggerError(
      "option",
      `pretraining: ${name}: expected ${expected}, got ${String(options[name])}`,
      { name },
    );
  };
  for (const name of ["epochs", "words", "negatives"] as const)
    if (!(Number.isSafeInteger(options[name]) && options[name] > 0)) refuse(name, "a positive integer");
  if (!(options.maskedShare > 0 && options.maskedShare < 1)) refuse("maskedShare", "a number in (0, 1)");
  if (!(options.dropout >= 0 && options.dropout < 1)) refuse("dropout", "a number in [0, 1)");
  return options;
}

function pieces(words: readonly string[], longest: number): (readonly string[])[] {
  if (words.length === 0) return [];
  if (words.length <= longest) return [words];
  return Array.from({ length: Math.ceil(words.length / longest) }, (_, i) =>
    words.slice(i * longest, (i + 1) * longest),
  );
}
