import { TaggerError } from "@nasty/taggers";
import type { BaseModel } from "../fine-tuning/base-model.js";
import { checkBatchSize } from "../fine-tuning/fine-tune.js";
import { architectures } from "../neural/architecture.js";
import {
  type DistilledTagger,
  distillTagger,
  type DistillTaggerOptions,
  studentPreset,
} from "./distill-tagger.js";
import {
  type DistilledTransformer,
  distillTransformer,
  type DistillTransformerOptions,
} from "./distill-transformer.js";
import { checkNumber, prepareLesson } from "./lesson.js";
import type { Teacher } from "./teacher.js";

/**
 * Options by the kind of the student: `student` is an architecture for a neural tagger, anything else for a
 * transformer.
 */
export type DistillOptions = DistillTaggerOptions | DistillTransformerOptions;

/** A student with what {@link writeFineTuned} (`transformer`) or a model file (`neural`) wants. */
export type Distilled = DistilledTagger | DistilledTransformer;

/** One teacher, or several that are averaged; of any kind, mixed as one likes. */
export type Teachers = string | Teacher | readonly (string | Teacher)[];

/**
 * Trains a student on what its teachers think of each word, and on the right labels where there are any.
 *
 * Loss: α·T²·KL(q‖softmax(z/T)) + (1 − α)·cross-entropy, q the mean of the teachers' softmax(z/T), computed once a
 * sentence. A transformer student adds h·MSE(hidden), a neural one the losses of its auxiliary heads. Words are hidden
 * from a neural student as in `trainTagger`, and with `noise` it sees a share of the sentences disturbed; teachers read
 * the whole sentence as it is. Entity students of the neural kind have scores of label sequences, whose loss is the
 * mean of their negative log-likelihood over sequences of the teachers (and 1 − α of that of the right one).
 *
 * @param teacher directories of token classifiers, model files, or results of `fineTune`, `trainTagger`,
 *   `trainTransformer`
 * @returns `kind: "neural"` for a student `cnn`, `bilstm` or preset, `kind: "transformer"` else
 * @throws TaggerError `teacher` for labels that differ (both sets are named) or a teacher of which no student can be
 *   made, `option`, and those of `fineTune` or `trainTagger`.
 * @see G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural Network" (2015), section 2; V. Sanh et
 *   al., "DistilBERT" (2019)
 * @example
 * ```ts
 * const student = await distill("models/pos", { studentSize: 0.5, data: { train, validation }, epochs: 10 });
 * await writeFineTuned("models/pos-small", student);
 * const tiny = await distill(["a.onnx", "b.onnx"], { student: "cnn", data: { train, validation } });
 * await writeModelFile("tiny.onnx", tiny.model);
 * ```
 */
export function distill(teacher: Teachers, options: DistillTaggerOptions): Promise<DistilledTagger>;
export function distill(
  teacher: Teachers,
  options: DistillTransformerOptions & { readonly student?: BaseModel },
): Promise<DistilledTransformer>;
export function distill(teacher: Teachers, options: DistillOptions): Promise<Distilled>;
export async function distill(teacher: Teachers, options: DistillOptions): Promise<Distilled> {
  if (options.batchSize !== undefined) checkBatchSize("distill", options.batchSize);
  if (isTaggerStudent(options)) {
    studentPreset(options);
    const { chain: asked } = options;
    return distillTagger(await prepareLesson(teacher, { ...options, chain: { asked } }), options);
  }
  // Types keep it from programs in TypeScript alone.
  if ("noise" in options && options.noise !== undefined) {
    throw new TaggerError(
      "option",
      'distill: noise: expected a student "cnn", "bilstm" or preset with it, got a transformer',
      { name: "noise" },
    );
  }
  const { hidden = 0 } = options;
  checkNumber("hidden", hidden, hidden >= 0, "a weight of at least 0");
  return distillTransformer(await prepareLesson(teacher, options), options);
}

function isTaggerStudent(options: DistillOptions): options is DistillTaggerOptions {
  const { student } = options;
  if (typeof student === "string") return Object.hasOwn(architectures, student);
  return student !== undefined && "architecture" in student;
}
