import type { Tensor } from "@nasty/core";
import { isHfDirectory, openHfDirectory } from "@nasty/formats/hf/node";
import type { ModelProto } from "@nasty/formats/onnx";
import { readModelFile } from "@nasty/formats/onnx/node";
import { readFileMaybeCompressed } from "@nasty/formats/archive/node";
import { parseSafetensors } from "@nasty/formats/safetensors";
import { openSession } from "@nasty/runtime";
import { buildEncoder } from "../encoders/build-encoder.js";
import { checkpointTensors } from "../encoders/checkpoint-tensors.js";
import { familyOf } from "../encoders/families.js";
import { withoutWrapper } from "../encoders/read-checkpoint.js";
import { makeTrainingEncoder, type TrainingRow } from "../fine-tuning/training-rows.js";
import { TaggerError } from "../tagger-error.js";
import { settingsFromHf, type TransformerSettings } from "../transformer/settings.js";
import { batchesOf } from "../transformer/batches.js";

type Json = Readonly<Record<string, unknown>>;

/** A token classifier that others learn from: the result of `fineTune` is one. */
export interface Teacher {
  readonly model: ModelProto;
  readonly settings: TransformerSettings;
  readonly config: Json;
  readonly tokenizerJson: Json;
  readonly tokenizerConfig: Json;
  /** Checkpoint tensors, of which a student of the same family can be made. */
  readonly tensors?: ReadonlyMap<string, Tensor> | undefined;
}

/**
 * Opens a teacher from a Hugging Face directory of a token classifier.
 *
 * @throws FormatError, TaggerError as `openTagger`; `teacher` for a path that is no such directory.
 */
export async function openTeacher(teacher: string | Teacher): Promise<Teacher> {
  if (typeof teacher !== "string") return teacher;
  if (!(await isHfDirectory(teacher))) {
    throw new TaggerError(
      "teacher",
      `distill: teacher ${teacher}: expected the Hugging Face directory of a token classifier, got no config.json in it`,
      { path: teacher },
    );
  }
  const directory = await openHfDirectory(teacher);
  const { config, tokenizerJson, tokenizerConfig, safetensorsPath } = directory;
  const settings = settingsFromHf(directory, teacher);
  const files = { settings, config: config.raw, tokenizerJson, tokenizerConfig: tokenizerConfig.raw };
  const family = familyOf(config.modelType);
  if (family !== undefined && safetensorsPath !== undefined) {
    const tensors = parseSafetensors(await readFileMaybeCompressed(safetensorsPath));
    return { ...files, tensors, model: buildEncoder(config.raw, tensors) };
  }
  const model = await readModelFile(directory.modelPath());
  return { ...files, model, tensors: family && withoutWrapper(checkpointTensors(model), family) };
}

/**
 * Checks that all teachers and the data have the same labels.
 *
 * @throws TaggerError `teacher` with both sets.
 */
export function checkTeacherLabels(
  teachers: readonly Teacher[],
  dataLabels: readonly string[],
): readonly string[] {
  const labels = teachers[0]?.settings.labels ?? [];
  const list = (names: readonly string[]): string => names.toSorted().join(", ");
  teachers.forEach(({ settings }, i) => {
    if (list(settings.labels) === list(labels)) return;
    throw new TaggerError(
      "teacher",
      `distill: teacher ${i + 1}: labels: expected those of the first teacher (${list(labels)}), got ${list(settings.labels)}`,
    );
  });
  const strange = dataLabels.filter((label) => !labels.includes(label));
  if (strange.length === 0) return labels;
  throw new TaggerError(
    "teacher",
    `distill: teacher: labels: expected those of the training sentences (${list(dataLabels)}), got ${list(labels)}`,
    { name: strange[0] as string },
  );
}

export interface TargetOptions {
  /** Labels in the student's order. */
  readonly labels: readonly string[];
  readonly temperature: number;
  readonly threads: number;
  readonly onProgress?: ((sentences: number) => void) | undefined;
}

/**
 * What the teachers think of every word: log q, times the temperature, so that a softmax at that temperature gives q back; q is the
 * mean of the teachers' softmax(logits / temperature).
 *
 * @returns for each sentence float32 [words · labels], row-major
 */
export async function teacherTargets(
  teachers: readonly Teacher[],
  sentences: readonly (readonly string[])[],
  { labels, temperature, threads, onProgress }: TargetOptions,
): Promise<Float32Array[]> {
  const targets = sentences.map((words) => new Float32Array(words.length * labels.length));
  for (const teacher of teachers) {
    await addProbabilities(targets, teacher, sentences, { labels, temperature, threads, onProgress });
  }
  for (const target of targets) {
    for (let i = 0; i < target.length; i++)
      target[i] = temperature * Math.log(Math.max((target[i] as number) / teachers.length, 1e-30));
  }
  return targets;
}

async function addProbabilities(
  targets: readonly Float32Array[],
  { model, settings }: Teacher,
  sentences: readonly (readonly string[])[],
  { labels, temperature, threads, onProgress }: TargetOptions,
): Promise<void> {
  const encoder = makeTrainingEncoder(model, settings);
  const place = settings.labels.map((label) => labels.indexOf(label));
  const session = await openSession(model, { threads });
  const names = session.outputs.map(({ name }) => name);
  const output = names.includes("logits") ? "logits" : (names[0] as string);
  const count = labels.length;
  const exponents = new Float64Array(count);
  try {
    const block = 256;
    for (let start = 0; start < sentences.length; start += block) {
      const rows = sentences
        .slice(start, start + block)
        .flatMap((words, i) => encoder.encode(words, new Int32Array(words.length), start + i));
      for (const batch of batchesOf(rows, { batchSize: encoder.feeder.fixedRows ?? 16, batchTokens: 2048 })) {
        const { feeds, mask } = encoder.feeder.feed(batch as TrainingRow[]);
        const data = (await session.run(feeds, [output]))[output]?.data as Float32Array;
        const length = mask.shape[1] as number;
        batch.forEach(({ sentence, positions, firstOwned }, r) => {
          const target = targets[sentence] as Float32Array;
          positions.forEach((position, word) => {
            const at = (r * length + position) * count;
            let total = 0;
            let highest = Number.NEGATIVE_INFINITY;
            for (let i = 0; i < count; i++) highest = Math.max(highest, data[at + i] as number);
            for (let i = 0; i < count; i++) {
              exponents[i] = Math.exp(((data[at + i] as number) - highest) / temperature);
              total += exponents[i] as number;
            }
            for (let i = 0; i < count; i++) {
              const into = (firstOwned + word) * count + (place[i] as number);
              target[into] = (target[into] as number) + (exponents[i] as number) / total;
            }
          });
        });
      }
      onProgress?.(Math.min(start + block, sentences.length));
    }
  } finally {
    await session.close();
  }
}
