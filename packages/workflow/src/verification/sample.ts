import type { CalibrationBatch } from "@nasty/calibration";
import { madeFeeds } from "@nasty/compression";
import { InputError } from "../errors.js";
import { isFeedFile } from "../feeds/read-feeds.js";
import { kindFor } from "../kinds/find-kind.js";
import type { ModelKind } from "../kinds/kind.js";
import { sampleTextPath } from "../models/default-model.js";
import type { LoadedModel } from "../models/load-model.js";
import { encodedBatches } from "../quantization/calibration-batches.js";

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
 * The inputs that were given; else samples of a file, as the model's kind reads them; else sentences of the embedded
 * text for a model that has a tokenizer, and inputs made from the graph's own types and tables for others.
 *
 * @throws InputError for a file without a sample, and a text for a model that has no tokenizer
 */
export async function verificationSample(
  loaded: LoadedModel,
  { feeds, test, samples = loaded.modelBytes > largeBytes ? 8 : 64 }: SampleOptions,
): Promise<Sample> {
  const { path, model } = loaded;
  if (feeds !== undefined) {
    return { kind: "given", sentences: [], candidates: [feeds.map((one) => ({ feeds: one }))] };
  }
  const kind = await kindFor(loaded, test === undefined ? [] : [test]);
  if (kind.noun === "samples") {
    if (test === undefined) {
      const candidates = madeLengths.flatMap((length) => madeBatch(model, length));
      return { kind: "made", sentences: [], candidates };
    }
    if (test !== "-" && !isFeedFile(test)) {
      throw new InputError(
        `verify: ${path}: tagger: expected labels and a tokenizer in the file or beside it to encode ${test}, got none; leave --test out to run it on generated inputs, or give inputs of the graph (.jsonl, .npz)`,
      );
    }
  }
  const found = await firstSamples(kind, test ?? sampleTextPath(), samples);
  const isTagger = kind.name === "token-classification";
  return {
    kind: kind.noun === "samples" ? "given" : "text",
    sentences: isTagger ? (found as readonly (readonly string[])[]) : [],
    candidates: [await encodedBatches(kind, found)],
  };
}

function madeBatch(model: LoadedModel["model"], length: number): readonly (readonly CalibrationBatch[])[] {
  const feeds = madeFeeds(model, { length });
  return feeds === undefined ? [] : [[{ feeds }]];
}

async function firstSamples(kind: ModelKind, path: string, count: number): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for await (const sample of kind.read(path)) {
    if (found.push(sample) >= count) break;
  }
  if (found.length > 0) return found;
  throw new InputError(`verify: ${path}: ${kind.noun}: expected at least 1, got 0`);
}
