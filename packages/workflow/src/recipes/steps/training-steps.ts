import type { OptionValue } from "@nasty/compression/pipeline";
import { isHfDirectory } from "@nasty/formats/hf/node";
import { exportTagger } from "@nasty/taggers/node";
import { UsageError } from "../../errors.js";
import { distillOperation, exportOperation, fineTuneOperation } from "../../operations/index.js";
import { resultDocument } from "../../report/result-document.js";
import { checkAgreement, exportOf } from "../../training/export-trained.js";
import { qatSettings } from "../../training/qat-settings.js";
import { operationStep, stemOf, type WiredText } from "./operation-step.js";
import type { StepKind } from "./step-kind.js";

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
export const fineTuneStep = operationStep({
  name: "fine-tune",
  operation: fineTuneOperation,
  run: async (settings, reporter) => {
    const { runFineTuning } = await import("../../training/fine-tune.js");
    return runFineTuning(settings, reporter);
  },
  judge: (result) => checkAgreement("fine-tune", exportOf(result)),
  document: resultDocument,
  // A model that was trained to be quantized goes on as such.
  modelOf(result) {
    const exported = exportOf(result);
    return exported?.passed === true ? exported.path : result.path;
  },
  modelOption: "model",
  texts: () => [trainingText, validationText],
  async prepareModel(path, scratch) {
    if (await isHfDirectory(path)) return path;
    await exportTagger([path], scratch);
    return scratch;
  },
  outputNameOf: (options, input) => `${stemOf(input)}_${options["qat"] === true ? "qat" : "tuned"}`,
  check: async (options) => qatSettings("fine-tune", options),
});

const distillation = operationStep({
  name: "distill",
  operation: distillOperation,
  run: async (settings, reporter) => {
    const { runDistillation } = await import("../../training/distill.js");
    return runDistillation(settings, reporter);
  },
  document: resultDocument,
  modelOf: ({ path }) => path,
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

/** `export`: the model so far as a Hugging Face directory or a module; the next step works on the file. */
export const exportStep = operationStep({
  name: "export",
  operation: exportOperation,
  run: async (settings, reporter) => {
    const { runExport } = await import("../../exporting/export-model.js");
    return runExport(settings, reporter);
  },
  document: resultDocument,
  modelOf: ({ path }) => path,
  modelOption: "model",
  makesModel: false,
  outputNameOf: ({ target }, input) => `${stemOf(input)}_export${target === "module" ? ".js" : ""}`,
});
