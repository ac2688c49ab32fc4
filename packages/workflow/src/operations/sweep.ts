import * as v from "valibot";
import { flag, one } from "../schema/option.js";
import { operation } from "../schema/operation.js";
import { anyText, choice, positiveInteger, share, type Value } from "../schema/values.js";
import { parseSelection, SelectionError } from "../sweep/selection.js";
import { inputFormat, reportPage, running, schemeOf, task } from "./shared-options.js";

/** Which models are wanted, as it is written. */
const selection: Value<string> = {
  schema: v.pipe(
    v.string("Expected a text."),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      try {
        parseSelection(dataset.value);
      } catch (error) {
        if (!(error instanceof SelectionError)) throw error;
        addIssue({ message: error.message });
      }
    }),
  ),
  parse: (text) => text,
};

/** Many recipes on one model. */
export const sweepOperation = operation({
  name: "sweep",
  summary: "try many recipes on a model, and keep those that are worth their size",
  operand: { name: "<sweep>", help: "YAML file: model, data, sweep" },
  plans: "check the file and list the recipes, without trying them",
  options: {
    output: one("--output <dir>", anyText, "folder for the files; a run that ended early is gone on with", {
      otherwise: "sweep-NAME in the current folder",
    }),
    select: one(
      "--select <condition>",
      selection,
      'which files are wanted: comparisons of loss, size and speed, such as "loss <= 0.001 and size < 4MB" (exit code 4 if there are none)',
    ),
    prefer: one(
      "--prefer <which>",
      choice("smallest", "fastest"),
      "with --select: which of several files that are wanted is chosen",
      { fallback: "smallest" },
    ),
    selected: one("--selected <file>", anyText, "with --select: file to write the chosen model to", {
      otherwise: "in the output folder, named by model and mode",
    }),
    maxLoss: one(
      "--max-loss <loss>",
      share,
      "recipes that surely lose more end at once, however small (0.01 = 1 point)",
      { fallback: 0.1 },
    ),
    rungs: one(
      "--rungs <n>",
      positiveInteger,
      "steps in which the validation text doubles while recipes end; 1 tries all on all of it",
      { otherwise: "4; fewer for a text of less than 400 sentences" },
    ),
    workers: one("--workers <n>", positiveInteger, "recipes that are tried at once, each in a process", {
      otherwise: "as many as cores",
    }),
    resume: flag("--resume", "continue an earlier run; it is an error if there is none", {
      otherwise: "continue if there is one",
      conflicts: ["fresh"],
    }),
    fresh: flag("--fresh", "try all recipes again"),
    task: one("--task <task>", task, "kind of labels: parts of speech or named entities", {
      otherwise: "the file's, else recognized from the model's labels",
    }),
    scheme: schemeOf("the file's, else recognized from the labels"),
    report: reportPage,
    inputFormat,
    ...running,
  },
  examples: [
    ["nasty sweep sizes.yaml", "the files that are worth their size, in sweep-sizes/"],
    [
      'nasty sweep sizes.yaml --select "loss <= 0.001" --selected pos_small.onnx',
      "the smallest file that loses at most a tenth of a point",
    ],
    [
      'nasty sweep sizes.yaml --select "loss <= 0.002 and size < 6MB" --prefer fastest',
      "the fastest of those that are small enough",
    ],
  ],
});
