import { type Command, Option } from "commander";
import {
  command,
  examples,
  modelHelp,
  modelOption,
  repeatable,
  run,
  testHelp,
  textCommand,
} from "./command.js";
import {
  accuracyLevel,
  minCosineOption,
  fileSize,
  percentile,
  positiveInteger,
  schemeOption,
  share,
  taskOption,
  wholeNumber,
} from "./option-values.js";

/** `nasty quantize` with its subcommands `eval` and `estimate`. */
export function quantizeCommand(): Command {
  const made = textCommand("quantize", "write a smaller and faster model");
  // Its subcommands take other models, so the parser cannot ask for this one.
  calibrationOptions(made.option(modelOption, `${modelHelp} (required)`));
  weightOptions(made);
  outputOptions(made);
  return made
    .addHelpText(
      "after",
      examples(
        ["nasty quantize --model models/pos", "dynamic INT8: no calibration text needed"],
        [
          "nasty quantize --model models/pos --calibration dev.conllu:200 --method percentile",
          "static INT8, ranges measured on 200 sentences",
        ],
        [
          "nasty quantize --model pos.onnx --target-accuracy-loss 0.01 --validation dev.conllu",
          "leave weights in float until it loses at most one point, or refuse (exit code 4)",
        ],
        [
          "nasty quantize --model pos.onnx --skip-layers '/classifier/**' --dry-run",
          "the plan with a layer left in float, nothing written",
        ],
      ),
    )
    .action(run(async () => (await import("../commands/quantize.js")).quantize))
    .addCommand(evalCommand())
    .addCommand(estimateCommand());
}

function calibrationOptions(target: Command): void {
  target
    .addOption(
      repeatable(
        "--calibration <file[:n]>",
        "text that shows typical inputs; n sentences of it (repeatable; chooses static mode)",
      ),
    )
    .option("--one-per-line", "each line of plain calibration text is one sentence")
    .option("--calibration-table <file.json>", "ranges saved earlier, instead of calibration text")
    .option("--save-calibration-table <file.json>", "keep the measured ranges for another run")
    .addOption(
      new Option("--mode <mode>", "what to make (default: static with calibration, else dynamic)").choices([
        "static",
        "dynamic",
        "int4",
        "weight-only",
      ]),
    )
    .addOption(
      new Option("--method <method>", "how static ranges are found (default: minmax)").choices([
        "minmax",
        "percentile",
        "entropy",
        "moving-average",
        "mse",
      ]),
    )
    .addOption(
      new Option(
        "--percentile <p>",
        "percentage of values kept by --method percentile (default: 99.99)",
      ).argParser(percentile),
    )
    .addOption(
      new Option(
        "--limit <n>",
        "calibration sentences in all, from files without :n (default: 500)",
      ).argParser(positiveInteger),
    )
    .addOption(
      new Option("--activations <form>", "ranges of static activations (default: asymmetric)").choices([
        "symmetric",
        "asymmetric",
      ]),
    );
}

function weightOptions(target: Command): void {
  target
    .option("--per-channel", "one scale for each output channel of a weight", true)
    .option("--no-per-channel", "one scale for each weight")
    .addOption(new Option("--symmetric", "weights symmetric around zero (default)").conflicts("asymmetric"))
    .option("--asymmetric", "weights with a zero point")
    .addOption(
      new Option(
        "--pairs <which>",
        "int8 weights whose products are exact on every processor (safe), or on those with int8 dot products such as VNNI only (full: 2.5 dB less noise in the weights) (default: safe)",
      ).choices(["safe", "full"]),
    )
    .addOption(
      new Option(
        "--reduce-range",
        "7-bit weights: exact everywhere too, but 6 dB more noise in the weights",
      ).conflicts("pairs"),
    )
    .option(
      "--op-types <list>",
      "operators to quantize, separated by commas: MatMul,Gemm,Gather,LSTM,Conv (default: all but Conv)",
    )
    .addOption(
      repeatable(
        "--skip-layers <pattern>",
        "layers to leave in float: name, glob or /regex/ (repeatable; no match is an error)",
      ),
    )
    .addOption(
      new Option(
        "--block-size <n>",
        "weights that share a scale, 16 to 256 (default: 64; in int4 mode 32 for models under 50 million weights)",
      ).argParser(positiveInteger),
    )
    .addOption(
      new Option(
        "--rounding <how>",
        "how int4 and weight-only round: gptq makes up for errors by calibration text (default with it), nearest (default without), mse clips blocks",
      ).choices(["nearest", "mse", "gptq"]),
    )
    .addOption(
      new Option(
        "--accuracy-level <n>",
        "what int4 and weight-only kernels round activations to: 4 int8 (default), 1 float32",
      ).argParser(accuracyLevel),
    )
    .addOption(
      new Option(
        "--target-size <size>",
        "mix 4, 8 and 32 bits so that the file stays under it (needs --calibration), e.g. 4.5MB",
      ).argParser(fileSize),
    )
    .option(
      "--migrate-outliers",
      "move outlier channels of activations into weights first (needs --calibration)",
    )
    .option("--correct-biases", "make up for the mean error of rounded weights (needs --calibration)");
}

function outputOptions(target: Command): void {
  target
    .addOption(
      new Option(
        "--target-accuracy-loss <loss>",
        "leave sensitive weights in float until no more is lost, or refuse (0.01 = 1 point)",
      ).argParser(share),
    )
    .option("--validation <file>", "labelled text on which that loss is measured")
    .addOption(taskOption())
    .addOption(schemeOption())
    .option("--flips <file.tsv>", "write each word of --validation whose label changed")
    .option(
      "--sensitivity",
      "measure what each weight costs by itself, with --calibration (noise) or --validation (loss)",
    )
    .addOption(
      minCosineOption(
        "refuse a file with an output less like the original's, on its text or on made inputs (default: 0.9; 0.8 with 4 bits)",
      ),
    )
    .option("--no-fallback", "refuse at once, without trying to leave sensitive weights in float")
    .addOption(
      new Option(
        "--time-budget <seconds>",
        "begin no further attempt or measurement after that; the best model is kept, the same command goes on",
      ).argParser(wholeNumber),
    )
    .addOption(new Option("--compress <method>", "also compress the file").choices(["gzip", "brotli"]))
    .option("--report <file.html>", "write the report as a web page")
    .option("--dry-run", "print the plan, write nothing")
    .option("--output <file>", "where to write (default: the model's name with its treatment)");
}

function evalCommand(): Command {
  return textCommand("eval", "compare a model and its quantized form on labelled text")
    .requiredOption("--original <path>", modelHelp)
    .requiredOption("--quantized <path>", modelHelp)
    .requiredOption("--test <file>", testHelp)
    .addOption(taskOption())
    .addOption(schemeOption())
    .option("--flips <file.tsv>", "write each word whose label changed")
    .addHelpText(
      "after",
      examples([
        "nasty quantize eval --original models/pos --quantized pos_int8.onnx --test test.conllu",
        "size, speed, memory and accuracy side by side",
      ]),
    )
    .action(run(async () => (await import("../commands/quantize-eval.js")).quantizeEval));
}

function estimateCommand(): Command {
  return command("estimate", "sizes that quantization would give, from the graph alone")
    .requiredOption(modelOption, modelHelp)
    .addHelpText(
      "after",
      examples(["nasty quantize estimate --model models/pos", "how small would it become?"]),
    )
    .action(run(async () => (await import("../commands/estimate.js")).estimateSizes));
}
