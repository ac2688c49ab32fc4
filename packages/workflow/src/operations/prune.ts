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
  plans: "print the plan, without writing a file",
  options: {
    model: model("--model <path>", modelHelp, { required: true }),
    sparsity: one("--sparsity <share>", share, "share of the weights or units to remove, from 0 to below 1"),
    structured: flag(
      "--structured",
      "remove whole attention heads and feed-forward neurons, so that the model gets smaller and faster",
    ),
    heads: one("--heads <share>", share, "share of the attention heads to remove", {
      otherwise: "--sparsity",
    }),
    neurons: one("--neurons <share>", share, "share of the feed-forward neurons to remove", {
      otherwise: "--sparsity",
    }),
    scope: one(
      "--scope <scope>",
      choice("global", "layer"),
      "rank weights over the whole model, or remove the same share of every layer",
      { fallback: "global" },
    ),
    on: texts("--data <file[:n]>", "labelled text to measure the importance of heads and neurons on"),
    layers: one(
      "--layers <n|list>",
      layers,
      "encoder layers to remove: a number of layers from the end, or a list such as 1,3 (one layer: 3,)",
    ),
    vocabulary: text(
      "--vocabulary <file>",
      "keep only the embedding rows that this text and unknown words need",
    ),
    skipLayers: list(
      "--skip-layers <pattern>",
      anyText,
      "layers that are not pruned: name, glob or /regex/ (repeatable)",
    ),
    recover: group("training during or after pruning", {
      on: text("--train <file>", "labelled text to train on during or after pruning, to recover accuracy"),
      schedule: one(
        "--schedule <schedule>",
        choice("gradual", "one-shot"),
        "with --train: remove weights step by step during training, or all at once before it",
        { otherwise: "gradual if no shape changes" },
      ),
      epochs: one("--epochs <n>", positiveInteger, "with --train: passes over the training text", {
        otherwise: "2",
      }),
      batchSize: one("--batch-size <n>", positiveInteger, "with --train: sentences in a training step", {
        otherwise: "16",
      }),
      learningRate: one("--learning-rate <rate>", positiveNumber, "with --train: peak learning rate", {
        otherwise: "0.0003",
      }),
    }),
    gate: group("the accuracy that the written file may lose on labelled text", {
      on: text("--validation <file>", "labelled text to measure the written file on"),
      maxLoss: one(
        "--target-accuracy-loss <loss>",
        share,
        "with --validation: largest accuracy loss that passes (0.01 = 1 point)",
      ),
    }),
    ...labelOptions,
    minCosine: minCosineOf(
      "refuse a written file whose outputs have a lower cosine similarity to the original's with the pruned weights set to zero",
      "0.9999",
    ),
    output: one("--output <file>", anyText, "file to write", {
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
