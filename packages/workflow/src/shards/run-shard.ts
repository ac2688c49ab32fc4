import { join } from "node:path";
import { writeFileAtomic } from "@nasty/formats/archive/node";
import type { Tagger } from "@nasty/taggers";
import { joinSentences, type LabelledSentence } from "../tagging/tagged-text.js";
import { isRewritten } from "../texts/given-text.js";
import type { GivenEnd } from "../texts/given-words.js";
import { compressedShard } from "./compress-shard.js";
import { labelShard } from "./label-shard.js";
import { makeParquetTable } from "./parquet-table.js";
import { writeManifest } from "./shard-files.js";
import type { ShardTask } from "./shard-task.js";
import { formatOf, type Manifest } from "./shard.js";

/**
 * Tags a shard and puts it into the folder: its file first, then its manifest, each under a temporary name until all of
 * it is on the disk. Whoever does it again writes the same.
 *
 * @throws what the tagger and the readers throw; FormatError `unwritable`
 */
export async function runShard(
  task: ShardTask,
  tagger: Tagger,
  folder: string,
  signal?: AbortSignal,
): Promise<Manifest> {
  const { shard, settings, input } = task;
  const counts = { sentences: 0, words: 0 };
  const chunks = compressedShard(shardBytes(task, tagger, { counts, signal }), shard.name, settings);
  const { bytes, sha256 } = await writeFileAtomic(join(folder, shard.name), chunks);
  const manifest: Manifest = {
    schema: 1,
    name: shard.name,
    ...counts,
    bytes,
    sha256,
    source: { name: input.name, start: shard.start, end: shard.end, sha256: shard.sha256 },
  };
  await writeManifest(folder, manifest);
  return manifest;
}

interface Counting {
  readonly counts: { sentences: number; words: number };
  readonly signal: AbortSignal | undefined;
}

/** Texts of sentences are gathered up to so many characters. */
const gatherLength = 1 << 16;

async function* shardBytes(
  task: ShardTask,
  tagger: Tagger,
  { counts, signal }: Counting,
): AsyncGenerator<Uint8Array> {
  const { settings, shard, input } = task;
  const chosen = formatOf(settings, input.form);
  if (chosen === "parquet") {
    const table = makeParquetTable(input.name, shard.index);
    for await (const one of counted(labelShard(task, tagger, { format: "jsonl", signal }), counts)) {
      if (!("rest" in one)) table.add(one);
    }
    yield table.bytes();
    return;
  }
  const format = chosen === "own" ? undefined : chosen;
  const hasNumbers = isRewritten(format, input.form);
  const joined = joinSentences({ format, hasNumbers, prefix: `${shard.index}-` });
  let gathered = "";
  for await (const one of counted(labelShard(task, tagger, { format, signal }), counts)) {
    gathered += "rest" in one ? one.rest : joined.add(one.text(format));
    if (gathered.length < gatherLength) continue;
    yield Buffer.from(gathered);
    gathered = "";
  }
  yield Buffer.from(gathered + joined.end());
}

async function* counted(
  sentences: AsyncIterable<LabelledSentence | GivenEnd>,
  counts: Counting["counts"],
): AsyncGenerator<LabelledSentence | GivenEnd> {
  for await (const one of sentences) {
    if (!("rest" in one)) {
      counts.sentences++;
      counts.words += one.words.length;
    }
    yield one;
  }
}
