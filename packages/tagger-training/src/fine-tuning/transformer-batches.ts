import { TaggerError, type TransformerSettings } from "@nasty/taggers";
import type { LabelledRun, RunBatches } from "./run-batches.js";
import { labelsInput } from "./train-classifier.js";
import { labelTensor, makeTrainingEncoder, shuffledBatches, type TrainingRow } from "./training-rows.js";

/** Batches of subwords, labels at the first subword of each word. */
export function transformerBatches(
  settings: TransformerSettings,
  { model, sentences, targets, batchSize, labelSmoothing, wordDropout }: LabelledRun,
): RunBatches {
  const outputs = (model.graph?.output ?? []).map(({ name }) => name);
  const logits = outputs.includes("logits") ? "logits" : outputs[0];
  if (logits === undefined) {
    throw new TaggerError("model-outputs", "trainFurther: model: outputs: expected logits, got none");
  }
  const encoder = makeTrainingEncoder(model, settings);
  const rowsOf = (hides?: () => boolean): TrainingRow[] =>
    sentences.flatMap(({ words }, i) => encoder.encode(words, targets[i] as Int32Array, i, { hides }));
  const rows = rowsOf();
  return {
    loss: { kind: "cross-entropy", logits, labels: labelsInput, labelSmoothing },
    stepsPerEpoch: Math.ceil(rows.length / batchSize),
    *batches(random) {
      const seen = wordDropout === 0 ? rows : rowsOf(() => random.uniform() < wordDropout);
      for (const batch of shuffledBatches(seen, batchSize, random)) {
        const { feeds, mask } = encoder.feeder.feed(batch);
        yield { ...feeds, [labelsInput]: labelTensor(batch, mask.shape) };
      }
    },
  };
}
