import { modelVariants } from "@nasty/formats/hf";
import { type Command, Option } from "commander";
import { command, examples, modelHelp, repeatable, run } from "./command.js";

/** `nasty export`. */
export function exportCommand(): Command {
  return command("export", "write a Hugging Face directory that transformers.js loads offline")
    .addOption(
      repeatable("--model <path>", `${modelHelp} (repeatable: merged into one)`).makeOptionMandatory(),
    )
    .requiredOption("--output <dir>", "the directory to write; other files in it stay")
    .addOption(
      new Option(
        "--dtype <dtype>",
        "one variant of a directory, or the name of a file (default: by its weights)",
      ).choices(modelVariants),
    )
    .option("--model-type <type>", "family of the model, such as bert, where the file does not tell")
    .addHelpText(
      "after",
      examples(
        ["nasty export --model pos_int8.onnx --output dist/pos", "tokenizer and labels come from the file"],
        ["nasty export --model models/pos --model pos_int8.onnx --output dist/pos", "float32 and INT8"],
      ),
    )
    .action(run(async () => (await import("../commands/export.js")).exportModels));
}
