import { type Command, Option } from "commander";
import { command, examples, modelHelp, modelOption, run } from "./command.js";
import { wholeNumber } from "./option-values.js";

/** `nasty compress`. */
export function compressCommand(): Command {
  return command("compress", "compress a model file; every command reads it as it is")
    .requiredOption(modelOption, modelHelp)
    .addOption(
      new Option("--method <method>", "how: gzip is read everywhere, brotli is smaller")
        .choices(["gzip", "brotli"])
        .default("gzip"),
    )
    .addOption(new Option("--level <n>", "gzip 0 to 9, brotli 0 to 11 (default: 9)").argParser(wholeNumber))
    .option("--output <file>", "the compressed file (default: the model's name with .gz or .br)")
    .addHelpText("after", examples(["nasty compress --model pos_int8.onnx", "pos_int8.onnx.gz"]))
    .action(run(async () => (await import("../commands/compress.js")).compress));
}
