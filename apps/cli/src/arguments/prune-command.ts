import { type Command, InvalidArgumentError, Option } from "commander";
import { examples, modelHelp, modelOption, repeatable, run, textCommand } from "./command.js";
import {
  minCosineOption,
  positiveInteger,
  positiveNumber,
  schemeOption,
  share,
  taskOption,
  wholeNumber,
} from "./option-values.js";

/** `nasty prune`. */
export function pruneCommand(): Command {
  return textCommand("prune", "remove weights, attention heads, neurons, layers or vocabulary rows")
    .requiredOption(modelOption, modelHelp)
    .addOption(new Option("--sparsity <share>", "share to remove, from 0 to below 1").argParser(share))
    .option("--structured", "remove whole attention heads and feed-forward neurons: smaller and faster")
    .addOption(new Option("--heads <share>", "share of the heads (default: --sparsity)").argParser(share))
    .addOption(new Option("--neurons <share>", "share of the neurons (default: --sparsity)").argParser(share))
    .addOption(
      new Option("--scope <scope>", "one ranking for the model, or the same share of every layer")
        .choices(["global", "layer"])
        .default("global"),
    )
    .addOption(
      repeatable("--data <file[:n]>", "labelled text: importance of heads and neurons is measured on it"),
    )
    .addOption(
      new Option(
        "--layers <n|list>",
        "encoder layers to drop: how many from the end, or a list: 1,3,",
      ).argParser(layerNumbers),
    )
    .option("--vocabulary <file>", "keep only the embedding rows that this text and unknown words need")
    .addOption(
      repeatable("--skip-layers <pattern>", "names, globs, /regular expressions/ to leave (repeatable)"),
    )
    .option("--train <file>", "labelled text: trains while pruning, or after it, to recover")
    .addOption(
      new Option(
        "--schedule <schedule>",
        "with --train: elements go step by step or before (default: gradual where shapes stay)",
      ).choices(["gradual", "one-shot"]),
    )
    .addOption(
      new Option("--epochs <n>", "with --train: passes over it (default: 2)").argParser(positiveInteger),
    )
    .addOption(
      new Option("--batch-size <n>", "with --train: sentences of a step (default: 16)").argParser(
        positiveInteger,
      ),
    )
    .addOption(
      new Option(
        "--learning-rate <rate>",
        "with --train: peak of the learning rate (default: 0.0003)",
      ).argParser(positiveNumber),
    )
    .option("--validation <file>", "labelled text that the written file is measured on")
    .addOption(
      new Option(
        "--target-accuracy-loss <loss>",
        "with --validation: largest loss that passes, 0.01 is one point",
      ).argParser(share),
    )
    .addOption(taskOption())
    .addOption(schemeOption())
    .addOption(
      minCosineOption(
        "refuse a file with an output less like the original's without what was pruned (default: 0.9999)",
      ),
    )
    .option("--dry-run", "print the plan, write nothing")
    .option(
      "--output <file>",
      "the pruned model (default: NAME_pruned30.onnx, NAME_pruned30_structured.onnx, …)",
    )
    .addHelpText(
      "after",
      examples(
        ["nasty prune --model pos.onnx --sparsity 0.3", "zeros: smaller once compressed"],
        [
          "nasty prune --model models/pos --sparsity 0.3 --structured --data dev.conllu:300",
          "fewer heads and neurons: smaller and faster",
        ],
        [
          "nasty prune --model models/pos --sparsity 0.3 --structured --train train.conllu --validation dev.conllu",
          "and two epochs of training to recover",
        ],
      ),
    )
    .action(run(async () => (await import("../commands/prune.js")).prune));
}

/** `2`: how many from the end; `1,3` (or `1,`): which. */
function layerNumbers(text: string): number | readonly number[] {
  if (!text.includes(",")) {
    return wholeNumber(text);
  }
  const parts = text.split(",").filter((part) => part.trim() !== "");
  if (parts.length === 0) throw new InvalidArgumentError("Expected numbers of layers, such as 1,3.");
  return parts.map(wholeNumber);
}
