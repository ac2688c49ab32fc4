import { openModel } from "../models/open-tagger.js";
import type { TagJob } from "./tagger-memory.js";

/** Runs in the fresh process of a memory measurement; the open tagger is returned so that it stays in memory. */
export async function tagSentences({ model, sentences, ...options }: TagJob): Promise<unknown> {
  // The memory of reading the file a second time is not the tagger's.
  const { tagger } = await openModel(model, { ...options, checkWeights: false });
  for await (const _ of tagger.tag(sentences, { batchSize: 1 }));
  return tagger;
}
