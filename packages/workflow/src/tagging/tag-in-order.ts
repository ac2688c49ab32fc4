import { cutGiven, cutPlain, type Cut } from "../shards/cut-text.js";
import { openProcessWorker } from "../shards/open-process.js";
import type { ShardTask } from "../shards/shard-task.js";
import type { ShardSettings } from "../shards/shard.js";
import type { LabelledTexts, WorkerModel } from "../shards/worker-messages.js";
import type { ShardWorker } from "../shards/worker.js";
import { WorkerEnded } from "../workers/start-process.js";
import { isRewritten } from "../texts/given-text.js";
import type { OpenText } from "../texts/text-form.js";
import { joinSentences, type SentenceFormat, type Write } from "./tagged-text.js";

/** How a text is tagged by several workers, and written in its order. */
export interface InOrderJob {
  readonly model: WorkerModel;
  readonly workers: number;
  readonly shardWords: number;
  readonly format: SentenceFormat | undefined;
  readonly onePerLine: boolean;
  readonly exactBatches: boolean;
  readonly write: Write;
  readonly note: (text: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** A worker that dies is replaced so often at one shard. */
const attempts = 3;

/**
 * Tags a text with several processes, cut into shards as a corpus is, and writes the result in the order of the text;
 * how many sentences there are. What is held is a shard a worker: the text is read on when the oldest is written.
 */
export async function tagInOrder(text: OpenText, job: InOrderJob): Promise<number> {
  const { workers, format, write, signal } = job;
  const lanes = Array.from({ length: workers }, () => makeLane(job));
  const close = (): Promise<unknown> => Promise.all(lanes.map((lane) => lane.close()));
  const onAbort = (): void => void close();
  signal?.addEventListener("abort", onAbort);
  const joined = joinSentences({ format, hasNumbers: isRewritten(format, text.form) });
  let sentences = 0;
  const writeNext = async (labelled: Promise<LabelledTexts>): Promise<void> => {
    const { texts, rest } = await labelled;
    signal?.throwIfAborted();
    sentences += texts.length;
    // One piece at a time, so that the reader of the result sets the pace.
    const piece = texts.map((one) => joined.add(one)).join("") + rest;
    if (piece !== "") await write(piece);
  };
  const pending: Promise<LabelledTexts>[] = [];
  try {
    let index = 0;
    for await (const task of tasksOf(text, job)) {
      signal?.throwIfAborted();
      if (pending.length === workers) await writeNext(pending.shift() as Promise<LabelledTexts>);
      const labelled = (lanes[index++ % workers] as Lane).label(task);
      // It is waited for in its turn.
      labelled.catch(() => undefined);
      pending.push(labelled);
    }
    for (const one of pending.splice(0)) await writeNext(one);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    await close();
  }
  const end = joined.end();
  if (end !== "") await write(end);
  return sentences;
}

interface Lane {
  label(task: ShardTask): Promise<LabelledTexts>;
  close(): Promise<void>;
}

function makeLane({ model, format, note, signal }: InOrderJob): Lane {
  let opening: Promise<ShardWorker> | undefined;
  return {
    async label(task) {
      for (let attempt = 1; ; attempt++) {
        try {
          opening ??= openProcessWorker(model);
          return await (await opening).label(task, format);
        } catch (error) {
          if (!(error instanceof WorkerEnded) || attempt === attempts || signal?.aborted === true)
            throw error;
          opening = undefined;
          note(`${error.message}: another one takes its place`);
        }
      }
    },
    async close() {
      const worker = await opening?.catch(() => undefined);
      await worker?.close();
    },
  };
}

async function* tasksOf(text: OpenText, job: InOrderJob): AsyncGenerator<ShardTask> {
  const { shardWords: words, onePerLine, exactBatches, model } = job;
  const { name, form, head } = text;
  // Nothing is kept under a name, so nothing that makes one is needed.
  const settings: ShardSettings = {
    model: "",
    onePerLine,
    exactBatches,
    threads: model.threads,
    shardWords: words,
    versions: {},
  };
  let leadEnd = 0;
  let lead: Uint8Array | undefined;
  const options = { words, onePerLine, isKept: true };
  const cuts =
    form === "plain"
      ? cutPlain(text, options)
      : cutGiven(text, options, (end) => {
          leadEnd = end;
        });
  let index = 0;
  for await (const { bytes = new Uint8Array(), ...cut } of cuts) {
    index++;
    // The first shard has the first sentence in it.
    const before = lead ?? new Uint8Array();
    lead ??= bytes.slice(0, leadEnd);
    yield {
      shard: shardOf(cut, index),
      settings,
      input: { name, form },
      source: { bytes },
      lead: before,
      head,
    };
  }
}

function shardOf(cut: Omit<Cut, "bytes">, index: number): ShardTask["shard"] {
  return { ...cut, name: "", input: 0, index };
}
