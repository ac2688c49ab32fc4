import type { Pretraining } from "@nasty/tagger-training";
import { InputError, UsageError } from "../errors.js";
import type { Reporter } from "../reporter.js";
import { readWords } from "../texts/unlabelled-text.js";
import type { TrainingPlace } from "./place.js";
import { storeAt } from "./run-settings.js";

interface Settings {
  readonly pretrain?: string | undefined;
  readonly pretrainEpochs?: number | undefined;
  readonly language?: string | undefined;
}

/**
 * The pretraining that is asked for, with its text; nothing where none is.
 *
 * @throws UsageError for epochs without a text; InputError for a text that cannot be read
 */
export async function pretrainingOf(
  operation: string,
  { pretrain, pretrainEpochs: epochs, language }: Settings,
  { pretrainingCheckpoint }: Pick<TrainingPlace, "pretrainingCheckpoint">,
  { progress }: Reporter,
): Promise<{ readonly pretraining?: Pretraining }> {
  if (pretrain === undefined) {
    if (epochs === undefined) return {};
    throw new UsageError(
      `${operation}: --pretrain-epochs: expected it with --pretrain FILE, got ${epochs} alone`,
    );
  }
  progress.start("reading the text of the pretraining");
  const text: (readonly string[])[] = [];
  for await (const words of readWords(pretrain, { language })) text.push(words);
  progress.stop();
  if (text.every(({ length }) => length === 0))
    throw new InputError(`${operation}: --pretrain ${pretrain}: words: expected at least 1, got 0`);
  return {
    pretraining: {
      text,
      ...(epochs !== undefined && { epochs }),
      checkpoint: storeAt(pretrainingCheckpoint),
    },
  };
}
