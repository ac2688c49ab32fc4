import type { BatchOptions, Tagger } from "@nasty/taggers";
import { expect, it } from "vitest";
import { labelShard } from "../../src/shards/label-shard.js";
import type { ShardTask } from "../../src/shards/shard-task.js";

const settings = {
  model: "0".repeat(64),
  onePerLine: false,
  threads: 1,
  shardWords: 10,
  versions: {},
} as const;

it.each(["plain", "conllu"] as const)(
  "a shard of %s is tagged in one call that depends on nothing before",
  async (form) => {
    const calls: (BatchOptions | undefined)[] = [];
    const tagger = {
      task: "pos",
      labels: ["X"],
      async *tag(sentences: AsyncIterable<readonly string[]>, options?: BatchOptions) {
        calls.push(options);
        for await (const words of sentences) yield words.map(() => "X");
      },
    } as Partial<Tagger> as Tagger;
    const text =
      form === "plain" ? "One. Two. ".repeat(9000) : "1\tOne\t_\t_\t_\t_\t_\t_\t_\t_\n\n".repeat(9000);
    const bytes = Buffer.from(text);
    const shard = { name: "", input: 0, index: 1, start: 0, end: bytes.length, offset: 0, line: 0, words: 1 };
    for (const exactBatches of [false, true]) {
      const task: ShardTask = {
        shard: { ...shard, sha256: "" },
        settings: { ...settings, exactBatches },
        input: { name: "text", form },
        source: { bytes },
        lead: new Uint8Array(),
        head: text.slice(0, 100),
      };
      let sentences = 0;
      for await (const one of labelShard(task, tagger, { format: "text" }))
        sentences += "rest" in one ? 0 : 1;
      expect(sentences).toBeGreaterThan(8000);
    }
    expect(calls).toEqual([
      expect.objectContaining({ fresh: true }),
      expect.objectContaining({ fresh: true, batchSize: 1 }),
    ]);
  },
);
