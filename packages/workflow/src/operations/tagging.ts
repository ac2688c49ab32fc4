import type { Aggregation } from "@nasty/taggers";
import { flag, model, models, one, text } from "../schema/option.js";
import { operation } from "../schema/operation.js";
import { choice, positiveInteger } from "../schema/values.js";
import {
  exactBatches,
  inputFormat,
  labelOptions,
  modelHelp,
  reportPage,
  running,
  schemeOf,
  task,
  testHelp,
} from "./shared-options.js";

// The package itself would be loaded for every command's help.
const aggregations = Object.keys({
  none: true,
  simple: true,
  first: true,
  average: true,
  max: true,
} satisfies Record<Aggregation, true>) as Aggregation[];

/** Raw text in, tagged words out. */
export const tagOperation = operation({
  name: "tag",
  summary: "tag raw text, or words that are given",
  operand: {
    name: "[file]",
    help: "text to tag, or CoNLL-U or columns whose labels are replaced; - or nothing reads standard input",
  },
  options: {
    model: model("--model <path>", modelHelp, { otherwise: "the embedded English model" }),
    task: one("--task <task>", task, "kind of labels: parts of speech or named entities", {
      otherwise: "recognized from the model's labels; without --model pos, and ner for entities",
    }),
    scheme: schemeOf("recognized from the model's labels"),
    format: one("--format <format>", choice("text", "conllu", "json", "entities"), "form of the result", {
      otherwise: "text; for CoNLL-U and columns their own, with one column replaced",
    }),
    aggregation: one(
      "--aggregation <strategy>",
      choice(...aggregations),
      "with --format entities: how the labels of the subwords of a word are combined",
      { otherwise: "first" },
    ),
    onePerLine: flag(
      "--one-per-line",
      "each line is one sentence (otherwise an empty line or a full stop ends one)",
    ),
    exactBatches,
    inputFormat,
    ...running,
  },
  examples: [
    ['echo "Time flies." | nasty tag', "word/LABEL, one sentence on each line"],
    ['echo "Ada lived in London." | nasty tag --task ner', "entities instead of parts of speech"],
    ["nasty tag --format entities letter.txt", "people, places, … with offsets and probabilities, as JSON"],
    ["nasty tag --model pos_int8.onnx --format conllu text.txt", "CoNLL-U with offsets kept"],
    ["nasty tag --model ner.onnx test.conllu", "the same file with other entity labels"],
  ],
});

/** Accuracy or F1 on labelled text. */
export const evaluateOperation = operation({
  name: "eval",
  summary: "measure a model on labelled text",
  options: {
    model: model("--model <path>", modelHelp, { required: true }),
    on: text("--test <file>", testHelp, { required: true }),
    ...labelOptions,
    exactBatches,
    inputFormat,
    ...running,
  },
  examples: [
    ["nasty eval --model pos_int8.onnx --test test.conllu", "accuracy, with a row for each label"],
    ["nasty eval --model models/ner --test test.iob2 --json", "entity F1, for a script"],
  ],
});

/** Figures of a labelled file against the right labels. */
export const scoreOperation = operation({
  name: "score",
  summary: "compare two labelled files",
  options: {
    gold: text("--gold <file>", "file with the correct labels", { required: true }),
    system: text("--system <file>", "file with the labels to score", { required: true }),
    task: one("--task <task>", task, "kind of labels: parts of speech or named entities", {
      otherwise: "recognized from the gold file",
    }),
    scheme: schemeOf("recognized from each file"),
    inputFormat,
    ...running,
  },
  examples: [
    [
      "nasty score --gold test.iob2 --system predicted.iob2",
      "entity precision, recall and F1 as conlleval counts them",
    ],
  ],
});

/** Speed and memory of models in turn. */
export const benchmarkOperation = operation({
  name: "benchmark",
  summary: "measure speed and memory of one or several models",
  options: {
    model: model("--model <path>", modelHelp, { required: true }),
    compare: models("--compare <path>", "another model to measure in the same run (repeatable)"),
    environment: one(
      "--environment <name>",
      choice("production", "development"),
      "production: full warm-up and rounds; development: a quick look",
      { fallback: "production" },
    ),
    samples: one("--samples <n>", positiveInteger, "sentences in the sample", { fallback: 1000 }),
    batchSize: one("--batch-size <n>", positiveInteger, "sentences in a batch", { fallback: 1 }),
    ...labelOptions,
    on: text("--data <file>", "text to tag: .conllu, columns or .txt", {
      otherwise: "the sample text of @nasty/model-en",
    }),
    report: reportPage,
    inputFormat,
    ...running,
  },
  examples: [
    ["nasty benchmark --model models/pos --compare pos_int8.onnx", "two models, interleaved"],
    ["nasty benchmark --model pos_int8.onnx --environment development", "a quick look"],
  ],
});
