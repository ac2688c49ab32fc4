import { activate, activationOf } from "../activations.js";
import { following, type Value } from "../value.js";
import { channelsOf, type LayerContext, onlyInput } from "../layer-context.js";

/** y = f(x·W + b) over the last axis. */
export function dense(context: LayerContext, inputs: readonly Value[]): Value {
  const options = context.options("units", "activation", "use_bias", "input_dim");
  const { writer, weights, scope, layer } = context;
  const input = onlyInput(context, inputs);
  const units = options.count("units");
  const activation = activationOf(options);
  const useBias = options.flag("use_bias", true);
  const channels = channelsOf(context, input);
  const kernel = [channels, units];
  const W = writer.weight(`${scope}/kernel`, kernel, () => weights.take(scope, "kernel", kernel));
  let y = writer.op(layer.name, "MatMul", [input.name, W]);
  if (useBias) {
    const b = writer.weight(`${scope}/bias`, [units], () => weights.take(scope, "bias", [units]));
    y = writer.op(layer.name, "Add", [y, b]);
  }
  return activate(context, activation, following(input, y, { shape: [...input.shape.slice(0, -1), units] }));
}
