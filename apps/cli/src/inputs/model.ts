import { isHfDirectory } from "@nasty/formats/hf/node";
import type { Tagger } from "@nasty/taggers";
import { findTagger, openTagger } from "@nasty/taggers/node";
import { bytesOfModel } from "./load-model.js";

/** A model ready to tag, and the bytes of its file(s). */
export interface OpenModel {
  readonly tagger: Tagger;
  readonly modelBytes: number;
}

/** Opens the model that `--model` names: a file or a Hugging Face directory. */
export async function openModel(path: string, options: { readonly threads: number }): Promise<OpenModel> {
  const tagger = await openTagger(path, { threads: options.threads });
  const modelPath = (await isHfDirectory(path)) ? (await findTagger(path)).modelPath : path;
  return { tagger, modelBytes: await bytesOfModel(modelPath) };
}
