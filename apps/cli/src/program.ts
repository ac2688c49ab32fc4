import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { collect, command, percentile, positiveInteger, share } from "./options.js";
import { type CommonOptions, openTerminal, type Terminal } from "./terminal/console.js";

type Action<O> = (options: O, terminal: Terminal, ...operands: string[]) => Promise<void>;

/** Loads a command's module only when the command runs: `nasty tag` does not pay for the others. */
function run<O extends CommonOptions>(load: () => Promise<Action<O>>) {
  return async (...parsed: unknown[]): Promise<void> => {
    const operands = parsed.slice(0, -2).filter((operand) => typeof operand === "string");
    const options = parsed.at(-2) as O;
    await (await load())(options, openTerminal(options), ...operands);
  };
}

const modelOption = "--model <path>";
const modelHelp = "model file (.onnx, .onnx.gz, .onnx.br) or Hugging Face directory";
const testHelp = "labelled text: .conllu, .iob2/.conll columns, or - for standard input";

export function buildProgram(): Command {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const program = command("nasty", "Make neural taggers small and fast on plain CPUs.").version(version);

  program
    .addCommand(demoCommand())
    .addCommand(quantizeCommand())
    .addCommand(evalCommand())
    .addCommand(scoreCommand())
    .addCommand(benchmarkCommand())
    .addCommand(tagCommand())
    .addCommand(inspectCommand());
  return program;
}

function demoCommand(): Command {
  return command(
    "demo",
    "run the main job: quantize a model, compare size, speed and accuracy, tag a sentence",
  )
    .argument("[model]", modelHelp)
    .option("--test <file>", testHelp)
    .action(run(async () => (await import("./commands/demo.js")).demo));
}

function quantizeCommand(): Command {
  return command("quantize", "write a smaller and faster model")
    .option(modelOption, modelHelp)
    .option(
      "--calibration <file[:n]>",
      "text that shows typical inputs (repeatable; n sentences of it)",
      collect,
      [],
    )
    .option("--calibration-table <file.json>", "ranges saved earlier, instead of calibration text")
    .option("--save-calibration-table <file.json>", "keep the measured ranges for another run")
    .addOption(
      new Option("--mode <mode>", "what to make").choices(["static", "dynamic", "int4", "weight-only"]),
    )
    .addOption(
      new Option("--method <method>", "how ranges are found in static mode")
        .choices(["minmax", "percentile", "entropy", "moving-average", "mse"])
        .default("minmax"),
    )
    .addOption(
      new Option("--percentile <p>", "share of values kept by --method percentile")
        .default(99.99)
        .argParser(percentile),
    )
    .addOption(
      new Option("--limit <n>", "calibration sentences in all").default(500).argParser(positiveInteger),
    )
    .option("--per-channel", "one scale for each output channel of a weight (default)", true)
    .option("--no-per-channel", "one scale for each weight")
    .addOption(new Option("--symmetric", "weights symmetric around zero (default)").conflicts("asymmetric"))
    .option("--asymmetric", "weights with a zero point")
    .addOption(
      new Option("--activations <form>", "ranges of static activations")
        .choices(["symmetric", "asymmetric"])
        .default("asymmetric"),
    )
    .option("--reduce-range", "7-bit weights, for processors that saturate (x86 without VNNI)")
    .option("--op-types <list>", "operators to quantize, separated by commas")
    .option(
      "--skip-layers <pattern>",
      "layers to leave in float: name, glob or /regex/ (repeatable)",
      collect,
      [],
    )
    .addOption(
      new Option(
        "--target-accuracy-loss <loss>",
        "refuse a model that loses more (0.01 = 1 point)",
      ).argParser(share),
    )
    .option("--validation <file>", "labelled text on which the loss is measured")
    .addOption(
      new Option("--block-size <n>", "weights that share a scale in int4 mode")
        .default(32)
        .argParser(positiveInteger),
    )
    .addOption(new Option("--compress <method>", "also compress the file").choices(["gzip", "brotli"]))
    .option("--report <file.html>", "write the report as a web page")
    .option("--dry-run", "print the plan, write nothing")
    .option("--output <file>", "where to write (default: the model's name with its treatment)")
    .action(run(async () => (await import("./commands/quantize.js")).quantize))
    .addCommand(
      command("eval", "compare a model and its quantized form on labelled text")
        .requiredOption("--original <path>", modelHelp)
        .requiredOption("--quantized <path>", modelHelp)
        .requiredOption("--test <file>", testHelp)
        .option("--flips <file>", "write each word whose label changed")
        .action(run(async () => (await import("./commands/quantize-eval.js")).quantizeEval)),
    )
    .addCommand(
      command("estimate", "sizes that quantization would give, from the graph alone")
        .requiredOption(modelOption, modelHelp)
        .action(run(async () => (await import("./commands/estimate.js")).estimateSizes)),
    );
}

function evalCommand(): Command {
  return command("eval", "measure a model on labelled text")
    .requiredOption(modelOption, modelHelp)
    .requiredOption("--test <file>", testHelp)
    .action(run(async () => (await import("./commands/eval.js")).evalModel));
}

function scoreCommand(): Command {
  return command("score", "compare two labelled files")
    .requiredOption("--gold <file>", "the right labels")
    .requiredOption("--system <file>", "the labels to judge")
    .addOption(
      new Option("--task <task>", "what is labelled (default: seen from the gold file)").choices([
        "pos",
        "ner",
      ]),
    )
    .action(run(async () => (await import("./commands/score.js")).scoreFiles));
}

function benchmarkCommand(): Command {
  return command("benchmark", "measure speed and memory, several models in turn")
    .requiredOption(modelOption, modelHelp)
    .option("--compare <path>", "another model to measure in the same run (repeatable)", collect, [])
    .addOption(
      new Option("--environment <name>", "production: full warm-up and rounds; development: a quick look")
        .choices(["production", "development"])
        .default("production"),
    )
    .addOption(
      new Option("--samples <n>", "sentences in the sample").default(1000).argParser(positiveInteger),
    )
    .addOption(new Option("--batch-size <n>", "sentences in a batch").default(1).argParser(positiveInteger))
    .option(
      "--data <file>",
      "text to tag: .conllu, columns or .txt (default: the sample text of @nasty/model-en)",
    )
    .action(run(async () => (await import("./commands/benchmark.js")).benchmark));
}

function tagCommand(): Command {
  return command("tag", "tag raw text")
    .option(modelOption, modelHelp)
    .argument("[file]", "text to tag; - or nothing reads standard input")
    .addOption(
      new Option("--format <format>", "form of the result")
        .choices(["text", "conllu", "json"])
        .default("text"),
    )
    .action(run(async () => (await import("./commands/tag.js")).tagText));
}

function inspectCommand(): Command {
  return command("inspect", "say what a model file holds")
    .requiredOption(modelOption, modelHelp)
    .action(run(async () => (await import("./commands/inspect.js")).inspect));
}
