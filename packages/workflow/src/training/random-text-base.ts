import { type BaseModel, randomTextBase } from "@nasty/tagger-training";
import { readTexts } from "../kinds/text-samples.js";
import type { TextTask } from "./text-training.js";

/** Heads of attention of an encoder whose width they divide, the most first. */
const heads = [4, 2, 1];
/** Width of the feed-forward layers over that of the others. */
const widening = 4;

/**
 * An encoder of random weights for the texts of a training file; one that learns vectors is as wide as they are.
 *
 * @throws InputError for a file that cannot be read
 */
export async function randomTextEncoder(path: string, task: TextTask, seed: number): Promise<BaseModel> {
  const texts: string[] = [];
  let width: number | undefined;
  for await (const { text, pair, vector } of readTexts(path)) {
    texts.push(text);
    if (pair !== undefined) texts.push(pair);
    width ??= vector?.length;
  }
  const size =
    task === "classification" || width === undefined
      ? {}
      : {
          hidden: width,
          intermediate: widening * width,
          heads: heads.find((count) => width % count === 0) ?? 1,
        };
  return randomTextBase(texts, { size, seed });
}
