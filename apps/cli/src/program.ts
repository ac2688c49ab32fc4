import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { distillCommand, fineTuneCommand } from "./arguments/classifier-command.js";
import {
  command,
  examples,
  modelHelp,
  modelOption,
  repeatable,
  run,
  testHelp,
  textCommand,
} from "./arguments/command.js";
import { compressCommand } from "./arguments/compress-command.js";
import { exportCommand } from "./arguments/export-command.js";
import { completionCommand, helpCommand } from "./arguments/help-commands.js";
import { importCommand } from "./arguments/import-command.js";
import {
  engineOption,
  exactBatchesOption,
  schemeOption,
  taskOption,
  withLabelOptions,
  positiveInteger,
  positiveNumber,
  trainedCosineOption,
} from "./arguments/option-values.js";
import { pipelineCommand } from "./arguments/pipeline-command.js";
import { pruneCommand } from "./arguments/prune-command.js";
import { quantizeCommand } from "./arguments/quantize-command.js";
import { withQat } from "./quantization-aware/qat-arguments.js";

/** The whole command line: every command with its options, help and the module that carries it out. */
export function buildProgram(): Command {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return command("nasty", "Make neural taggers small and fast on plain CPUs.")
    .version(version, "-V, --version", "show the version")
    .addHelpText(
      "after",
      "\nRun nasty COMMAND --help, or nasty help COMMAND, for a command's options and examples." +
        "\nExit codes: 0 done, 1 a bug, 2 wrong usage, 3 unusable input, 4 accuracy gate failed.",
    )
    .addCommand(demoCommand())
    .addCommand(quantizeCommand())
    .addCommand(evalCommand())
    .addCommand(scoreCommand())
    .addCommand(benchmarkCommand())
    .addCommand(tagCommand())
    .addCommand(trainCommand())
    .addCommand(fineTuneCommand())
    .addCommand(distillCommand())
    .addCommand(pruneCommand())
    .addCommand(compressCommand())
    .addCommand(pipelineCommand())
    .addCommand(exportCommand())
    .addCommand(importCommand())
    .addCommand(inspectCommand())
    .addCommand(completionCommand())
    .addCommand(helpCommand());
}

function demoCommand(): Command {
  return textCommand(
    "demo",
    "run the main job: quantize a model, compare size, speed and accuracy, tag a sentence",
  )
    .argument("[model]", `${modelHelp} (default: the embedded English model)`)
    .option("--test <file>", `${testHelp} (default: the embedded English sample)`)
    .addHelpText(
      "after",
      examples(
        ["nasty demo", "the main job on the embedded model and text"],
        ["nasty demo models/pos", "the same on a model of yours"],
      ),
    )
    .action(run(async () => (await import("./commands/demo.js")).demo));
}

function evalCommand(): Command {
  return withLabelOptions(
    textCommand("eval", "measure a model on labelled text")
      .requiredOption(modelOption, modelHelp)
      .requiredOption("--test <file>", testHelp),
  )
    .addOption(exactBatchesOption())
    .addHelpText(
      "after",
      examples(
        ["nasty eval --model pos_int8.onnx --test test.conllu", "accuracy, with a row a label"],
        ["nasty eval --model models/ner --test test.iob2 --json", "entity F1, for a script"],
      ),
    )
    .action(run(async () => (await import("./commands/eval.js")).evalModel));
}

function scoreCommand(): Command {
  return textCommand("score", "compare two labelled files")
    .requiredOption("--gold <file>", "the right labels")
    .requiredOption("--system <file>", "the labels to judge")
    .addOption(taskOption("seen from the gold file"))
    .addOption(schemeOption("seen from each file"))
    .addHelpText(
      "after",
      examples([
        "nasty score --gold test.iob2 --system predicted.iob2",
        "entity figures as conlleval has them",
      ]),
    )
    .action(run(async () => (await import("./commands/score.js")).scoreFiles));
}

