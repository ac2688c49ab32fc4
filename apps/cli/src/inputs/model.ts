import { isHfDirectory, openHfDirectory } from "@nasty/formats/hf/node";
import type { Tagger } from "@nasty/taggers";
import { openTagger } from "@nasty/taggers/node";

/** A model ready to tag, and where its file is. */
export interface OpenModel {
  readonly tagger: Tagger;
  readonly modelPath: string;
  /** What was made good in the files of its directory, a sentence each. */
  readonly notes: readonly string[];
}

/** Opens the model that `--model` names: a file or a Hugging Face directory. */
export async function openModel(
  path: string,
  { threads, checkWeights = true }: { readonly threads: number; readonly checkWeights?: boolean },
): Promise<OpenModel> {
  const tagger = await openTagger(path, { threads, checkWeights });
  if (!(await isHfDirectory(path))) return { tagger, modelPath: path, notes: [] };
  const { modelPath, notes } = await openHfDirectory(path);
  return { tagger, modelPath: modelPath(), notes };
}
