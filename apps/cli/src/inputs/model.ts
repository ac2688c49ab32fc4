import { isHfDirectory, openHfDirectory } from "@nasty/formats/hf/node";
import type { LabelChoice, Tagger } from "@nasty/taggers";
import { openTagger } from "@nasty/taggers/node";

/** A model ready to tag, and where its file is. */
export interface OpenModel {
  readonly tagger: Tagger;
  readonly modelPath: string;
}

/** What a command says about the labels of a model. */
export interface OpenModelOptions extends LabelChoice {
  readonly threads: number;
  /** The scheme may be that of the text that is read with the model. */
  readonly isSchemeOfText?: boolean;
}

/** Opens the model that `--model` names: a file or a Hugging Face directory. */
export async function openModel(
  path: string,
  { threads, task, scheme, isSchemeOfText = false }: OpenModelOptions,
): Promise<OpenModel> {
  const tagger = await openTagger(path, { threads, task, scheme, isSchemeOfText });
  const modelPath = (await isHfDirectory(path)) ? (await openHfDirectory(path)).modelPath() : path;
  return { tagger, modelPath };
}
