import type { CalibrationBatch } from "@nasty/calibration";
import { madeFeeds } from "@nasty/compression";
import { InputError } from "../errors.js";
import { isFeedFile } from "../feeds/read-feeds.js";
import { kindFor } from "../kinds/find-kind.js";
import { graphKind } from "../kinds/graph-kind.js";
import { kindOf, type Sample as KindSample } from "../kinds/kind.js";
import { sampleTextPath } from "../models/default-model.js";
import { type LoadedModel, reasonOf } from "../models/load-model.js";
import { encodedBatches } from "../quantization/calibration-batches.js";

/** What the file is run on. */
export interface Sample {
  readonly kind: "text" | "given" | "made";
  /** Words of the sentences, where a tagger tags them. */
  readonly sentences: readonly (readonly string[])[];
  /** The first of these lists that the model accepts is run. */
  readonly candidates: readonly (readonly CalibrationBatch[])[];
}

export interface SampleOptions {
  /** Inputs for a model, as a program gives them. */
  readonly inputs: readonly CalibrationBatch["feeds"][] | undefined;
  /** Path of a text, or of inputs. */
  readonly test: string | undefined;
  /** Path of inputs, for a model that reads text too. */
  readonly feeds: string | undefined;
  readonly samples: number | undefined;
}

/** Beyond this size a run takes seconds. */
const largeBytes = 100e6;

/** Sizes of varying dimensions to try where inputs are made. */
const madeLengths = [8, 512, 4096];

/**
 * The inputs that were given; else samples of a file; else sentences of the sample text, for a model that reads text;
 * else inputs made from the graph's own types and tables.
 *
 * @throws InputError for a file without a sample, and a text for a model that has no tokenizer
 */
export async function verificationSample(
  loaded: LoadedModel,
  { inputs, test, feeds, samples }: SampleOptions,
): Promise<Sample> {
  const { path, model, modelBytes, tagger, text } = loaded;
  if (inputs !== undefined) {
    return { kind: "given", sentences: [], candidates: [inputs.map((feeds) => ({ feeds }))] };
  }
  const readsText = feeds === undefined && (tagger ?? text) !== undefined;
  const file = feeds ?? test;
  if (!readsText && file === undefined) {
    return {
      kind: "made",
      sentences: [],
      candidates: madeLengths.flatMap((length) => madeBatch(model, length)),
    };
  }
  if (!readsText && feeds === undefined && test !== undefined && test !== "-" && !isFeedFile(test)) {
    throw new InputError(
      `verify: ${path}: tagger: expected labels and a tokenizer in the file or beside it to encode ${test}, got none${reasonOf(loaded)}; give inputs of the graph (.jsonl, .npz), or leave --test out to run it on generated inputs`,
    );
  }
  const kind =
    feeds === undefined ? await kindFor(loaded, test === undefined ? [] : [test]) : kindOf(graphKind(model));
  const count = samples ?? (modelBytes > largeBytes ? 8 : 64);
  const found: KindSample[] = [];
  for await (const sample of kind.read(file ?? sampleTextPath())) {
    found.push(sample);
    if (found.length >= count) break;
  }
  if (found.length === 0) {
    throw new InputError(`verify: ${path}: ${kind.noun}: expected at least 1, got 0`);
  }
  return {
    kind: kind.noun === "samples" ? "given" : "text",
    sentences: kind.name === "token-classification" ? (found as (readonly string[])[]) : [],
    candidates: [await encodedBatches(kind, found)],
  };
}

function madeBatch(model: LoadedModel["model"], length: number): readonly (readonly CalibrationBatch[])[] {
  const feeds = madeFeeds(model, { length });
  return feeds === undefined ? [] : [[{ feeds }]];
}
