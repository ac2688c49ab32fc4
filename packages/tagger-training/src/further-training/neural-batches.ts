import type { NeuralSettings } from "@nasty/taggers";
import { chainOutputs, logitsOutput } from "@nasty/taggers/neural";
import type { Loss } from "@nasty/training";
import type { LabelledRun, RunBatches } from "../fine-tuning/run-batches.js";
import { countWords } from "../neural/features/count-features.js";
import { defaultRecipe } from "../neural/training/recipe.js";
import { labelsInput, makeBatchSource } from "../neural/training/training-batches.js";

/** Batches of words, hidden at random as when the tagger was first trained. */
export function neuralBatches(
  { features, labels }: NeuralSettings,
  { model, sentences, batchSize, labelSmoothing }: LabelledRun,
): RunBatches {
  const hasChain = model.graph?.output.some(({ name }) => name === chainOutputs.transitions) === true;
  const isRecurrent = model.graph?.node.some(({ opType }) => opType === "LSTM") === true;
  const source = makeBatchSource({
    sentences,
    features,
    sets: { labels, auxiliary: {}, corpora: [] },
    // The likelihood of a sequence wants one sentence a row.
    layout: isRecurrent ? "rows" : hasChain ? "masked-rows" : "stream",
    batchSentences: batchSize,
    batchTokens: defaultRecipe.batchTokens,
    dropout: defaultRecipe.dropout,
    counts: countWords(sentences.map(({ words }) => words)).words,
  });
  const meanLength = sentences.reduce((sum, { words }) => sum + words.length, 0) / sentences.length;
  const loss: Loss = hasChain
    ? {
        kind: "crf",
        emissions: logitsOutput,
        ...chainOutputs,
        labels: labelsInput(logitsOutput),
        weight: 1 / meanLength,
      }
    : { kind: "cross-entropy", logits: logitsOutput, labels: labelsInput(logitsOutput), labelSmoothing };
  return { loss, stepsPerEpoch: source.batchesPerEpoch, batches: (random) => source.epoch(random) };
}
