// What carries shards to workers that are not of this process: `@nasty/queue`, or an engine of one's own.
export { type FailedText, type Tally, type Tallying, tallyOf } from "../tagging/tally.js";
export { choiceOf } from "../texts/label-choice.js";
export { openProcessWorker, type ProcessWorker } from "./open-process.js";
export { dropShards, readPlan } from "./plan-file.js";
export { differenceHere, planCorpus, type PlannedCorpus } from "./plan-corpus.js";
export { faultOf, type ShardOutcome } from "./run-plan.js";
export { readManifest, stateOfShard } from "./shard-files.js";
export { openShardReader, type ShardReader } from "./shard-reader.js";
export type { ShardTask } from "./shard-task.js";
export type { Manifest, Shard, ShardPlan, ShardSettings } from "./shard.js";
export type { WorkerModel } from "./worker-messages.js";
export { WorkerEnded } from "../workers/start-process.js";
export type { ShardWorker } from "./worker.js";
