import type { Metric } from "@nasty/taggers";
import type { BatchMates } from "./batch-mates.js";

/** One model's side of a comparison. */
export interface Side {
  /** What most weights are stored as: `Float32`, `INT8`, `INT4`, … */
  readonly precision: string;
  readonly metric: Metric;
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
  /** Words whose label changed. */
  readonly flips: number;
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
  readonly tokens: number;
  readonly original: Side;
  readonly quantized: Side;
  readonly summary: Difference;
  readonly batchMates: BatchMates;
}
