export { queueCorpus, type QueueCorpusResult, runQueueCorpus } from "./queue-corpus.js";
export { runWork, work, type WorkResult } from "./work.js";
