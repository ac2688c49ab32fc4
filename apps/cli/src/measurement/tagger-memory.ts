import { measureMemory } from "@nasty/runtime";

/** What the fresh process is told. */
export interface TagJob {
  readonly model: string;
  readonly sentences: readonly (readonly string[])[];
  readonly threads: number;
}

// The compiled module, wherever this file runs from.
const module = new URL("../../dist/measurement/tag-sentences.js", import.meta.url);

/** Resident-set growth, in bytes, of a fresh process that opens the model and tags the sentences. */
export async function measureTaggerMemory(
  model: string,
  sentences: readonly (readonly string[])[],
  threads: number,
): Promise<number> {
  const argument: TagJob = { model, sentences, threads };
  const { residentBytes } = await measureMemory({ module, function: "tagSentences", argument });
  return residentBytes;
}
