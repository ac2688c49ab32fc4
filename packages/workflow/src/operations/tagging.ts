import type { Aggregation } from "@nasty/taggers";
import { flag, model, models, one, text } from "../schema/option.js";
import { operation } from "../schema/operation.js";
import { anyText, choice, part, positiveInteger } from "../schema/values.js";
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

const labelling = {
  model: model("--model <path>", modelHelp, { otherwise: "the embedded English model" }),
  task: one("--task <task>", task, "kind of labels: parts of speech or named entities", {
    otherwise: "recognized from the model's labels; without --model pos, and ner for entities",
  }),
  scheme: schemeOf("recognized from the model's labels"),
};

const reading = {
  onePerLine: flag(
    "--one-per-line",
    "each line is one sentence (otherwise an empty line or a full stop ends one)",
  ),
  exactBatches,
  inputFormat,
};

const shardWords = one("--shard-words <n>", positiveInteger, "words in a shard, about", {
  otherwise: "100000; 10000 for --workers without --output",
});

/** Raw text in, tagged words out. */
export const tagOperation = operation({
  name: "tag",
  summary: "tag raw text, or words that are given",
  operand: {
    name: "[files...]",
    help: "text to tag, or CoNLL-U or columns whose labels are replaced; - or nothing reads standard input; with --output, files, folders and globs",
  },
  options: {
    ...labelling,
    format: one(
      "--format <format>",
      choice("text", "conllu", "json", "jsonl", "columns", "entities"),
      "form of the result",
      { otherwise: "text; for CoNLL-U and columns their own, with one column replaced" },
    ),
    aggregation: one(
      "--aggregation <strategy>",
      choice(...aggregations),
      "with --format entities: how the labels of the subwords of a word are combined",
      { otherwise: "first" },
    ),
    ...reading,
    workers: one(
      "--workers <n>",
      positiveInteger,
      "processes that tag at once, each with a tagger of its own",
      {
        otherwise: "none: this one tags; with --output as many as cores",
      },
    ),
    shardWords,
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

/** Many texts in, shards in a folder out. */
export const tagCorpusOperation = operation({
  name: "tag --output",
  summary: "tag a corpus into a folder of shards, with several processes or on several machines",
  options: {
    output: one(
      "--output <folder>",
      anyText,
      "folder for the result, in shards; a run that ended early is gone on with",
      {
        required: true,
      },
    ),
    ...labelling,
    format: one(
      "--format <format>",
      choice("text", "conllu", "jsonl", "columns", "parquet"),
      "form of the shards",
      { otherwise: "conllu; for CoNLL-U and columns their own, with one column replaced" },
    ),
    compress: one("--compress <method>", choice("gzip", "zstd"), "with --output: compress the shards"),
    ...reading,
    workers: one(
      "--workers <n>",
      positiveInteger,
      "processes that tag at once, each with a tagger of its own",
      {
        otherwise: "as many as cores",
      },
    ),
    shard: one("--shard <i/n>", part, "with --output: do only the i-th of n equal parts, as one of n jobs"),
    shardWords,
    resume: flag("--resume", "with --output: go on with an earlier run, and refuse to begin one"),
    failFast: flag(
      "--fail-fast",
      "with --output: end at the first text that cannot be tagged, rather than list it",
    ),
    ...running,
  },
  examples: [
    ["nasty tag corpus/ --output tagged", "every file of a folder, with a process a core"],
    ['nasty tag "news/*.txt.gz" --output tagged --format parquet', "a table for DuckDB or pandas"],
    ["nasty tag corpus/ --output tagged --shard 2/8", "the second of eight jobs on a shared disk"],
    ["nasty tag --merge --output tagged", "check that all is there, and join the shards of each text"],
  ],
});

const queue = one(
  "--queue <url>",
  anyText,
  "Redis or Valkey whose queue carries the shards: redis://host:6379 or rediss://…, with the password in NASTY_QUEUE_PASSWORD; nasty work takes them",
);

const { workers: _, shard: __, failFast: ___, ...ofQueues } = tagCorpusOperation.options;

/** Many texts in, shards on a queue. */
export const queueCorpusOperation = operation({
  name: "tag --queue",
  summary: "tag a corpus into a folder of shards by the workers of a queue, on any number of machines",
  options: { ...ofQueues, queue: { ...queue, required: true } },
  examples: [
    [
      "nasty tag corpus/ --output /shared/tagged --queue redis://host",
      "follow the workers until all is done",
    ],
  ],
});

/** The other side: shards off a queue. */
export const workOperation = operation({
  name: "work",
  summary: "tag shards that a queue has, put there by tag --queue",
  options: {
    queue: { ...queue, required: true },
    workers: one(
      "--workers <n>",
      positiveInteger,
      "processes that tag at once, each with a tagger of its own",
      { otherwise: "as many as cores" },
    ),
    untilEmpty: flag("--until-empty", "end when the queue has nothing more to do, rather than wait for more"),
    patience: one(
      "--patience <seconds>",
      positiveInteger,
      "so long a worker may be silent until its shard is given to another",
      { fallback: 30 },
    ),
    ...running,
  },
  examples: [
    ["nasty work --queue redis://host", "tag what comes, with a process a core, until SIGTERM"],
    ["nasty work --queue redis://host --until-empty", "as a job of a scheduler: end when all is done"],
  ],
});

/** The command, which does either, and joins shards. */
export const tagCommandOperation = operation({
  ...tagOperation,
  options: {
    ...tagCorpusOperation.options,
    ...tagOperation.options,
    output: one("--output <folder>", anyText, tagCorpusOperation.options.output.help, {
      otherwise: "standard output",
    }),
    format: one(
      "--format <format>",
      choice("text", "conllu", "json", "jsonl", "columns", "entities", "parquet"),
      "form of the result; json and entities are for standard output, parquet for --output",
      {
        otherwise: "text, with --output conllu; for CoNLL-U and columns their own, with one column replaced",
      },
    ),
    queue: { ...queue, conflicts: ["workers", "shard", "failFast", "merge"] },
    merge: flag(
      "--merge",
      "with --output: check the shards of all jobs, say what is missing, and join those of each text",
    ),
  },
  examples: [...tagOperation.examples, ...tagCorpusOperation.examples, ...queueCorpusOperation.examples],
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
