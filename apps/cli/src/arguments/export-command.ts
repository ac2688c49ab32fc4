import type { ModelVariant } from "@nasty/formats/hf";
import { type Command, Option } from "commander";
import { command, examples, modelHelp, repeatable, run } from "./command.js";
import { minCosineOption, schemeOption, taskOption } from "./option-values.js";

// Written out: importing the list would load the readers of the layout with every command.
const dtypes = {
  fp32: true,
  fp16: true,
  q8: true,
  int8: true,
  uint8: true,
  q4: true,
  q4f16: true,
  bnb4: true,
} satisfies Record<ModelVariant, true>;

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
      ).choices(Object.keys(dtypes)),
    )
    .addOption(taskOption())
    .addOption(schemeOption())
    .option("--model-type <type>", "family of the model, such as bert, where the file does not tell")
    .addOption(
      minCosineOption(
        "refuse a file with an output less like its source's (default: 0.999; 0.9 with 8 bits, 0.8 with 4)",
      ),
    )
    .addHelpText(
      "after",
      examples(
        ["nasty export --model pos_int8.onnx --output dist/pos", "tokenizer and labels come from the file"],
        ["nasty export --model models/pos --model pos_int8.onnx --output dist/pos", "float32 and INT8"],
      ),
    )
    .action(run(async () => (await import("../commands/export.js")).exportModels));
}
