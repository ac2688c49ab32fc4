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
  summary: "compress a model file; every command reads the compressed file",
  options: {
    model: model("--model <path>", modelHelp, { required: true }),
    method: one(
      "--method <method>",
      choice("gzip", "brotli"),
      "compression method: gzip is supported everywhere, brotli gives smaller files",
      { fallback: "gzip" },
    ),
    level: one("--level <n>", wholeNumber, "compression level: 0 to 9 for gzip, 0 to 11 for brotli", {
      otherwise: "9",
    }),
    output: one("--output <file>", anyText, "file to write", {
      otherwise: "the model's name with .gz or .br",
    }),
    ...running,
  },
  examples: [["nasty compress --model pos_int8.onnx", "pos_int8.onnx.gz"]],
});

/** Models as a Hugging Face directory, or one as an ES module. */
export const exportOperation = operation({
  name: "export",
  summary: "write a Hugging Face directory that transformers.js loads offline, or an ES module that tags",
  options: {
    models: models("--model <path>", `${modelHelp} (repeatable: all are written into one directory)`, {
      required: true,
    }),
    output: one(
      "--output <path>",
      anyText,
      "directory to write, other files in it are kept; with --target module a file that ends in .js or .mjs",
      { required: true },
    ),
    dtype: one(
      "--dtype <dtype>",
      choice("fp32", "fp16", "q8", "int8", "uint8", "q4", "q4f16", "bnb4"),
      "export only this variant of a directory, or give a file the name of this variant",
      { otherwise: "determined from the weights" },
    ),
    ...labelOptions,
    target: one(
      "--target <target>",
      choice("transformers.js@3", "transformers.js@4", "module"),
      "write only forms that every release of this version runs (3: from 3.1 on); 4-bit tables are rewritten, what cannot be is refused; or module: a tagger as one ES module with model and engine, for any JavaScript engine, its types and a .wasm file beside it",
    ),
    modelType: one("--model-type <type>", anyText, "model family, such as bert, if the file does not say it"),
    minCosine: minCosineOf(
      "refuse a written file whose outputs have a lower cosine similarity to its source's",
      "0.999; 0.9 with 8 bits, 0.8 with 4",
    ),
    ...running,
  },
  examples: [
    ["nasty export --model pos_int8.onnx --output dist/pos", "tokenizer and labels come from the file"],
    ["nasty export --model models/pos --model pos_int8.onnx --output dist/pos", "float32 and INT8"],
    [
      "nasty export --model pos_int4.onnx --target transformers.js@3 --output dist/pos",
      "4 bits as older runtimes read them",
    ],
    [
      "nasty export --model pos_int8.onnx --target module --output dist/pos.js",
      "a module with tag(text), for Node, Bun, Deno, browsers and workers",
    ],
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
    task: one(
      "--task <task>",
      task,
      "kind of labels; with --words and --labels the written file is a tagger",
    ),
    scheme: schemeOf("recognized from the labels"),
    words: one(
      "--words <file.json>",
      anyText,
      "vocabulary: an object from word to id, or a list of words in the order of their ids",
    ),
    labels: one("--labels <file.json>", anyText, "labels, in the same form"),
    unknownId: one("--unknown-id <id>", wholeNumber, "id of words that are not in the vocabulary", {
      otherwise: "that of <UNK>, <OOV>",
    }),
    paddingId: one("--padding-id <id>", wholeNumber, "id that pads rows", {
      otherwise: "that of <PAD>, or 0",
    }),
    paddingSide: one(
      "--padding-side <side>",
      choice("left", "right"),
      "side on which rows are padded, for models that read the padding",
    ),
    lowercase: flag("--lowercase", "look words up in lower case"),
    maxLength: one(
      "--max-length <n>",
      positiveInteger,
      "largest number of words in a row; longer sentences are split into windows",
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
  summary: "show what a model file contains",
  options: {
    model: model("--model <path>", modelHelp, { required: true }),
    devices: flag("--devices", "try the devices of this machine, and recommend a precision for it"),
    ...running,
  },
  examples: [["nasty inspect --model pos_int8.onnx", "operators, weights, labels and history"]],
});

/** A recipe's steps one after the other. */
export const pipelineOperation = operation({
  name: "pipeline",
  summary: "run a recipe: prune, distill, quantize, compress, …, with one report",
  operand: { name: "<recipe>", help: "YAML file: model, data, steps" },
  plans: "check the recipe and print the plan, without running it",
  options: {
    output: one("--output <dir>", anyText, "folder for the outputs", {
      otherwise: "pipeline-RECIPE in the current folder",
    }),
    resume: flag("--resume", "continue an earlier run; it is an error if there is none", {
      otherwise: "continue if there is one",
      conflicts: ["fresh"],
    }),
    fresh: flag("--fresh", "run all steps again"),
    task: one("--task <task>", task, "kind of labels: parts of speech or named entities", {
      otherwise: "the recipe's, else recognized from the model's labels",
    }),
    scheme: schemeOf("the recipe's, else recognized from the labels"),
    report: reportPage,
    inputFormat,
    ...running,
  },
  examples: [
    ["nasty pipeline mobile.yaml", "finished steps whose inputs are unchanged are not run again"],
    ["nasty pipeline mobile.yaml --dry-run", "checks the recipe and shows what it will write"],
  ],
});
