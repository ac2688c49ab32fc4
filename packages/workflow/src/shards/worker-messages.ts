import type { LabelChoice } from "@nasty/taggers";
import type { SentenceFormat } from "../tagging/tagged-text.js";
import type { Manifest } from "./shard.js";
import type { ShardTask } from "./shard-task.js";

/** The tagger that a worker opens. */
export interface WorkerModel extends LabelChoice {
  /** Undefined for the embedded model of the task. */
  readonly model: string | undefined;
  readonly threads: number;
}

/** What a worker is asked: to open its tagger, once, and then for one shard after the other. */
export type WorkerRequest =
  | { readonly kind: "open"; readonly model: WorkerModel }
  | { readonly kind: "write"; readonly task: ShardTask; readonly folder: string }
  | { readonly kind: "label"; readonly task: ShardTask; readonly format: SentenceFormat | undefined };

/** A shard's sentences as text, and what is left behind the last. */
export interface LabelledTexts {
  readonly texts: readonly string[];
  readonly rest: string;
  readonly words: number;
}

/** What a worker answers to a request. */
export interface WorkerAnswers {
  /** Remarks about the model. */
  readonly open: readonly string[];
  readonly write: Manifest;
  readonly label: LabelledTexts;
}
