import type { LabelChoice } from "@nasty/taggers";
import { type OpenedTagger, openTaggerFile } from "@nasty/taggers/node";
import { ofOpenModel } from "./open-models.js";

/** A model ready to tag: its tagger, its session, and where its file is. */
export type OpenModel = OpenedTagger;

/** What a command says about the labels of a model. */
export interface OpenModelOptions extends LabelChoice {
  readonly threads: number;
  /** The scheme may be that of the text that is read with the model. */
  readonly isSchemeOfText?: boolean;
  /** Refuses weights that are not finite, by a second reading of the file. Default true. */
  readonly checkWeights?: boolean;
}

/** Opens the model that `--model` names: a file or a Hugging Face directory. One that the program has open already is used as it is. */
export async function openModel(path: string, options: OpenModelOptions): Promise<OpenModel> {
  const shared = await ofOpenModel(path, (model) => model.opened(options));
  if (shared !== undefined) return { ...shared, tagger: { ...shared.tagger, close: async () => {} } };
  const { threads, task, scheme, isSchemeOfText = false, checkWeights = true } = options;
  return openTaggerFile(path, { threads, task, scheme, isSchemeOfText, checkWeights });
}
