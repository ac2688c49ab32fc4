import type { SentenceFormat } from "../tagging/tagged-text.js";
import type { Manifest } from "./shard.js";
import type { ShardTask } from "./shard-task.js";
import type { LabelledTexts } from "./worker-messages.js";

/** Does shards, one at a time, with a tagger of its own. */
export interface ShardWorker {
  /** Remarks about the model. */
  readonly notes: readonly string[];
  /** Tags a shard into a file of a folder, see `runShard`. */
  write(task: ShardTask, folder: string): Promise<Manifest>;
  /** Tags a shard and gives its sentences. */
  label(task: ShardTask, format: SentenceFormat | undefined): Promise<LabelledTexts>;
  /** Ends it at once, whatever it is doing. */
  close(): Promise<void>;
}
