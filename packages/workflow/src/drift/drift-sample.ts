import type { CalibrationBatch } from "@nasty/calibration";
import { madeFeeds } from "@nasty/compression";
import type { ModelProto } from "@nasty/formats/onnx";
import type { LabelledSentence, TaggerSettings, Task } from "@nasty/taggers";
import { type Counted, spread } from "../texts/spread.js";
import { readLabelled } from "../texts/labelled-text.js";
import { encodedBatches } from "../quantization/calibration-batches.js";
import { taggerKind } from "../kinds/tagger-kind.js";
import { kindOf, type ModelKind } from "../kinds/kind.js";
import type { Samples } from "../quantization/trial-text.js";

/** What a written file is run on, and what it is compared with on the same. */
export interface DriftSample {
  readonly kind: "text" | "made";
  /** The original runs the first of these that it accepts. */
  readonly candidates: readonly (readonly CalibrationBatch[])[];
}

/** A model to make inputs for. */
export interface Sampled {
  readonly modelBytes: number;
  readonly model: ModelProto;
  readonly tagger: TaggerSettings | undefined;
}

/**
 * Large models take seconds for what small ones do in no time: two sentences show as well where a weight went wrong.
 */
const largeBytes = 100e6;
const sizes = { small: { sentences: 8, batch: 2 }, large: { sentences: 2, batch: 1 } } as const;
/** Sizes of varying dimensions to try. */
const madeLengths = [8, 512, 4096];

/**
 * Sentences of the text where there is some and a tokenizer to encode it, otherwise inputs made from the graph's own
 * types and tables.
 */
export async function driftSample(
  { tagger, ...sampled }: Sampled,
  text: Counted<readonly string[]>,
): Promise<DriftSample> {
  const kind = tagger && kindOf(taggerKind(tagger, sampled.model));
  return driftSampleOf({ ...sampled, kind }, kind === undefined ? [] : text);
}

/** {@link driftSample} of a model of any kind: samples of it where there are some. */
export async function driftSampleOf(
  {
    modelBytes,
    model,
    kind,
  }: Pick<Sampled, "modelBytes" | "model"> & { readonly kind: ModelKind | undefined },
  samples: Samples,
): Promise<DriftSample> {
  const { sentences, batch } = modelBytes > largeBytes ? sizes.large : sizes.small;
  if (samples.length > 0 && kind !== undefined) {
    return { kind: "text", candidates: [await encodedBatches(kind, spread(samples, sentences))] };
  }
  const candidates = madeLengths.flatMap((length) => {
    const feeds = madeFeeds(model, { length, batchSize: batch });
    return feeds === undefined ? [] : [[{ feeds }]];
  });
  return { kind: "made", candidates };
}

/**
 * The words of a labelled text's first sentences, of the first text that is a file: standard input is read but once.
 */
export async function firstSentences(
  texts: readonly (string | undefined)[],
  task: Task,
): Promise<(readonly string[])[]> {
  const path = texts.find((text) => text !== undefined && text !== "-");
  const found: LabelledSentence[] = [];
  if (path === undefined) return [];
  for await (const sentence of readLabelled(path, task)) {
    if (found.push(sentence) === sizes.small.sentences) break;
  }
  return found.map(({ words }) => words);
}
