import { flag, model, models, one } from "../schema/option.js";
import { operation } from "../schema/operation.js";
import { anyText, choice, positiveInteger, wholeNumber } from "../schema/values.js";
import {
  inputFormat,
  labelOptions,
  minCosineOf,
  modelHelp,
  reportPage,
  running,
  schemeOf,
  task,
} from "./shared-options.js";

/** A model file as gzip or brotli. */
export const compressOperation = operation({
  name: "compress",
  summary: "compress a model file; every command reads it as it is",
  options: {
    model: model("--model <path>", modelHelp, { required: true }),
    method: one(
      "--method <method>",
      choice("gzip", "brotli"),
      "how: gzip is read everywhere, brotli is smaller",
      { fallback: "gzip" },
    ),
    level: one("--level <n>", wholeNumber, "gzip 0 to 9, brotli 0 to 11", { otherwise: "9" }),
    output: one("--output <file>", anyText, "the compressed file", {
      otherwise: "the model's name with .gz or .br",
    }),
    ...running,
  },
  examples: [["nasty compress --model pos_int8.onnx", "pos_int8.onnx.gz"]],
});

/** Models as a Hugging Face directory. */
export const exportOperation = operation({
  name: "export",
  summary: "write a Hugging Face directory that transformers.js loads offline",
  options: {
    models: models("--model <path>", `${modelHelp} (repeatable: merged into one)`, { required: true }),
    output: one("--output <dir>", anyText, "the directory to write; other files in it stay", {
      required: true,
    }),
    dtype: one(
      "--dtype <dtype>",
      choice("fp32", "fp16", "q8", "int8", "uint8", "q4", "q4f16", "bnb4"),
      "one variant of a directory, or the name of a file",
      { otherwise: "by its weights" },
    ),
    ...labelOptions,
    modelType: one(
      "--model-type <type>",
      anyText,
      "family of the model, such as bert, where the file does not tell",
    ),
    minCosine: minCosineOf(
      "refuse a file with an output less like its source's",
      "0.999; 0.9 with 8 bits, 0.8 with 4",
    ),
    ...running,
  },
  examples: [
    ["nasty export --model pos_int8.onnx --output dist/pos", "tokenizer and labels come from the file"],
    ["nasty export --model models/pos --model pos_int8.onnx --output dist/pos", "float32 and INT8"],
  ],
});

/** A model of another framework as a model file. */
export const importOperation = operation({
  name: "import",
  summary: "turn a model of another framework into a model file",
  operand: { name: "<dir>", help: "folder of a TensorFlow.js LayersModel: model.json and its weight shards" },
  options: {
    from: one("--from <framework>", choice("tfjs"), "where the model comes from", { required: true }),
    output: one("--output <file>", anyText, "the model file to write", { required: true }),
    task: one("--task <task>", task, "what it labels: with --words and --labels the file is a tagger"),
    scheme: schemeOf("seen from the labels"),
    words: one(
      "--words <file.json>",
      anyText,
      "its words: an object from word to id, or a list whose places are the ids",
    ),
    labels: one("--labels <file.json>", anyText, "its labels, in the same form"),
    unknownId: one("--unknown-id <id>", wholeNumber, "id of words that are not in the list", {
      otherwise: "that of <UNK>, <OOV>",
    }),
    paddingId: one("--padding-id <id>", wholeNumber, "id that fills rows", {
      otherwise: "that of <PAD>, or 0",
    }),
    paddingSide: one(
      "--padding-side <side>",
      choice("left", "right"),
      "where rows are filled, for models that read what fills them",
    ),
    lowercase: flag("--lowercase", "look words up in lower case"),
    maxLength: one(
      "--max-length <n>",
      positiveInteger,
      "most words in a row; longer sentences go through windows",
    ),
    ...running,
  },
  examples: [
    ["nasty import --from tfjs DIR --output model.onnx", "the network alone, for any ONNX runtime"],
    [
      "nasty import --from tfjs DIR --task pos --words words.json --labels labels.json --output pos.onnx",
      "a tagger that every command takes",
    ],
  ],
});

/** What a model file holds. */
export const inspectOperation = operation({
  name: "inspect",
  summary: "say what a model file holds",
  options: {
    model: model("--model <path>", modelHelp, { required: true }),
    devices: flag("--devices", "try the devices of this machine, and say which precision to ship to it"),
    ...running,
  },
  examples: [["nasty inspect --model pos_int8.onnx", "operators, weights, labels, how it was made"]],
});

/** A recipe's steps one after the other. */
export const pipelineOperation = operation({
  name: "pipeline",
  summary: "run a recipe: prune, distill, quantize, compress, …, with one report",
  operand: { name: "<recipe>", help: "YAML file: model, data, steps" },
  plans: "check the recipe and print the plan, run nothing",
  options: {
    output: one("--output <dir>", anyText, "folder of the outputs", {
      otherwise: "pipeline-RECIPE in the current folder",
    }),
    resume: flag("--resume", "go on with an earlier run, refuse if there is none", {
      otherwise: "if there is one",
      conflicts: ["fresh"],
    }),
    fresh: flag("--fresh", "do all steps again"),
    task: one("--task <task>", task, "what is labelled", {
      otherwise: "the recipe's, else seen from the model's labels",
    }),
    scheme: schemeOf("the recipe's, else seen from the labels"),
    report: reportPage,
    inputFormat,
    ...running,
  },
  examples: [
    ["nasty pipeline mobile.yaml", "finished steps whose inputs are unchanged are not done again"],
    ["nasty pipeline mobile.yaml --dry-run", "is the recipe right? what will it write?"],
  ],
});
