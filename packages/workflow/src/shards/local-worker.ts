import type { Tagger } from "@nasty/taggers";
import { openDefaultOr } from "../models/default-model.js";
import { releaseMemory } from "../models/release-memory.js";
import { labellingRemarks } from "../report/labelling-text.js";
import type { SentenceFormat } from "../tagging/tagged-text.js";
import { labelShard } from "./label-shard.js";
import { runShard } from "./run-shard.js";
import type { ShardTask } from "./shard-task.js";
import type { LabelledTexts, WorkerModel } from "./worker-messages.js";
import type { ShardWorker } from "./worker.js";

/** Behind so many words garbage is collected: left to itself, a process that tags grows by half. */
const wordsBetween = 100_000;

/** Opens a tagger in this process, to do one shard after the other. */
export async function openLocalWorker(
  { model, threads, task, scheme }: WorkerModel,
  signal?: AbortSignal,
): Promise<ShardWorker> {
  const { tagger, notes } = await openDefaultOr(model, { threads, task, scheme });
  // A session must not be freed while it runs.
  let busy: Promise<unknown> = Promise.resolve();
  const keep = <T>(work: Promise<T>): Promise<T> => {
    busy = work.catch(() => undefined);
    return work;
  };
  let words = 0;
  const write: ShardWorker["write"] = async (one, folder) => {
    const manifest = await runShard(one, tagger, folder, signal);
    words += manifest.words;
    if (words >= wordsBetween) {
      words = 0;
      await releaseMemory({ rounds: 1 });
    }
    return manifest;
  };
  return {
    notes: [...notes, ...labellingRemarks(tagger.labelling)],
    write: (one, folder) => keep(write(one, folder)),
    label: (one, format) => keep(textsOf(one, tagger, { format, signal })),
    async close() {
      await busy;
      await tagger.close();
    },
  };
}

async function textsOf(
  task: ShardTask,
  tagger: Tagger,
  options: { readonly format: SentenceFormat | undefined; readonly signal: AbortSignal | undefined },
): Promise<LabelledTexts> {
  const texts: string[] = [];
  let rest = "";
  let words = 0;
  for await (const one of labelShard(task, tagger, options)) {
    if ("rest" in one) ({ rest } = one);
    else {
      texts.push(one.text(options.format));
      words += one.words.length;
    }
  }
  return { texts, rest, words };
}