function benchmarkCommand(): Command {
  return textCommand("benchmark", "measure speed and memory, several models in turn")
    .requiredOption(modelOption, modelHelp)
    .addOption(repeatable("--compare <path>", "another model to measure in the same run (repeatable)"))
    .addOption(
      new Option("--environment <name>", "production: full warm-up and rounds; development: a quick look")
        .choices(["production", "development"])
        .default("production"),
    )
    .addOption(
      new Option("--samples <n>", "sentences in the sample").default(1000).argParser(positiveInteger),
    )
    .addOption(new Option("--batch-size <n>", "sentences in a batch").default(1).argParser(positiveInteger))
    .addOption(taskOption())
    .addOption(schemeOption())
    .option(
      "--data <file>",
      "text to tag: .conllu, columns or .txt (default: the sample text of @nasty/model-en)",
    )
    .addHelpText(
      "after",
      examples(
        ["nasty benchmark --model models/pos --compare pos_int8.onnx", "two models, interleaved"],
        ["nasty benchmark --model pos_int8.onnx --environment development", "a quick look"],
      ),
    )
    .action(run(async () => (await import("./commands/benchmark.js")).benchmark));
}

function tagCommand(): Command {
  return textCommand("tag", "tag text: raw, or words that are given")
    .option(modelOption, `${modelHelp} (default: the embedded English model)`)
    .addOption(taskOption("seen from the model's labels; without --model pos, and ner for entities"))
    .addOption(schemeOption("seen from the model's labels"))
    .argument("[file]", "text to tag, or CoNLL-U or columns to label anew; - or nothing reads standard input")
    .addOption(
      new Option(
        "--format <format>",
        "form of the result (default: text; for CoNLL-U and columns their own, with one column replaced)",
      ).choices(["text", "conllu", "json"]),
    )
    .option("--one-per-line", "each line is one sentence (otherwise an empty line or a stop ends one)")
    .addOption(exactBatchesOption())
    .addHelpText(
      "after",
      examples(
        ['echo "Time flies." | nasty tag', "word/LABEL, a line a sentence"],
        ['echo "Ada lived in London." | nasty tag --task ner', "entities instead of parts of speech"],
        ["nasty tag --model pos_int8.onnx --format conllu text.txt", "CoNLL-U with offsets kept"],
        ["nasty tag --model ner.onnx test.conllu", "the same file with other entity labels"],
      ),
    )
    .action(run(async () => (await import("./commands/tag.js")).tagText));
}

function trainCommand(): Command {
  return withQat(
    textCommand("train", "train a tagger from random weights on your own labelled text")
      .addOption(
        new Option("--task <task>", "parts of speech or named entities")
          .choices(["pos", "ner"])
          .makeOptionMandatory(),
      )
      .requiredOption("--train <file>", "labelled text to learn from: .conllu, or columns")
      .requiredOption("--validation <file>", "labelled text that chooses the best epoch")
      .requiredOption("--output <file>", "the model file to write")
      .addOption(
        new Option("--architecture <name>", "bilstm: most accurate; cnn: fastest; transformer: subwords")
          .choices(["bilstm", "cnn", "transformer"])
          .default("bilstm"),
      )
      .addOption(
        new Option("--epochs <n>", "passes over the training text (default: 18; transformer: 20)").argParser(
          positiveInteger,
        ),
      )
      .addOption(
        new Option("--batch-size <n>", "sentences in a step (default: 32; transformer: 16)").argParser(
          positiveInteger,
        ),
      )
      .addOption(
        new Option("--learning-rate <x>", "at its highest (default: 0.003; transformer: 0.0007)").argParser(
          positiveNumber,
        ),
      )
      .addOption(
        new Option("--patience <n>", "stop after this many epochs without a better one").argParser(
          positiveInteger,
        ),
      )
      .addOption(schemeOption("seen from the text; iob2 is learned"))
      .addOption(trainedCosineOption())
      .addOption(engineOption()),
  )
    .addHelpText(
      "after",
      examples(
        [
          "nasty train --task pos --train train.conllu --validation dev.conllu --output pos.onnx",
          "an interrupted run goes on from pos.onnx.checkpoint",
        ],
        [
          "nasty train --task ner --architecture cnn --train a.iob2 --validation b.iob2 --output ner.onnx",
          "entities from columns of words and labels",
        ],
      ),
    )
    .action(run(async () => (await import("./commands/train.js")).train));
}

function inspectCommand(): Command {
  return command("inspect", "say what a model file holds")
    .requiredOption(modelOption, modelHelp)
    .option("--devices", "try the devices of this machine, and say which precision to ship to it")
    .addHelpText(
      "after",
      examples(["nasty inspect --model pos_int8.onnx", "operators, weights, labels, how it was made"]),
    )
    .action(run(async () => (await import("./commands/inspect.js")).inspect));
}
