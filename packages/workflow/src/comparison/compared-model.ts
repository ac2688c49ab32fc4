import type { AgreementFigures } from "../kinds/kind.js";
import type { BatchMates } from "./batch-mates.js";

/** One model's side of a comparison. */
export interface Side {
  /** What most weights are stored as: `Float32`, `INT8`, `INT4`, … */
  readonly precision: string;
  /** `accuracy`, `f1`, `spearman`; without labels `agreement` with the first model. */
  readonly metric: string;
  readonly value: number;
  readonly modelBytes: number;
  readonly memoryBytes: number;
  readonly msPerSentence: number;
}

/** What a model is against the first. */
export interface Difference {
  /** Size of the first over this one's. */
  readonly sizeRatio: number;
  /** Time a sentence of the first over this one's. */
  readonly speedup: number;
  /** First − this one, in units of the metric. */
  readonly loss: number;
  /** Paired bootstrap over sentences. */
  readonly lossCi95: readonly [number, number];
  /** Words whose label changed; of models that are no taggers answers. */
  readonly flips: number;
  /** How alike answers are to the first model's; of models that are no taggers, and without labels. */
  readonly agreement?: AgreementFigures;
  readonly agreementOf?: string;
}

/** One of the compared models. */
export interface ComparedModel extends Side {
  readonly path: string;
  /** Null for the first, which the others are compared with; so is {@link ComparedModel.batchMates}. */
  readonly summary: Difference | null;
  /** How much its labels depend on what shares a run. */
  readonly batchMates: BatchMates | null;
}

/** What a comparison of two models says. */
export interface ComparedPair {
  readonly examples: number;
  readonly tokens: number | null;
  readonly original: Side;
  readonly quantized: Side;
  readonly summary: Difference;
  readonly batchMates: BatchMates | null;
}
