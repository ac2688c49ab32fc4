import type { Device, Environment } from "@nasty/runtime";
import type { Task } from "@nasty/taggers";
import type { LabellingDocument } from "../report/labelling-text.js";
import type { SentenceTimes } from "./sentence-latency.js";

/** Speed and memory of one model. */
export interface ModelFigures {
  readonly path: string;
  readonly task: Task;
  readonly labelling: LabellingDocument | null;
  readonly modelBytes: number;
  readonly msPerSentence: SentenceTimes;
  readonly tokensPerSecond: number;
  readonly memoryBytes: number;
}

/** Speed and memory of models that were measured in turn on the same sentences. */
export interface BenchmarkResult {
  readonly environment: Environment & { readonly devices: readonly Device[] };
  readonly sentences: number;
  readonly words: number;
  readonly batchSize: number;
  readonly models: readonly ModelFigures[];
}
