import type { OptionValue } from "@nasty/compression/pipeline";
import { isHfDirectory } from "@nasty/formats/hf/node";
import { exportTagger } from "@nasty/taggers/node";
import { distillOperation, exportOperation, fineTuneOperation } from "@nasty/workflow/operations";
import { commandOf } from "../arguments/command-of.js";
import type { distillModel } from "../commands/distill.js";
import type { exportModels } from "../commands/export.js";
import type { fineTuneModel } from "../commands/fine-tune.js";
import { UsageError } from "@nasty/workflow/errors";
import { qatSettings } from "@nasty/workflow/training/qat-settings";
import { commandStep, stemOf, type WiredText } from "./command-step.js";
import type { StepKind } from "./step-kind.js";

const loadFineTune = async () => (await import("../commands/fine-tune.js")).fineTuneModel;
const loadDistill = async () => (await import("../commands/distill.js")).distillModel;
const loadExport = async () => (await import("../commands/export.js")).exportModels;

/** Students that are written as model files. */
const networks: readonly string[] = ["cnn", "bilstm"];

const trainingText: WiredText = {
  option: "train",
  name: "train",
  isRequired: true,
  purpose: "labelled text to learn from",
};

const validationText: WiredText = {
  option: "validation",
  name: "validation",
  isRequired: false,
  purpose: "the best epoch is chosen by it",
};

/** `fine-tune`: a transformer goes on learning, with its own labels; a model file is exported first. */
export const fineTuneStep = commandStep<Parameters<typeof fineTuneModel>[0]>({
  name: "fine-tune",
  command: () => commandOf(fineTuneOperation, loadFineTune),
  load: loadFineTune,
  modelOption: "model",
  texts: () => [trainingText, validationText],
  async prepareModel(path, scratch) {
    if (await isHfDirectory(path)) return path;
    await exportTagger([path], scratch);
    return scratch;
  },
  outputNameOf: (options, input) => `${stemOf(input)}_${options["qat"] === true ? "qat" : "tuned"}`,
  // A model that was trained to be quantized goes on as such.
  modelOf: (result) => (result as { readonly qat?: { readonly path?: string } } | null)?.qat?.path,
  check: async (options) => qatSettings("fine-tune", options),
});

const distillation = commandStep<Parameters<typeof distillModel>[0]>({
  name: "distill",
  command: () => commandOf(distillOperation, loadDistill),
  load: loadDistill,
  modelOption: "teacher",
  choices: { student: networks },
  texts: ({ student }) => [
    trainingText,
    { ...validationText, isRequired: student !== undefined },
    { option: "unlabelled", name: "unlabelled", isRequired: false, purpose: "the teacher labels it" },
  ],
  // Networks are model files, transformers folders with their tokenizer.
  outputNameOf: ({ student, ...options }, input, { tagger }) =>
    `${stemOf(input)}_${studentName(student, options["student-size"])}${
      student !== undefined || tagger !== "transformer" ? ".onnx" : ""
    }`,
});

/** `distill`: the model so far teaches a smaller one, of its own kind or a `cnn` or `bilstm`. */
export const distillStep: StepKind = {
  ...distillation,
  async check(step, context) {
    await distillation.check(step, context);
    const { tagger, texts } = context;
    const isNetwork = tagger !== undefined && tagger !== "transformer";
    if (isNetwork && !("validation" in step.options) && texts.validation === undefined) {
      throw new UsageError(
        `data: expected validation in the data section (${validationText.purpose}), got none`,
      );
    }
  },
  taggerOf: ({ student }) => (student === undefined ? undefined : "neural"),
};

/** `student50`, `cnn`, `cnn50`. */
function studentName(student: OptionValue | undefined, size: OptionValue | undefined): string {
  const share = size === undefined ? "" : String(Number((Number(size) * 100).toFixed(2)));
  return student === undefined ? `student${share || "50"}` : `${String(student)}${share}`;
}

/** `export`: the model so far as a Hugging Face directory; the next step works on the file. */
export const exportStep = commandStep<Parameters<typeof exportModels>[0]>({
  name: "export",
  command: () => commandOf(exportOperation, loadExport),
  load: loadExport,
  modelOption: "model",
  makesModel: false,
  outputNameOf: (_, input) => `${stemOf(input)}_export`,
});
