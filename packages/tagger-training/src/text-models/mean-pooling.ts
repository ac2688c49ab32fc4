import { makeValueInfo, type ModelProto } from "@nasty/formats/onnx";
import { ModelGraph } from "@nasty/graph";
import { TaggerError } from "@nasty/taggers";
import { encoderWriter, hiddenOutput } from "@nasty/taggers/encoders";
import type { HeadlessEncoder } from "../fine-tuning/cut-head.js";

/** Output with a vector of length 1 for each text: float32 [batch, width]. */
export const pooledOutput = "sentence_embedding";

/** Added to squared lengths: the gradient of a square root at 0 is infinite. */
const tiny = 1e-12;

/**
 * Puts on an encoder what makes one vector of a text: m / |m|, m the mean of the hidden states of its real positions.
 *
 * @returns a model with the output {@link pooledOutput} alone
 * @throws TaggerError `model-inputs` for a graph without a mask, which does not tell padding from text
 */
export function addMeanPooling({ model, hidden, width }: HeadlessEncoder): ModelProto {
  const edited = ModelGraph.from(model);
  const graph = edited.main;
  const mask = graph.inputs.find(({ name }) => /mask/i.test(name))?.name;
  if (mask === undefined) {
    const got = graph.inputs.map(({ name }) => name).join(", ") || "none";
    throw new TaggerError(
      "model-inputs",
      `fineTune: model: inputs: expected an attention mask, to average what is no padding, got ${got}`,
    );
  }
  const writer = encoderWriter(graph);
  const { named } = writer;
  const real = named("pooling/real", "Cast", [mask], { to: 1 });
  const column = named("pooling/column", "Unsqueeze", [real, writer.ints([-1])]);
  const kept = named("pooling/kept", "Mul", [hidden, column]);
  const sum = named("pooling/sum", "ReduceSum", [kept, writer.ints([1])], { keepdims: 0 });
  const count = named("pooling/count", "ReduceSum", [column, writer.ints([1])], { keepdims: 0 });
  const mean = named("pooling/mean", "Div", [sum, count]);
  const squares = named("pooling/squares", "Mul", [mean, mean]);
  const squared = named("pooling/squared", "ReduceSum", [squares, writer.ints([1])], { keepdims: 1 });
  const length = named("pooling/length", "Sqrt", [
    named("pooling/guarded", "Add", [squared, writer.float(tiny)]),
  ]);
  named(pooledOutput, "Div", [mean, length]);
  for (const { name } of graph.outputs) graph.removeOutput(name);
  graph.addOutput(makeValueInfo(pooledOutput, "float32", ["batch", width]));
  return edited.toModel();
}

/** The encoder without it: hidden states are its output, under the name that loaders look for; they average them. */
export function withoutPooling(model: ModelProto, { hidden, width }: HeadlessEncoder): ModelProto {
  const edited = ModelGraph.from(model);
  const graph = edited.main;
  for (const { name } of graph.outputs) graph.removeOutput(name);
  let output = hidden;
  if (hidden !== hiddenOutput && !graph.defines(hiddenOutput)) {
    output = hiddenOutput;
    graph.addNode({ opType: "Identity", name: output, inputs: [hidden], outputs: [output] });
  }
  graph.addOutput(makeValueInfo(output, "float32", ["batch", "sequence", width]));
  graph.pruneUnused();
  return edited.toModel();
}
