import { isHfDirectory } from "@nasty/formats/hf/node";
import type { ModelProto } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { GraphError, ModelGraph, validateModel } from "@nasty/graph";
import { type LabelChoice, TaggerError, type TaggerSettings, withChoice } from "@nasty/taggers";
import { findTagger, settingsOfModelFile } from "@nasty/taggers/node";
import { InputError } from "../exit-codes.js";
import { sha256OfFile } from "./file-hash.js";
import { bytesOfModel } from "./model-bytes.js";

/** A model as data: to be planned, described or rewritten, not to be run. */
export interface LoadedModel {
  /** What the user named: a model file or a Hugging Face directory. */
  readonly path: string;
  /** The file itself. */
  readonly modelPath: string;
  readonly modelBytes: number;
  readonly model: ModelProto;
  /** Undefined for a model that has no labels and tokenizer in it or beside it. */
  readonly tagger: TaggerSettings | undefined;
  /** SHA-256 of the file, hexadecimal. */
  sha256(): Promise<string>;
}

/** Reads the model that `--model` names and finds its tagger, if it has one; what is said about its labels holds in what is made of it. */
export async function loadModel(
  path: string,
  choice: LabelChoice & { readonly isSchemeOfText?: boolean } = {},
): Promise<LoadedModel> {
  const found = (await isHfDirectory(path)) ? await findTagger(path) : undefined;
  const modelPath = found?.modelPath ?? path;
  const model = await readModelFile(modelPath);
  checkGraph(modelPath, model);
  const tagger = found?.settings ?? (await optionalSettings(path, model));
  return {
    path,
    modelPath,
    modelBytes: await bytesOfModel(modelPath, model),
    model,
    tagger: tagger && withChoice(tagger, choice, { isTextToo: choice.isSchemeOfText, where: path }),
    sha256: () => sha256OfFile(modelPath),
  };
}

/** Refuses what is no graph (a cycle, a missing input) by the name of the file. */
function checkGraph(modelPath: string, model: ModelProto): void {
  try {
    validateModel(ModelGraph.from(model));
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    const reason = error.message.replace(/^\w+: /, "");
    throw new InputError(`readModelFile: ${modelPath}: ${reason}; export the model again`, { cause: error });
  }
}

async function optionalSettings(path: string, model: ModelProto): Promise<TaggerSettings | undefined> {
  try {
    return await settingsOfModelFile(path, model);
  } catch (error) {
    if (error instanceof TaggerError && error.code === "tokenizer-missing") return undefined;
    throw error;
  }
}
