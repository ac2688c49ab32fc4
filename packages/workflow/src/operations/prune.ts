import * as v from "valibot";
import { flag, group, list, model, one, text, texts } from "../schema/option.js";
import { operation } from "../schema/operation.js";
import { anyText, choice, positiveInteger, positiveNumber, share, type Value } from "../schema/values.js";
import { inputFormat, labelOptions, minCosineOf, modelHelp, running } from "./shared-options.js";

const layerMessage = "Expected how many layers, or numbers of layers such as 1,3.";
const layerNumber = v.pipe(v.number(layerMessage), v.safeInteger(layerMessage), v.minValue(0, layerMessage));

/** `2`: how many from the end; `1,3` (or `1,`): which. */
const layers: Value<number | readonly number[]> = {
  schema: v.union([layerNumber, v.pipe(v.array(layerNumber), v.minLength(1, layerMessage))], layerMessage),
  parse: (written) => {
    if (!written.includes(",")) return written.trim() === "" ? written : Number(written);
    return written
      .split(",")
      .filter((part) => part.trim() !== "")
      .map(Number);
  },
};

/** Weights, attention heads, neurons, layers or vocabulary rows removed. */
export const pruneOperation = operation({
  name: "prune",
  summary: "remove weights, attention heads, neurons, layers or vocabulary rows",
  plans: "print the plan, write nothing",
  options: {
    model: model("--model <path>", modelHelp, { required: true }),
    sparsity: one("--sparsity <share>", share, "share to remove, from 0 to below 1"),
    structured: flag(
      "--structured",
      "remove whole attention heads and feed-forward neurons: smaller and faster",
    ),
    heads: one("--heads <share>", share, "share of the heads", { otherwise: "--sparsity" }),
    neurons: one("--neurons <share>", share, "share of the neurons", { otherwise: "--sparsity" }),
    scope: one(
      "--scope <scope>",
      choice("global", "layer"),
      "one ranking for the model, or the same share of every layer",
      { fallback: "global" },
    ),
    on: texts("--data <file[:n]>", "labelled text: importance of heads and neurons is measured on it"),
    layers: one(
      "--layers <n|list>",
      layers,
      "encoder layers to drop: how many from the end, or a list: 1,3,",
    ),
    vocabulary: text(
      "--vocabulary <file>",
      "keep only the embedding rows that this text and unknown words need",
    ),
    skipLayers: list(
      "--skip-layers <pattern>",
      anyText,
      "names, globs, /regular expressions/ to leave (repeatable)",
    ),
    recover: group("training while pruning, or after it", {
      on: text("--train <file>", "labelled text: trains while pruning, or after it, to recover"),
      schedule: one(
        "--schedule <schedule>",
        choice("gradual", "one-shot"),
        "with --train: elements go step by step or before",
        { otherwise: "gradual where shapes stay" },
      ),
      epochs: one("--epochs <n>", positiveInteger, "with --train: passes over it", { otherwise: "2" }),
      batchSize: one("--batch-size <n>", positiveInteger, "with --train: sentences of a step", {
        otherwise: "16",
      }),
      learningRate: one("--learning-rate <rate>", positiveNumber, "with --train: peak of the learning rate", {
        otherwise: "0.0003",
      }),
    }),
    gate: group("what the written file may lose on labelled text", {
      on: text("--validation <file>", "labelled text that the written file is measured on"),
      maxLoss: one(
        "--target-accuracy-loss <loss>",
        share,
        "with --validation: largest loss that passes, 0.01 is one point",
      ),
    }),
    ...labelOptions,
    minCosine: minCosineOf(
      "refuse a file with an output less like the original's without what was pruned",
      "0.9999",
    ),
    output: one("--output <file>", anyText, "the pruned model", {
      otherwise: "NAME_pruned30.onnx, NAME_pruned30_structured.onnx, …",
    }),
    inputFormat,
    ...running,
  },
  examples: [
    ["nasty prune --model pos.onnx --sparsity 0.3", "zeros: smaller once compressed"],
    [
      "nasty prune --model models/pos --sparsity 0.3 --structured --data dev.conllu:300",
      "fewer heads and neurons: smaller and faster",
    ],
    [
      "nasty prune --model models/pos --sparsity 0.3 --structured --train train.conllu --validation dev.conllu",
      "and two epochs of training to recover",
    ],
  ],
});
