import { makeValueInfo, type ModelProto } from "@nasty/formats/onnx";
import { beginEncoder, type EncoderOptions } from "../graph/encoder.js";
import type { TargetWords } from "./target-words.js";

/** What the weights of the head are named after; all others are the encoder's. */
export const headPrefix = "pretraining.";

/** Inputs beside those of the encoder. */
export const maskedInputs = {
  /** Int32 [M]: positions of the words to predict, among those of the context. */
  places: "masked_places",
  /** Int32 [K]: words that each of them is compared with. */
  candidates: "candidate_words",
  /** Float32 [1, K]: what is added to the scores of the candidates. */
  offsets: "candidate_offsets",
} as const;

/** Float32 [M, K]: scores of the candidates for each masked word. */
export const maskedOutput = "masked_words";

/** Width in which words are compared. */
const WIDTH = 96;

/**
 * An encoder with a head that scores candidates for hidden words: context · W, then its product with a row of each
 * candidate, and the candidate's bias, which begins at the logarithm of the word's share in the text.
 */
export function pretrainingModel(options: EncoderOptions, { size, shares }: TargetWords): ModelProto {
  const { graph, writer, context } = beginEncoder(options);
  const { main } = graph;
  main.addInput(makeValueInfo(maskedInputs.places, "int32", ["masked"]));
  main.addInput(makeValueInfo(maskedInputs.candidates, "int32", ["candidates"]));
  main.addInput(makeValueInfo(maskedInputs.offsets, "float32", [1, "candidates"]));
  const { named } = writer;
  const flat = named("pretraining/context", "Reshape", [
    context.value,
    writer.ints("shape.context", [-1, context.width]),
  ]);
  const seen = named("pretraining/masked", "Gather", [flat, maskedInputs.places]);
  const narrow = writer.linear(seen, `${headPrefix}narrow`, { inputs: context.width, outputs: WIDTH });
  const table = writer.weight(`${headPrefix}words`, [size, WIDTH], { bound: Math.sqrt(3 / WIDTH) });
  const biases = writer.weight(`${headPrefix}bias`, [size, 1], {
    values: Float32Array.from(shares, Math.log),
  });
  const turned = (weight: string, name: string): string =>
    named(`${name}/turned`, "Transpose", [named(name, "Gather", [weight, maskedInputs.candidates])], {
      perm: [1, 0],
    });
  const scores = named("pretraining/scores", "MatMul", [narrow, turned(table, "pretraining/rows")]);
  const bias = named("pretraining/offset", "Add", [
    turned(biases, "pretraining/biases"),
    maskedInputs.offsets,
  ]);
  named(maskedOutput, "Add", [scores, bias]);
  main.addOutput(makeValueInfo(maskedOutput, "float32", ["masked", "candidates"]));
  return graph.toModel();
}
