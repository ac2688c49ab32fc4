import { withChoice } from "@nasty/taggers";
import { type FoundTagger, openFound, openTaggerFile } from "@nasty/taggers/node";
import type { OpenModel, OpenModelOptions } from "./model-views.js";
import { ofOpenModel } from "./open-models.js";

export type { OpenModel, OpenModelOptions } from "./model-views.js";

/**
 * Opens the model that `--model` names: a file or a Hugging Face directory. One that the program has open already is
 * used as it is.
 *
 * @param found the file with its tagger, where it was read before
 */
export async function openModel(
  path: string,
  options: OpenModelOptions,
  found?: FoundTagger,
): Promise<OpenModel> {
  const shared = await ofOpenModel(path, (model) => model.opened(options));
  if (shared !== undefined) return { ...shared, tagger: { ...shared.tagger, close: async () => {} } };
  const { threads, task, scheme, isSchemeOfText = false, checkWeights = true } = options;
  if (found === undefined)
    return openTaggerFile(path, { threads, task, scheme, isSchemeOfText, checkWeights });
  const settings = withChoice(found.settings, { task, scheme }, { isTextToo: isSchemeOfText, where: path });
  return openFound({ ...found, settings }, { threads, checkWeights });
}

/** Opens several models, side by side for as long as they are used. */
export async function withOpen<T>(
  paths: readonly string[],
  options: OpenModelOptions,
  use: (open: readonly OpenModel[]) => Promise<T>,
): Promise<T> {
  const open: OpenModel[] = [];
  try {
    for (const path of paths) open.push(await openModel(path, options));
    return await use(open);
  } finally {
    for (const { tagger } of open) await tagger.close();
  }
}
