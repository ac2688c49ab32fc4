import { readModelFile } from "@nasty/formats/onnx/node";
import { InputError } from "../errors.js";
import type { Labelled } from "../kinds/kind.js";
import type { OpenSubject } from "../kinds/open-subject.js";
import { ownSamples } from "../quantization/trial-text.js";
import { collectAll } from "../texts/collect-all.js";
import { nameOf } from "../texts/text-form.js";
import type { ComparedKind } from "./comparison.js";

/** What models are compared on. */
export interface ComparedSamples {
  readonly all: readonly Labelled[];
  /** Where they are from, for messages. */
  readonly path: string;
  /** Whether nobody gave them. */
  readonly isMade: boolean;
  /** What only taggers have. */
  readonly about: Pick<ComparedKind, "task" | "tokens">;
}

/**
 * The samples of `--test`, without labels too where agreement is judged; without a file those of the embedded text, or
 * inputs that are made for a graph.
 *
 * @throws InputError for taggers of two tasks, and for a file without samples
 */
export async function comparedSamples(
  { reading, modelPath, opened, path: firstPath }: OpenSubject,
  open: readonly OpenSubject[],
  { test, maxDrift }: { readonly test?: string | undefined; readonly maxDrift?: number | undefined },
): Promise<ComparedSamples> {
  for (const { path, opened: other } of open) {
    const [wanted, task] = [opened?.tagger.task, other?.tagger.task];
    if (task === wanted) continue;
    throw new InputError(
      `quantize eval: ${path}: task: expected ${wanted} as ${firstPath}, got ${task}; compare two forms of one model`,
    );
  }
  const unlabelled = (samples: readonly unknown[]): Labelled[] =>
    samples.map((one) => reading.unlabelled(one));
  let all: readonly Labelled[];
  if (test === undefined) all = unlabelled(await ownSamples(reading, await readModelFile(modelPath)));
  else if (maxDrift === undefined) all = await collectAll(reading.readLabelled(test));
  else all = await withOrWithoutLabels();
  if (all.length === 0) {
    throw new InputError(`read ${nameOf(test ?? "sample")}: ${reading.noun}: expected at least 1, got 0`);
  }
  return {
    all,
    path: test ?? "sample",
    isMade: test === undefined,
    about: {
      task: opened?.tagger.task ?? null,
      tokens: opened === undefined ? null : wordsIn(all.map((one) => reading.sampleOf(one))),
    },
  };

  /** Of taggers labels are not asked for; others' samples say themselves whether they have some. */
  async function withOrWithoutLabels(): Promise<readonly Labelled[]> {
    const file = test as string;
    return opened === undefined
      ? collectAll(reading.readLabelled(file))
      : unlabelled(await collectAll(reading.read(file)));
  }
}

const wordsIn = (sentences: readonly unknown[]): number =>
  (sentences as readonly (readonly string[])[]).reduce((sum, words) => sum + words.length, 0);
