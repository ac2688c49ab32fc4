import { isHfDirectory, openHfDirectory } from "@nasty/formats/hf/node";
import type { LabelChoice, Tagger } from "@nasty/taggers";
import { openTagger } from "@nasty/taggers/node";

/** A model ready to tag, and where its file is. */
export interface OpenModel {
  readonly tagger: Tagger;
  readonly modelPath: string;
  /** What was made good in the files of its directory, a sentence each. */
  readonly notes: readonly string[];
}

/** What a command says about the labels of a model. */
export interface OpenModelOptions extends LabelChoice {
  readonly threads: number;
  /** The scheme may be that of the text that is read with the model. */
  readonly isSchemeOfText?: boolean;
  /** Refuses weights that are not finite, by a second reading of the file. Default true. */
  readonly checkWeights?: boolean;
}

/** Opens the model that `--model` names: a file or a Hugging Face directory. */
export async function openModel(
  path: string,
  { threads, task, scheme, isSchemeOfText = false, checkWeights = true }: OpenModelOptions,
): Promise<OpenModel> {
  const tagger = await openTagger(path, { threads, task, scheme, isSchemeOfText, checkWeights });
  if (!(await isHfDirectory(path))) return { tagger, modelPath: path, notes: [] };
  const { modelPath, notes } = await openHfDirectory(path);
  return { tagger, modelPath: modelPath(), notes };
}
