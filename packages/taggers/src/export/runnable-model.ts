import {
  copyMessage,
  dataTypeName,
  makeNode,
  type ModelProto,
  type ValueInfoProto,
} from "@nasty/formats/onnx";
import { TaggerError } from "../tagger-error.js";

/** What transformers.js feeds a token classifier, int64 each. */
const fed = new Set(["input_ids", "attention_mask", "token_type_ids"]);

const typeOf = ({ type }: ValueInfoProto): string =>
  type?.value.case === "tensorType" ? dataTypeName(type.value.value.elemType) : "no tensor";

/**
 * The model with its scores named `logits`, which is where transformers.js looks for them.
 *
 * @throws TaggerError `not-exportable` for inputs that transformers.js does not feed, or several outputs of which none
 *   is `logits`
 */
export function runnableModel(model: ModelProto, path: string): ModelProto {
  const { graph } = model;
  if (graph === undefined) return model;
  const weights = new Set(graph.initializer.map(({ name }) => name));
  for (const input of graph.input) {
    if (weights.has(input.name) || (fed.has(input.name) && typeOf(input) === "INT64")) continue;
    throw refuse(
      path,
      `input ${JSON.stringify(input.name)}`,
      `${[...fed].join(", ")} of type INT64, which transformers.js feeds`,
      `${input.name} of type ${typeOf(input)}`,
    );
  }
  if (graph.output.some(({ name }) => name === "logits")) return model;
  const [scores, ...others] = graph.output;
  if (scores === undefined || others.length > 0) {
    throw refuse(path, "outputs", 'one named "logits"', graph.output.map(({ name }) => name).join(", "));
  }
  const renamed = copyMessage(scores, { name: "logits" });
  return copyMessage(model, {
    graph: copyMessage(graph, {
      node: [...graph.node, makeNode("Identity", [scores.name], ["logits"], { name: "logits/Identity" })],
      output: [renamed],
    }),
  });
}

function refuse(path: string, where: string, expected: string, got: string): TaggerError {
  return new TaggerError(
    "not-exportable",
    `exportTagger: ${path}: ${where}: expected ${expected}, got ${got}; export the model again with the names and types of Hugging Face Optimum`,
    { path },
  );
}
