import type { Value } from "../value.js";
import { type LayerContext, type LayerConverter, makeLayerContext, onlyInput } from "../layer-context.js";
import { conv1d } from "./convolution.js";
import { dense } from "./dense.js";
import { activation, elu, leakyRelu, passing, relu, softmax, thresholdedRelu } from "./elementwise.js";
import { embedding, masking } from "./embedding.js";
import { concatenate, merge } from "./merge.js";
import { batchNormalization, layerNormalization } from "./normalization.js";
import { bidirectional, innerLayer, recurrent } from "./recurrent.js";

/** Layers that treat each position by itself: the same within TimeDistributed and without. */
const perPosition: Readonly<Record<string, LayerConverter>> = {
  Dense: dense,
  Activation: activation,
  ReLU: relu,
  LeakyReLU: leakyRelu,
  ELU: elu,
  ThresholdedReLU: thresholdedRelu,
  Softmax: softmax,
  LayerNormalization: layerNormalization,
  BatchNormalization: batchNormalization,
  Dropout: passing,
  GaussianDropout: passing,
  GaussianNoise: passing,
  AlphaDropout: passing,
  ActivityRegularization: passing,
};

/** The layers that can be imported, by the name of their class. */
export const layerConverters: Readonly<Record<string, LayerConverter>> = {
  ...perPosition,
  Embedding: embedding,
  Masking: masking,
  SpatialDropout1D: passing,
  Conv1D: conv1d,
  LSTM: recurrent,
  GRU: recurrent,
  SimpleRNN: recurrent,
  Bidirectional: bidirectional,
  TimeDistributed: timeDistributed,
  Add: merge,
  Multiply: merge,
  Average: merge,
  Maximum: merge,
  Minimum: merge,
  Concatenate: concatenate,
};

/** The same layer at each position, which is what the layers inside do by themselves. */
function timeDistributed(context: LayerContext, inputs: readonly Value[]): Value {
  context.options("layer");
  const input = onlyInput(context, inputs, [3, Number.POSITIVE_INFINITY]);
  const inner = innerLayer(context);
  const convert = Object.hasOwn(perPosition, inner.className) ? perPosition[inner.className] : undefined;
  if (convert === undefined) {
    const expected = Object.keys(perPosition).join(", ");
    throw context.error("unsupported-layer", "layer", `one of ${expected}`, JSON.stringify(inner.className));
  }
  const { writer, weights, scope, mixesTime } = context;
  const layer = { ...inner, name: context.layer.name };
  return convert(makeLayerContext({ layer, writer, weights, scope, mixesTime, hiddenAxes: 1 }), [input]);
}
