import { readConlluFile } from "@nasty/formats/conllu/node";
import type { Task } from "@nasty/taggers";
import { posSentences, type TrainingSentence } from "@nasty/tagger-training";
import { InputError } from "../errors.js";
import { collectAll } from "./collect-all.js";
import { labelledSentences } from "./labelled-text.js";
import { openText } from "./text-form.js";

/**
 * Text to train a neural tagger on: CoNLL-U brings auxiliary labels with it, columns only the labels themselves.
 *
 * @param command what reads it, for messages
 * @throws InputError for standard input, and as `readLabelled`
 */
export async function trainingSentences(
  path: string,
  task: Task,
  command = "train",
): Promise<readonly TrainingSentence[]> {
  if (path === "-") {
    throw new InputError(
      `${command}: standard input: expected a file (it is hashed and read again to go on), got -`,
    );
  }
  const text = await openText(path, "labels");
  const labelled: TrainingSentence[] = await collectAll(labelledSentences(text, task));
  return task === "pos" && text.form === "conllu" ? posSentences(readConlluFile(path)) : labelled;
}
