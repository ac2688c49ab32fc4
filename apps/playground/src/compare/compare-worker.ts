import { provideRuntime } from "@nasty/runtime/web";
import { loadTagger, openLoaded } from "@nasty/taggers/web";
import { type Files, sourceOf } from "../page/dropped-files.js";
import { type FlippedWord, flippedWords } from "../page/flipped-words.js";
import { loadRuntime } from "../page/runtime.js";
import { serveTasks } from "../page/task.js";
import { sentencesOf } from "../quantize/quantize-model.js";

/** What the page asks. */
export interface Question {
  readonly models: readonly [Files, Files];
  readonly text: string;
}

/** One of the two models on the text. */
export interface Measured {
  readonly name: string;
  /** Of the `.onnx` file itself, unpacked. */
  readonly bytes: number;
  /** Mean over the sentences, of the fastest of several rounds. */
  readonly msPerSentence: number;
}

/** Both models on one text. */
export interface Comparison {
  readonly models: readonly [Measured, Measured];
  readonly words: number;
  readonly flips: readonly FlippedWord[];
}

/**
 * Rounds over the text after one that warms up; the models take turns, so that what else the machine does meets both.
 */
const rounds = 3;

serveTasks<Question, Comparison>(async ({ models, text }, onProgress) => {
  onProgress({ stage: "Reading the models" });
  const ort = await loadRuntime();
  provideRuntime(ort);
  const open = async (files: Files) => {
    const loaded = await loadTagger(sourceOf(files));
    const tagger = await openLoaded(loaded);
    return {
      name: loaded.name,
      bytes: loaded.bytes.length,
      tagger,
      labels: [] as (readonly string[])[],
      best: Infinity,
    };
  };
  const both = [await open(models[0]), await open(models[1])] as const;
  const sentences = sentencesOf(text, both[0].tagger.language);
  if (sentences.length === 0) throw new Error("Compare: text: expected at least one sentence, got none");
  for (let round = 0; round <= rounds; round++) {
    onProgress({ stage: "Tagging", done: round, total: rounds + 1 });
    for (const one of both) {
      const labels: (readonly string[])[] = [];
      const begin = performance.now();
      for await (const row of one.tagger.tag(sentences, { batchSize: 1 })) labels.push(row);
      const took = performance.now() - begin;
      one.labels = labels;
      if (round > 0) one.best = Math.min(one.best, took);
    }
  }
  const measured = ({ name, bytes, best }: (typeof both)[number]): Measured => ({
    name,
    bytes,
    msPerSentence: best / sentences.length,
  });
  return {
    models: [measured(both[0]), measured(both[1])],
    words: sentences.reduce((sum, { length }) => sum + length, 0),
    flips: flippedWords(sentences, both[0].labels, both[1].labels),
  };
});
