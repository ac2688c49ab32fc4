import { readFileSync } from "node:fs";
import {
  benchmarkOperation,
  compareOperation,
  compressOperation,
  distillOperation,
  estimateOperation,
  evaluateOperation,
  exportOperation,
  fineTuneOperation,
  importOperation,
  inspectOperation,
  modelHelp,
  pipelineOperation,
  pruneOperation,
  quantizeOperation,
  scoreOperation,
  sweepOperation,
  tagCommandOperation,
  testHelp,
  trainOperation,
  verifyOperation,
  workOperation,
} from "@nasty/workflow/operations";
import { Command } from "commander";
import { command, examples, run, textCommand } from "./arguments/command.js";
import { commandName, commandOf } from "./arguments/command-of.js";
import { completionCommand, helpCommand } from "./arguments/help-commands.js";

/**
 * The whole command line: every command with its options, help and the module that carries it out.
 *
 * @param words of the command line, where they are known: commands that they do not name have no options then, of which
 *   lists of commands say nothing; all commands together have hundreds
 */
export function buildProgram(words?: readonly string[]): Command {
  const isListed = words !== undefined && !words.includes("completion");
  const of: typeof commandOf = (operation, load) => {
    const name = commandName(operation);
    return isListed && !words.includes(name)
      ? new Command(name).description(operation.summary)
      : commandOf(operation, load);
  };
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
    .addCommand(quantizeCommand(of))
    .addCommand(of(evaluateOperation, async () => (await import("./commands/eval.js")).evalModel))
    .addCommand(of(scoreOperation, async () => (await import("./commands/score.js")).scoreFiles))
    .addCommand(of(benchmarkOperation, async () => (await import("./commands/benchmark.js")).benchmark))
    .addCommand(of(tagCommandOperation, async () => (await import("./commands/tag.js")).tagText))
    .addCommand(of(workOperation, async () => (await import("./commands/work.js")).work))
    .addCommand(of(trainOperation, async () => (await import("./commands/train.js")).train))
    .addCommand(of(fineTuneOperation, async () => (await import("./commands/fine-tune.js")).fineTuneModel))
    .addCommand(of(distillOperation, async () => (await import("./commands/distill.js")).distillModel))
    .addCommand(of(pruneOperation, async () => (await import("./commands/prune.js")).prune))
    .addCommand(of(compressOperation, async () => (await import("./commands/compress.js")).compress))
    .addCommand(of(pipelineOperation, async () => (await import("./commands/pipeline.js")).pipeline))
    .addCommand(of(sweepOperation, async () => (await import("./commands/sweep.js")).sweep))
    .addCommand(of(exportOperation, async () => (await import("./commands/export.js")).exportModels))
    .addCommand(of(importOperation, async () => (await import("./commands/import.js")).importModel))
    .addCommand(of(verifyOperation, async () => (await import("./commands/verify.js")).verifyFile))
    .addCommand(of(inspectOperation, async () => (await import("./commands/inspect.js")).inspect))
    .addCommand(completionCommand())
    .addCommand(helpCommand());
}

/** `nasty quantize` with its subcommands `eval` and `estimate`. */
function quantizeCommand(of: typeof commandOf): Command {
  const made = of(quantizeOperation, async () => (await import("./commands/quantize.js")).quantize);
  // The subcommands take other models, so the parser cannot ask for this one; the operation does.
  for (const option of made.options) {
    if (option.long === "--model") option.makeOptionMandatory(false).description += " (required)";
  }
  return made
    .addCommand(of(compareOperation, async () => (await import("./commands/quantize-eval.js")).quantizeEval))
    .addCommand(of(estimateOperation, async () => (await import("./commands/estimate.js")).estimateSizes));
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
