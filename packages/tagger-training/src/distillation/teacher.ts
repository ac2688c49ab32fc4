import { stat } from "node:fs/promises";
import type { Tensor } from "@nasty/core";
import { readFileMaybeCompressed } from "@nasty/formats/archive/node";
import { isHfDirectory, openHfDirectory } from "@nasty/formats/hf/node";
import type { ModelProto } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { parseSafetensors } from "@nasty/formats/safetensors";
import { checkFiniteTensors, checkFiniteWeights } from "@nasty/graph";
import {
  type LabelChoice,
  type NeuralSettings,
  settingsFromHf,
  TaggerError,
  type TransformerSettings,
  withChoice,
} from "@nasty/taggers";
import { buildEncoder, checkpointTensors, familyOf, withoutWrapper } from "@nasty/taggers/encoders";
import { settingsOfModelFile, wholeTokenizer } from "@nasty/taggers/node";

type Json = Readonly<Record<string, unknown>>;

/** A token classifier that others learn from: the results of `fineTune` and `trainTransformer` are some. */
export interface TransformerTeacher {
  readonly model: ModelProto;
  readonly settings: TransformerSettings;
  /** The Hugging Face files, of which a student with the same tokenizer can be made. */
  readonly config?: Json | undefined;
  readonly tokenizerJson?: Json | undefined;
  readonly tokenizerConfig?: Json | undefined;
  /** Checkpoint tensors, of which a student of the same family can be made. */
  readonly tensors?: ReadonlyMap<string, Tensor> | undefined;
}

/** A `bilstm` or `cnn` tagger that others learn from: the result of `trainTagger` is one. */
export interface NeuralTeacher {
  readonly model: ModelProto;
  readonly settings: NeuralSettings;
}

/** A tagger that others learn from, told apart by `settings.kind`. It may be quantized: it only runs. */
export type Teacher = TransformerTeacher | NeuralTeacher;

/**
 * Opens a teacher: the Hugging Face directory of a token classifier, or the model file of any tagger.
 *
 * @throws FormatError, TaggerError as `openTagger`; `teacher` for a path where nothing is.
 */
export async function openTeacher(teacher: string | Teacher): Promise<Teacher> {
  if (typeof teacher !== "string") return teacher;
  if (!(await isHfDirectory(teacher))) return openModelFile(teacher);
  const directory = await openHfDirectory(teacher);
  const { config, tokenizerJson, tokenizerConfig, safetensorsPath } = directory;
  const settings = settingsFromHf(directory, teacher);
  const files = { settings, config: config.raw, tokenizerJson, tokenizerConfig: tokenizerConfig.raw };
  const family = familyOf(config.modelType);
  if (family !== undefined && safetensorsPath !== undefined) {
    const tensors = parseSafetensors(await readFileMaybeCompressed(safetensorsPath));
    checkFiniteTensors(tensors, `distill: teacher ${safetensorsPath}`);
    return { ...files, tensors, model: buildEncoder(config.raw, tensors) };
  }
  const model = await readSound(directory.modelPath());
  return { ...files, model, tensors: family && withoutWrapper(checkpointTensors(model), family) };
}

async function readSound(path: string): Promise<ModelProto> {
  const model = await readModelFile(path);
  checkFiniteWeights(model, `distill: teacher ${path}`);
  return model;
}

async function openModelFile(path: string): Promise<Teacher> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) {
    throw new TaggerError(
      "teacher",
      `distill: teacher ${path}: expected a model file, or the Hugging Face directory of a token classifier, got ${found === undefined ? "nothing there" : "no config.json in it"}`,
      { path },
    );
  }
  const model = await readSound(path);
  const settings = await settingsOfModelFile(path, model);
  if (settings.kind === "neural") return { model, settings };
  if (settings.kind === "sequence") {
    throw new TaggerError(
      "teacher",
      `distill: teacher ${path}: tagger: expected a transformer, bilstm or cnn, got a network of word ids that was imported; it cannot teach`,
      { path },
    );
  }
  const { huggingFace, tokenizer } = settings;
  const family = familyOf(String(huggingFace?.config["model_type"]));
  return {
    ...huggingFace,
    model,
    settings,
    tokenizerJson: wholeTokenizer(tokenizer.json),
    tensors: family && withoutWrapper(checkpointTensors(model), family),
  };
}

/**
 * Opens teachers that are to be averaged, and checks that all have the same labels, which hold the data's.
 *
 * @param choice what their labels are, where that is not left to be seen from them
 * @throws TaggerError `teacher` for an empty list, or with both sets of labels; as {@link openTeacher}; `labels`,
 *   `option` for a choice that the labels cannot have.
 */
export async function openTeachers(
  given: string | Teacher | readonly (string | Teacher)[],
  { isSchemeOfText, ...choice }: LabelChoice & { readonly isSchemeOfText?: boolean } = {},
): Promise<readonly [Teacher, ...Teacher[]]> {
  const list = Array.isArray(given) ? (given as readonly (string | Teacher)[]) : [given as string | Teacher];
  const teachers: Teacher[] = [];
  for (const one of list) {
    const teacher = await openTeacher(one);
    const settings = withChoice<TransformerSettings | NeuralSettings>(teacher.settings, choice, {
      isTextToo: isSchemeOfText,
      where: `distill: teacher ${teachers.length + 1}`,
    });
    teachers.push({ ...teacher, settings } as Teacher);
  }
  const [first, ...others] = teachers;
  if (first === undefined) throw new TaggerError("teacher", "distill: teachers: expected at least 1, got 0");
  others.forEach(({ settings }, i) => {
    const [expected, got] = [sorted(first.settings.labels), sorted(settings.labels)];
    if (got === expected) return;
    throw new TaggerError(
      "teacher",
      `distill: teacher ${i + 2}: labels: expected those of the first teacher (${expected}), got ${got}`,
    );
  });
  return [first, ...others];
}

/**
 * Checks that the teachers know the labels of the data.
 *
 * @throws TaggerError `teacher` with both sets.
 */
export function checkDataLabels(labels: readonly string[], dataLabels: readonly string[]): void {
  const strange = dataLabels.filter((label) => !labels.includes(label));
  if (strange.length === 0) return;
  throw new TaggerError(
    "teacher",
    `distill: teacher: labels: expected those of the training sentences (${sorted(dataLabels)}), got ${sorted(labels)}`,
    { name: strange[0] as string },
  );
}

const sorted = (names: readonly string[]): string => names.toSorted().join(", ");
