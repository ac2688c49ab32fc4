import type { ModelProto } from "@nasty/formats/onnx";
import type { LabelledSentence } from "@nasty/taggers";
import type { Batch, Loss, Random } from "@nasty/training";

/** Sentences that a model learns from. */
export interface LabelledRun {
  readonly model: ModelProto;
  readonly sentences: readonly LabelledSentence[];
  /** For each sentence the number of each word's label, −100 for none. */
  readonly targets: readonly Int32Array[];
  readonly batchSize: number;
  readonly labelSmoothing: number;
  readonly wordDropout: number;
}

/** What a kind of tagger makes of them. */
export interface RunBatches {
  readonly loss: Loss;
  readonly batches: (random: Random) => Iterable<Batch>;
  readonly stepsPerEpoch: number;
}
