import type { ModelProto } from "@nasty/formats/onnx";
import { makeTagger, openNeuralTagger, type Tagger, type TaggerSettings } from "@nasty/taggers";
import type { Engine } from "./engine.js";

/** A model with what its tagger needs. */
export interface Tagging {
  readonly model: ModelProto;
  readonly modelPath: string;
  readonly tagger: TaggerSettings;
}

export interface LabelOptions {
  readonly threads: number;
  readonly signal: AbortSignal | undefined;
}

/** Labels that a tagger gives each sentence on an engine, one sentence at a time: batch-mates change int8 ranges. */
export async function labelsOn(
  engine: Engine,
  { model, modelPath, tagger: settings }: Tagging,
  sentences: readonly (readonly string[])[],
  { threads, signal }: LabelOptions,
): Promise<readonly (readonly string[])[]> {
  const tagger: Tagger =
    settings.kind === "neural"
      ? await openNeuralTagger(model, settings, (part) => engine.open(part, { threads }))
      : await makeTagger(await engine.open(modelPath, { threads }), settings);
  const labels: (readonly string[])[] = [];
  try {
    for await (const of of tagger.tag(sentences, { batchSize: 1, signal })) labels.push(of);
  } finally {
    await tagger.close();
  }
  return labels;
}

/** How many words have another label. */
export function countFlips(
  before: readonly (readonly string[])[],
  after: readonly (readonly string[])[],
): number {
  let flips = 0;
  for (const [i, labels] of before.entries()) {
    for (const [j, label] of labels.entries()) if (label !== after[i]?.[j]) flips += 1;
  }
  return flips;
}
