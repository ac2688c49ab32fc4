import { measureMemory } from "@nasty/runtime";
import type { LabelChoice } from "@nasty/taggers";

/** What the fresh process is told. */
export interface TagJob extends LabelChoice {
  readonly model: string;
  readonly sentences: readonly (readonly string[])[];
  readonly threads: number;
  readonly isSchemeOfText?: boolean;
}

// The compiled module, wherever this file runs from.
const module = new URL("../../dist/measurement/tag-sentences.js", import.meta.url);

/** Resident-set growth, in bytes, of a fresh process that opens the model and tags the sentences. */
export async function measureTaggerMemory(
  model: string,
  sentences: readonly (readonly string[])[],
  threads: number,
  choice: LabelChoice & { readonly isSchemeOfText?: boolean } = {},
): Promise<number> {
  const argument: TagJob = { model, sentences, threads, ...choice };
  const { residentBytes } = await measureMemory({ module, function: "tagSentences", argument });
  return residentBytes;
}
