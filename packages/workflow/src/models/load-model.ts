import { prepareModel } from "@nasty/compression";
import { FormatError } from "@nasty/formats/hf";
import { isHfDirectory, openModelFolder, readUnchanged } from "@nasty/formats/hf/node";
import type { ModelProto } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { checkFiniteWeights, GraphError, standardForm, validateModel } from "@nasty/graph";
import { TaggerError, type TaggerSettings, withChoice } from "@nasty/taggers";
import { findTagger, findText, settingsOfModelFile } from "@nasty/taggers/node";
import { InputError } from "../errors.js";
import { hashWhileReading, sha256OfFile } from "../files/file-hash.js";
import { bytesOfModel } from "./model-bytes.js";
import type { LoadChoice, LoadedModel } from "./model-views.js";
import { ofOpenModel } from "./open-models.js";

export type { LoadChoice, LoadedModel } from "./model-views.js";

/**
 * Reads the model that `--model` names and finds its tagger, if it has one; what is said about its labels holds in what
 * is made of it.
 */
export async function loadModel(
  path: string,
  choice: LoadChoice = {},
  reading: Reading = {},
): Promise<LoadedModel> {
  const shared = await ofOpenModel(path, (model) => model.loaded(choice));
  return shared ?? readUnchanged(path, async () => chosen(await loadOnce(path, reading), choice));
}

interface Reading {
  /** Whether `sha256` will be asked for: the file is hashed while it is read. Default false: when it is asked for. */
  readonly isHashed?: boolean;
}

/** A loaded model with what is said about its labels. */
export function chosen(loaded: LoadedModel, choice: LoadChoice): LoadedModel {
  const { tagger, path: where } = loaded;
  return {
    ...loaded,
    tagger: tagger && withChoice(tagger, choice, { isTextToo: choice.isSchemeOfText, where }),
  };
}

async function loadOnce(path: string, { isHashed = false }: Reading): Promise<LoadedModel> {
  const isDirectory = await isHfDirectory(path);
  const modelPath = isDirectory ? (await openModelFolder(path)).modelPath() : path;
  const hash = isHashed ? hashWhileReading() : undefined;
  const model = await readModelFile(modelPath, hash);
  checkGraph(modelPath, model);
  const text = await findText(path, model);
  const { settings, notes } =
    text === undefined
      ? await optionalTagger(path, isDirectory ? undefined : model)
      : { settings: undefined, notes: text.notes };
  let sha256: Promise<string> | undefined;
  return {
    path,
    modelPath,
    modelBytes: await bytesOfModel(modelPath, model),
    model,
    tagger: settings,
    text: text?.settings,
    notes,
    isShared: false,
    sha256: async () => hash?.sha256() ?? (sha256 ??= sha256OfFile(modelPath)),
  };
}

/**
 * Reads a model that is to be rewritten: functions expanded, old operator sets raised, 16-bit floats lifted; the file
 * is what it was.
 *
 * @param read the model, where it was read before
 * @throws GraphError `not-finite` for NaN or ±∞ in a weight
 */
export async function loadForCompression(
  path: string,
  choice: LoadChoice = {},
  read?: LoadedModel,
): Promise<LoadedModel> {
  const loaded =
    read === undefined ? await loadModel(path, choice, { isHashed: true }) : chosen(read, choice);
  const { model } = prepareModel(loaded.model);
  checkFiniteWeights(model, `loadModel: ${loaded.modelPath}`);
  return { ...loaded, model };
}

/** Refuses what is no graph (a cycle, a missing input) by the name of the file. */
function checkGraph(modelPath: string, model: ModelProto): void {
  try {
    validateModel(standardForm(model).model);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    const reason = error.message.replace(/^\w+: /, "");
    throw new InputError(`${modelPath}: ${reason}; export the model again`, { cause: error });
  }
}

/** Why a model has no tagger, for messages that say that it needs one. */
export function reasonOf({ notes }: Pick<LoadedModel, "notes">): string {
  return notes.length === 0 ? "" : ` (${notes.join(". ")})`;
}

/** The tagger of a model, and what is missing for one. */
export interface OptionalTagger {
  readonly settings: TaggerSettings | undefined;
  readonly notes: readonly string[];
}

/**
 * The tagger of a directory (no model given) or of a model file; what is missing for one is a note, what is damaged an
 * error.
 */
export async function optionalTagger(path: string, model: ModelProto | undefined): Promise<OptionalTagger> {
  try {
    if (model !== undefined) return { settings: await settingsOfModelFile(path, model), notes: [] };
    const { settings, notes = [] } = await findTagger(path);
    return { settings, notes };
  } catch (error) {
    if (error instanceof TaggerError && error.code === "tokenizer-missing")
      return { settings: undefined, notes: [] };
    if (error instanceof FormatError && (error.code === "not-found" || error.code === "missing"))
      return { settings: undefined, notes: [error.message.replace(/^\w+: /, "")] };
    throw error;
  }
}
