import type { Pace } from "../reporter.js";
import type { ShardOutcome } from "../shards/run-plan.js";
import type { Shard, ShardInput, ShardPlan } from "../shards/shard.js";

/** A text that could not be tagged, or not all of it. */
export interface FailedText {
  readonly input: string;
  /** What was wrong first. */
  readonly error: string;
  /** Shards that are missing for it; 0 where the text could not even be cut into shards. */
  readonly shards: number;
}

/** What became of the shards that were to be done. */
export interface Tally {
  /** Shards that were tagged, and those that were there already. */
  readonly written: number;
  readonly found: number;
  readonly sentences: number;
  readonly words: number;
  readonly bytes: number;
  readonly failed: readonly FailedText[];
}

/** Counts shards as they end. */
export interface Tallying {
  add(outcome: ShardOutcome): void;
  /** Words as the plan has them, which are about as many as there are. */
  readonly wordsInAll: number;
  readonly wordsDone: number;
  /** Words that were really tagged. */
  readonly wordsTagged: number;
  /** @param seconds since the first shard was begun */
  pace(seconds: number): Pace;
  result(): Tally;
}

export function tallyOf(plan: ShardPlan, shards: readonly Shard[]): Tallying {
  const failed = new Map<string, FailedText>();
  for (const { name, error } of plan.inputs) {
    if (error !== undefined) failed.set(name, { input: name, error, shards: 0 });
  }
  const wordsInAll = shards.reduce((sum, { words }) => sum + words, 0);
  const counts = { written: 0, found: 0, sentences: 0, words: 0, bytes: 0 };
  let wordsDone = 0;
  let wordsTagged = 0;
  let wordsFound = 0;
  let shardsDone = 0;
  return {
    wordsInAll,
    get wordsDone() {
      return wordsDone;
    },
    get wordsTagged() {
      return wordsTagged;
    },
    add(outcome) {
      const { shard } = outcome;
      wordsDone += shard.words;
      shardsDone++;
      if (outcome.kind === "failed") {
        const { name } = plan.inputs[shard.input] as ShardInput;
        const { error } = outcome;
        const before = failed.get(name);
        failed.set(name, { input: name, error, ...before, shards: (before?.shards ?? 0) + 1 });
        return;
      }
      counts[outcome.kind]++;
      counts.sentences += outcome.manifest.sentences;
      counts.words += outcome.manifest.words;
      counts.bytes += outcome.manifest.bytes;
      if (outcome.kind === "written") wordsTagged += outcome.manifest.words;
      else wordsFound += shard.words;
    },
    pace: (seconds) => ({
      wordsPerSecond: seconds > 0 ? wordsTagged / seconds : 0,
      // What was there took no time.
      secondsLeft: (seconds * (wordsInAll - wordsDone)) / Math.max(1, wordsDone - wordsFound),
      shards: shards.length,
      shardsDone,
    }),
    result: () => ({ ...counts, failed: [...failed.values()] }),
  };
}
