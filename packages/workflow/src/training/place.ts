import { join, resolve } from "node:path";
import { InputError } from "../errors.js";
import { nameBeside } from "../files/output-name.js";
import { checkFolder, checkWritable, isSameFile } from "../files/output-path.js";
import { checkSeparate } from "../files/separate-paths.js";

/** Where a trained model goes, and where its training is kept until it is there. */
export interface TrainingPlace {
  /** A model file, or a Hugging Face directory. */
  readonly kind: "file" | "directory";
  /** Absolute path. */
  readonly output: string;
  /** The same as the user named it, for messages. */
  readonly named: string;
  /** A training that was interrupted goes on from this file; it is removed when the model is there. */
  readonly checkpoint: string;
  /** The same for what comes before: its pretraining on raw text. */
  readonly pretrainingCheckpoint: string;
  /** Where the quantized file of a quantization-aware training goes. */
  readonly quantized: (bits: 8 | 4) => string;
}

/** What is checked before a model file is trained. */
interface FileJob {
  readonly operation: string;
  readonly output: string;
  /** Whether a quantized file is written too. */
  readonly isQuantized: boolean;
  /** Models and texts that are read. */
  readonly read: readonly (string | undefined)[];
}

/**
 * The place of a model file.
 *
 * @throws InputError for a file that could not be written; UsageError for one that is read
 */
export async function filePlace({ operation, output: named, isQuantized, read }: FileJob) {
  const output = resolve(named);
  const quantized = nameBeside(output, "qat");
  await checkWritable("--output", output);
  if (isQuantized) await checkWritable("--output", quantized);
  const outputs = { "--output": named, ...(isQuantized && { "--output with --qat": quantized }) };
  await checkSeparate(operation, outputs, read);
  return {
    kind: "file",
    output,
    named,
    checkpoint: `${output}.checkpoint`,
    pretrainingCheckpoint: `${output}.pretraining.checkpoint`,
    quantized: () => quantized,
  } satisfies TrainingPlace;
}

/**
 * The place of a Hugging Face directory, which is made with the first file in it.
 *
 * @param models that are read
 * @throws InputError for a folder that could not be made, or is that of a model
 */
export async function directoryPlace(named: string, models: readonly string[]) {
  const output = resolve(named);
  for (const model of models) {
    if (await isSameFile(output, model))
      throw new InputError(
        `--output ${named}: expected another folder than the model's, got the same; name a new one`,
      );
  }
  await checkFolder("--output", output);
  return {
    kind: "directory",
    output,
    named,
    checkpoint: join(output, "checkpoint"),
    pretrainingCheckpoint: join(output, "pretraining.checkpoint"),
    quantized: (bits) => join(output, "onnx", `model_${bits === 4 ? "q4" : "quantized"}.onnx`),
  } satisfies TrainingPlace;
}
