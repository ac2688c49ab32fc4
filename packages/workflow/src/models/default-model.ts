import { fileURLToPath } from "node:url";
import { nerInt8, posInt8, sampleConllu } from "@nasty/model-en";
import { posFloat32 } from "@nasty/model-en-float32";
import type { LabelChoice, Task } from "@nasty/taggers";
import { type OpenModel, openModel } from "./open-tagger.js";

/** Path of the embedded English sample (CoNLL-U with UPOS and entities). */
export function sampleTextPath(): string {
  return fileURLToPath(sampleConllu);
}

/** Path of the embedded float32 part-of-speech tagger, compressed. */
export function defaultFloatPath(): string {
  return fileURLToPath(posFloat32);
}

/** Path of the embedded INT8 tagger of a task. */
export function defaultModelPath(task: Task): string {
  return fileURLToPath(task === "pos" ? posInt8 : nerInt8);
}

/** The model that `--model` names, or the embedded default of the task. */
export async function openDefaultOr(
  path: string | undefined,
  { task, scheme, threads }: LabelChoice & { readonly threads: number },
): Promise<OpenModel> {
  // Without a model the task chooses one.
  const options = path === undefined ? { scheme } : { task, scheme };
  return openModel(path ?? defaultModelPath(task ?? "pos"), { ...options, threads });
}
