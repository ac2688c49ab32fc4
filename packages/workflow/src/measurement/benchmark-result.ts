import type { Device, Environment } from "@nasty/runtime";
import type { Task } from "@nasty/taggers";
import type { ModelKindName } from "@nasty/taggers/texts";
import type { LabellingDocument } from "../report/labelling-text.js";
import type { SentenceTimes } from "./sentence-latency.js";

/** Speed and memory of one model. */
export interface ModelFigures {
  readonly path: string;
  /** Of a model that is no tagger. */
  readonly kind?: Exclude<ModelKindName, "token-classification">;
  /** Null for models that are no taggers, as is all else that only taggers have. */
  readonly task: Task | null;
  readonly labelling: LabellingDocument | null;
  readonly modelBytes: number;
  readonly msPerSentence: SentenceTimes;
  readonly tokensPerSecond: number | null;
  readonly memoryBytes: number;
}

/** Speed and memory of models that were measured in turn on the same sentences. */
export interface BenchmarkResult {
  readonly environment: Environment & { readonly devices: readonly Device[] };
  /** Sentences, texts or other samples. */
  readonly sentences: number;
  readonly words: number | null;
  readonly batchSize: number;
  readonly models: readonly ModelFigures[];
}
