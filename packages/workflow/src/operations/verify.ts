import { list, model, one, text } from "../schema/option.js";
import { operation } from "../schema/operation.js";
import { anyText, positiveInteger, positiveNumber } from "../schema/values.js";
import { inputFormat, labelOptions, minCosineOf, modelHelp, running } from "./shared-options.js";

/** One file on every engine. */
export const verifyOperation = operation({
  name: "verify",
  summary: "run a file on every engine at hand, and compare what they compute",
  options: {
    model: model("--model <path>", modelHelp, { required: true }),
    original: model("--original <path>", "the float model that the file was made of"),
    on: text(
      "--test <file>",
      "samples to run: .conllu, columns or .txt; texts as .jsonl or .tsv; inputs of the graph as .jsonl or .npz",
      {
        otherwise: "the sample text of @nasty/model-en; generated inputs for models that read no text",
      },
    ),
    feeds: text(
      "--feeds <file>",
      "inputs of the graph to run (.jsonl, .npz), of a model that reads text too",
    ),
    samples: one("--samples <n>", positiveInteger, "samples to run", { otherwise: "64; 8 above 100 MB" }),
    engines: list(
      "--engine <name>",
      anyText,
      "engine to run the file on: native, wasm or portable (repeatable); one that cannot run it fails the check",
      { otherwise: "every one that is there" },
    ),
    tolerance: one(
      "--tolerance <error>",
      positiveNumber,
      "largest relative error of an output between two engines",
      { otherwise: "0.02; 0.0001 for float32 models" },
    ),
    minCosine: minCosineOf(
      "with --original: smallest cosine similarity of an output to the original's",
      "0.999; 0.9 with 8 bits, 0.8 with 4",
    ),
    ...labelOptions,
    inputFormat,
    ...running,
  },
  examples: [
    ["nasty verify --model pos_int8.onnx --original models/pos", "the same labels on every engine?"],
    ["nasty verify --model model_quantized.onnx --original model.onnx", "any model, on generated inputs"],
    ["nasty verify --model pos_int4.onnx --engine wasm", "will it run in the browser?"],
  ],
});
