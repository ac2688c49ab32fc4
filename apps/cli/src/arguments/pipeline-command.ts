import { type Command, Option } from "commander";
import { examples, run, textCommand } from "./command.js";
import { schemeOption, taskOption } from "./option-values.js";

/** `nasty pipeline`. */
export function pipelineCommand(): Command {
  return textCommand("pipeline", "run a recipe: prune, distill, quantize, compress, …, with one report")
    .argument("<recipe>", "YAML file: model, data, steps")
    .option("--output <dir>", "folder of the outputs (default: pipeline-RECIPE in the current folder)")
    .addOption(
      new Option(
        "--resume",
        "go on with an earlier run, refuse if there is none (default: if there is one)",
      ).conflicts("fresh"),
    )
    .option("--fresh", "do all steps again")
    .addOption(taskOption("the recipe's, else seen from the model's labels"))
    .addOption(schemeOption("the recipe's, else seen from the labels"))
    .option("--report <file.html>", "write the report as a web page")
    .option("--dry-run", "check the recipe and print the plan, run nothing")
    .addHelpText(
      "after",
      examples(
        ["nasty pipeline mobile.yaml", "finished steps whose inputs are unchanged are not done again"],
        ["nasty pipeline mobile.yaml --dry-run", "is the recipe right? what will it write?"],
      ),
    )
    .action(run(async () => (await import("../commands/pipeline.js")).pipeline));
}
