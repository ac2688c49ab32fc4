import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isHfDirectory, openHfDirectory, readUnchanged } from "@nasty/formats/hf/node";
import { isModelVariant, type ModelVariant, modelVariants } from "@nasty/formats/hf";
import type { ModelProto } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { checkFiniteWeights } from "@nasty/graph";
import { openSession, type Session, type SessionOptions } from "@nasty/runtime";
import { makeTagger } from "./make-tagger.js";
import { withChoice } from "./label-choice.js";
import { TaggerError } from "./tagger-error.js";
import type { Tagger } from "./tagger.js";
import type { LabelChoice } from "./task.js";
import { readTaggerSettings, type TaggerSettings } from "./tagger-settings.js";
import { openNeuralTagger } from "./neural/neural-tagger.js";
import { settingsFromHf } from "./transformer/settings.js";

/** Task and scheme hold where they are given, whatever the model and its labels say. */
export interface FindTaggerOptions extends LabelChoice {
  /**
   * Which model file of a Hugging Face directory: `fp32`, `q8`, `q4`, … as transformers.js calls them; without it the
   * plainest.
   */
  readonly variant?: string;
  /** The scheme may be that of a text beside the model: one that is not the model's changes nothing. Default false. */
  readonly isSchemeOfText?: boolean;
}

export interface OpenTaggerOptions extends FindTaggerOptions, SessionOptions {
  /** Refuses weights that are not finite (default): the file is read once more than the session reads it. */
  readonly checkWeights?: boolean;
}

/** A model file with what its tagger needs. */
export interface FoundTagger {
  readonly modelPath: string;
  readonly settings: TaggerSettings;
  /** The model, where it was read to find the settings. */
  readonly model?: ModelProto;
  /** What was made good in the files of its directory, a sentence each. */
  readonly notes?: readonly string[];
}

/** A tagger that is open, and what it was made of. */
export interface OpenedTagger {
  readonly tagger: Tagger;
  /** The session of the whole graph; undefined where the graph runs in two parts. */
  readonly session: Session | undefined;
  readonly modelPath: string;
  readonly settings: TaggerSettings;
  /** What was made good in the files of its directory, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Finds model file and tagger settings for a path, without opening a session.
 *
 * A Hugging Face directory has both. A model file (also `.gz`, `.br`) carries its settings in its metadata, or they are
 * found in `config.json` and `tokenizer.json` beside it or one folder above.
 *
 * @throws TaggerError `tokenizer-missing` if a bare model file has nothing beside it, `not-found` for an unknown
 *   variant, `metadata`, `tokenizer`; `labels`, `option` for a task or scheme that the labels cannot have; FormatError
 *   for files that cannot be read.
 */
export async function findTagger(path: string, options: FindTaggerOptions = {}): Promise<FoundTagger> {
  const found = await findOwn(path, options);
  return {
    ...found,
    settings: withChoice(found.settings, options, { isTextToo: options.isSchemeOfText, where: path }),
  };
}

async function findOwn(path: string, { variant }: FindTaggerOptions): Promise<FoundTagger> {
  if (await isHfDirectory(path)) {
    const directory = await openHfDirectory(path);
    return {
      modelPath: directory.modelPath(checkVariant(variant)),
      settings: settingsFromHf(directory, path),
      notes: directory.notes,
    };
  }
  const model = await readModelFile(path);
  return { modelPath: path, settings: await settingsOfModelFile(path, model), model };
}

/**
 * Tagger settings of a model file that has been read already: carried in its metadata, or in the files beside it.
 *
 * @throws TaggerError as {@link findTagger}.
 */
export async function settingsOfModelFile(path: string, model: ModelProto): Promise<TaggerSettings> {
  return (await readTaggerSettings(model)) ?? (await settingsBeside(path));
}

/**
 * Opens a tagger from a model file or a Hugging Face directory.
 *
 * @param path see {@link findTagger}.
 * @param options threads and the like of the session (one thread by default), and `variant`.
 * @throws as {@link findTagger}, `openSession`, {@link makeTransformerTagger} and {@link makeSequenceTagger};
 *   GraphError `not-finite` for NaN or ±∞ in a weight.
 *
 * @example
 * ```ts
 * const tagger = await openTagger("pos_int8.onnx");
 * for await (const labels of tagger.tag([["Time", "flies"]])) labels; // ["NOUN", "VERB"]
 * await tagger.close();
 * ```
 */
export async function openTagger(path: string, options: OpenTaggerOptions = {}): Promise<Tagger> {
  return (await openTaggerFile(path, options)).tagger;
}

/** {@link openTagger} with what was found on the way; `close` of the tagger closes the session. */
export async function openTaggerFile(path: string, options: OpenTaggerOptions = {}): Promise<OpenedTagger> {
  const { variant, task, scheme, isSchemeOfText, ...others } = options;
  return readUnchanged(
    path,
    async () =>
      openFound(
        await findTagger(path, {
          task,
          scheme,
          ...(variant === undefined ? {} : { variant }),
          ...(isSchemeOfText === undefined ? {} : { isSchemeOfText }),
        }),
        others,
      ),
    ({ tagger }) => tagger.close(),
  );
}

/**
 * Opens a tagger whose file and settings are known.
 *
 * @throws as {@link openTagger}, without what finding throws
 */
export async function openFound(
  found: FoundTagger,
  { checkWeights = true, ...options }: SessionOptions & Pick<OpenTaggerOptions, "checkWeights"> = {},
): Promise<OpenedTagger> {
  const { modelPath, settings, notes = [] } = found;
  const read = async (): Promise<ModelProto> => found.model ?? (await readModelFile(modelPath));
  if (checkWeights) checkFiniteWeights(await read(), `openTagger: ${modelPath}`);
  if (settings.kind === "neural") {
    const tagger = await openNeuralTagger(await read(), settings, (part) => openSession(part, options));
    return { tagger, session: undefined, modelPath, settings, notes };
  }
  const session = await openSession(modelPath, options);
  try {
    return { tagger: await makeTagger(session, settings), session, modelPath, settings, notes };
  } catch (error) {
    await session.close();
    throw error;
  }
}

async function settingsBeside(path: string): Promise<TaggerSettings> {
  const folder = dirname(path);
  for (const candidate of [folder, dirname(folder)]) {
    const tokenizers = [join(candidate, "tokenizer.json"), join(candidate, "vocab.txt")];
    const hasTokenizer = (await Promise.all(tokenizers.map(exists))).includes(true);
    if (!hasTokenizer || !(await exists(join(candidate, "config.json")))) continue;
    return settingsFromHf(await openHfDirectory(candidate), candidate);
  }
  throw new TaggerError(
    "tokenizer-missing",
    `openTagger: ${path}: tagger: expected nasty.tagger metadata in the model, or config.json and tokenizer.json in ${folder} or the folder above, got neither; give the model's Hugging Face directory, or put its files beside the model`,
    { path },
  );
}

function checkVariant(variant: string | undefined): ModelVariant | undefined {
  if (variant === undefined || isModelVariant(variant)) return variant;
  throw new TaggerError(
    "not-found",
    `openTagger: variant: expected one of ${modelVariants.join(", ")}, got "${variant}"`,
    { name: variant },
  );
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
