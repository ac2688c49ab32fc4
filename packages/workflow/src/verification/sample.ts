import type { CalibrationBatch } from "@nasty/calibration";
import { madeFeeds } from "@nasty/compression";
import { InputError } from "../errors.js";
import { sampleTextPath } from "../models/default-model.js";
import type { LoadedModel } from "../models/load-model.js";
import { encodedBatches } from "../quantization/calibration-batches.js";
import { readWords } from "../texts/unlabelled-text.js";

/** What the file is run on. */
export interface Sample {
  readonly kind: "text" | "given" | "made";
  /** Words of the sentences, where they are a text. */
  readonly sentences: readonly (readonly string[])[];
  /** The first of these lists that the model accepts is run. */
  readonly candidates: readonly (readonly CalibrationBatch[])[];
}

export interface SampleOptions {
  /** Inputs for a model, as a program gives them. */
  readonly feeds: readonly CalibrationBatch["feeds"][] | undefined;
  /** Path of a text. */
  readonly test: string | undefined;
  readonly samples: number | undefined;
}

/** Beyond this size a run takes seconds. */
const largeBytes = 100e6;

/** Sizes of varying dimensions to try where inputs are made. */
const madeLengths = [8, 512, 4096];

/**
 * The inputs that were given; else sentences of a text, for a tagger; else inputs made from the graph's own types and
 * tables.
 *
 * @throws InputError for a text without a sentence, and a text for a model that has no tokenizer
 */
export async function verificationSample(
  { path, model, modelBytes, tagger }: LoadedModel,
  { feeds, test, samples = modelBytes > largeBytes ? 8 : 64 }: SampleOptions,
): Promise<Sample> {
  if (feeds !== undefined) {
    return { kind: "given", sentences: [], candidates: [feeds.map((one) => ({ feeds: one }))] };
  }
  if (tagger === undefined) {
    if (test !== undefined) {
      throw new InputError(
        `verify: ${path}: tagger: expected labels and a tokenizer in the file or beside it to encode ${test}, got none; leave --test out to run it on generated inputs`,
      );
    }
    return {
      kind: "made",
      sentences: [],
      candidates: madeLengths.flatMap((length) => madeBatch(model, length)),
    };
  }
  const sentences = await firstSentences(test ?? sampleTextPath(), samples);
  return { kind: "text", sentences, candidates: [await encodedBatches({ model, tagger }, sentences)] };
}

function madeBatch(model: LoadedModel["model"], length: number): readonly (readonly CalibrationBatch[])[] {
  const feeds = madeFeeds(model, { length });
  return feeds === undefined ? [] : [[{ feeds }]];
}

async function firstSentences(path: string, count: number): Promise<readonly (readonly string[])[]> {
  const sentences: (readonly string[])[] = [];
  for await (const words of readWords(path)) {
    if (words.length > 0) sentences.push(words);
    if (sentences.length >= count) break;
  }
  if (sentences.length > 0) return sentences;
  throw new InputError(`verify: ${path}: sentences: expected at least 1, got 0`);
}
