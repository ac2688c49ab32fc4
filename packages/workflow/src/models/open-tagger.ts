import { openTaggerFile } from "@nasty/taggers/node";
import type { OpenModel, OpenModelOptions } from "./model-views.js";
import { ofOpenModel } from "./open-models.js";

export type { OpenModel, OpenModelOptions } from "./model-views.js";

/**
 * Opens the model that `--model` names: a file or a Hugging Face directory. One that the program has open already is
 * used as it is.
 */
export async function openModel(path: string, options: OpenModelOptions): Promise<OpenModel> {
  const shared = await ofOpenModel(path, (model) => model.opened(options));
  if (shared !== undefined) return { ...shared, tagger: { ...shared.tagger, close: async () => {} } };
  const { threads, task, scheme, isSchemeOfText = false, checkWeights = true } = options;
  return openTaggerFile(path, { threads, task, scheme, isSchemeOfText, checkWeights });
}
