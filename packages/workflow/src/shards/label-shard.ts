import type { BatchOptions, Tagger } from "@nasty/taggers";
import { plainSentences } from "../tagging/plain-sentences.js";
import type { LabelledSentence, SentenceFormat } from "../tagging/tagged-text.js";
import { labelGivenWords } from "../texts/given-text.js";
import type { GivenEnd } from "../texts/given-words.js";
import { bytesOfShard } from "./shard-bytes.js";
import type { ShardTask } from "./shard-task.js";

const newline = 10;
const pieceBytes = 1 << 16;

/** Labels the sentences of a shard, whose places are those in the whole text. */
export async function* labelShard(
  task: ShardTask,
  tagger: Tagger,
  {
    format,
    signal,
  }: { readonly format: SentenceFormat | undefined; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<LabelledSentence | GivenEnd> {
  const { shard, settings, input, lead, head } = task;
  const bytes = await bytesOfShard(task);
  // Whoever did which shards before must not show in this one.
  const batches: BatchOptions = {
    fresh: true,
    ...(settings.exactBatches && { batchSize: 1 }),
    ...(signal && { signal }),
  };
  const { name, form } = input;
  if (form === "plain") {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const { onePerLine } = settings;
    yield* plainSentences([{ text, offset: shard.offset }], tagger, { ...batches, onePerLine });
    return;
  }
  const place = { leadLines: countLines(lead), linesBefore: shard.line };
  const chunks = (async function* () {
    if (lead.length > 0) yield lead;
    // A reader parses all of a piece at once, and what it parsed takes many times as much memory.
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  })();
  yield* labelGivenWords({ name, form, head, chunks, close: async () => undefined }, tagger, {
    format,
    batches,
    place,
  });
}

function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count++;
  return count;
}
